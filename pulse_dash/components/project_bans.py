"""The Bans tab: who gets no token in this project, why, and until when."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge
from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import breaks, form_dialog
from pulse_dash.components.fields import field, select
from pulse_dash.components.lists import list_tools, section_bones
from pulse_dash.components.pager import pager
from pulse_dash.components.states import empty, failed, not_offered
from pulse_dash.components.times import moment
from pulse_dash.state.bans import BanRow, BansState
from pulse_dash.state.project import ProjectState

_BAN = "ban-identity"


def bans_tab() -> rx.Component:
    """The list and banning somebody."""
    return rx.el.div(
        rx.cond(
            BansState.problem != "",
            failed(
                "The bans could not be read.",
                BansState.problem,
                BansState.reference,
                retry=BansState.load,
                still="Those that hold go on holding.",
            ),
        ),
        rx.cond(
            BansState.loaded,
            rx.cond(BansState.hidden, _hidden(), _list()),
            rx.cond(BansState.problem == "", section_bones()),
        ),
        _ban_dialog(),
    )


def _hidden() -> rx.Component:
    return not_offered(
        "Your role does not see who is banned",
        "Identities and reasons speak of people. A developer, an admin or an owner of the organization sees them.",
        "eye-off",
    )


def _list() -> rx.Component:
    return rx.cond(
        (BansState.items.length() == 0) & (BansState.search == ""),
        rx.el.section(
            empty(
                "user-round-x",
                "Nobody is banned",
                "A banned identity gets no token in this project, on every node within a second, and is put out of "
                "the rooms that it is in.",
                rx.cond(ProjectState.may.change_bans, button("Ban somebody…", variant="primary", opens=_BAN)),
            ),
            class_name="card",
        ),
        rx.fragment(
            rx.cond(
                (BansState.pages > 1) | (BansState.search != ""),
                list_tools(what="banned identities", state=BansState, placeholder="Search by identity"),
            ),
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Banned identities"),
                    rx.cond(
                        ProjectState.may.change_bans,
                        rx.el.div(button("Ban somebody…", small=True, icon_name="plus", opens=_BAN), class_name="push"),
                    ),
                    class_name="card-head",
                ),
                rx.cond(
                    BansState.items.length() == 0,
                    rx.el.p(
                        "Nobody of that name is banned. Try fewer letters.",
                        class_name="small quiet card-note",
                        custom_attrs={"aria-live": "polite"},
                    ),
                    rx.el.table(
                        rx.el.thead(
                            rx.el.tr(
                                rx.el.th("Identity"),
                                rx.el.th("Reason"),
                                rx.el.th("Ends"),
                                rx.el.th("Banned"),
                                rx.el.th(rx.el.span("Actions", class_name="seen-by-readers")),
                            )
                        ),
                        rx.el.tbody(rx.foreach(BansState.items, _row)),
                        class_name="table table-folds",
                    ),
                ),
                class_name="card card-flush below-filters",
            ),
            rx.cond(BansState.pages > 1, pager(BansState)),
            rx.foreach(BansState.items, _lift_dialog),
        ),
    )


def _row(ban: rx.Var[BanRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.bdi(ban.identity), class_name="cell-name"),
        rx.el.td(rx.el.bdi(ban.reason), class_name="cell-words", custom_attrs={"data-label": "Reason"}),
        rx.el.td(
            rx.cond(
                ban.until == "",
                "never",
                rx.cond(ban.ended, badge("Ended", "idle"), moment(ban.until)),
            ),
            custom_attrs={"data-label": "Ends"},
        ),
        rx.el.td(moment(ban.created_at), custom_attrs={"data-label": "Banned"}),
        rx.el.td(
            rx.cond(ProjectState.may.change_bans, button("Lift…", small=True, opens="lift-" + ban.id)),
            class_name="cell-actions",
        ),
        key=ban.id,
    )


def _ban_dialog() -> rx.Component:
    errors = BansState.errors
    return form_dialog(
        "Ban somebody",
        field(
            "Identity",
            id="ban-identity-field",
            name="identity",
            error=errors.get("identity", ""),
            required=True,
            max_length=128,
            auto_complete="off",
            hint="As your app names them in tokens, letter for letter.",
            says={"missing": "Whom? The identity as it stands in tokens."},
            custom_attrs={"data-first": ""},
        ),
        field(
            "Reason",
            id="ban-reason",
            name="reason",
            error=errors.get("reason", ""),
            required=True,
            max_length=500,
            auto_complete="off",
            says={"missing": "Say why; whoever looks at this later needs it."},
        ),
        select(
            "How long",
            rx.el.option("for good", value="0"),
            rx.el.option("1 hour", value="3600"),
            rx.el.option("1 day", value="86400"),
            rx.el.option("7 days", value="604800"),
            id="ban-length",
            name="length",
            default_value="0",
        ),
        before=breaks(
            "This identity gets no token in this project, and is put out of its rooms.",
            "Another identity of the same person is not known here: your app decides who is who.",
        ),
        state=BansState,
        id=_BAN,
        does="Ban",
        on_submit=BansState.ban,
        variant="deadly",
    )


def _lift_dialog(ban: rx.Var[BanRow]) -> rx.Component:
    return form_dialog(
        rx.fragment("Let ", rx.el.bdi(ban.identity), " in again"),
        rx.el.input(type="hidden", name="ban_id", default_value=ban.id),
        before=rx.el.p(
            "New tokens for this identity are minted again within a second, and older ones work until they end."
        ),
        state=BansState,
        id="lift-" + ban.id,
        does="Lift the ban",
        on_submit=BansState.lift,
    )
