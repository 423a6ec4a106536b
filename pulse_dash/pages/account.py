"""The person's own account: who they are, how they sign in, where they are signed in, and their API tokens."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.account_dialogs import (
    ADDRESS,
    END_OTHERS,
    ERASE,
    NEW_TOKEN,
    PASSWORD,
    address_dialog,
    end_others_dialog,
    erase_dialog,
    new_token_dialog,
    password_dialog,
    revoke_dialog,
)
from pulse_dash.components.account_factor import factor_card, factor_dialogs
from pulse_dash.components.badges import badge, tag
from pulse_dash.components.buttons import button
from pulse_dash.components.fields import field
from pulse_dash.components.lists import row_bones
from pulse_dash.components.page_head import crumbs, page_head
from pulse_dash.components.secret import copy_now, personal_token_value
from pulse_dash.components.shell import shell
from pulse_dash.components.states import bone, empty, failed
from pulse_dash.components.times import moment
from pulse_dash.state.account import AccountState, SessionRow, TokenRow
from pulse_dash.state.secret import SecretState
from pulse_dash.state.shell import ShellState

_SIGN_INS = ("Device", "Way", "IP address", "Signed in", "Last used")
_TOKENS = ("Name", "Token", "Runs out", "Last used", "Status")


def page() -> rx.Component:
    """/account"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.name, class_name="one-line")),
            "Your account",
            rx.el.p("It is yours in every organization that you belong to.", class_name="page-sentence"),
            docs="api#accounts",
        ),
        rx.el.div(
            rx.cond(
                AccountState.problem != "",
                failed(
                    "Your account could not be read.",
                    AccountState.problem,
                    AccountState.reference,
                    retry=AccountState.load,
                    still="You stay signed in, and scripts with your tokens go on working.",
                ),
            ),
            rx.cond(
                AccountState.loaded,
                rx.fragment(_profile(), factor_card(), _sign_ins(), _tokens(), _danger()),
                rx.cond(AccountState.problem == "", _bones()),
            ),
            class_name="stack",
        ),
        address_dialog(),
        password_dialog(),
        end_others_dialog(),
        new_token_dialog(),
        erase_dialog(),
        factor_dialogs(),
        homeless_too=True,
    )


def _profile() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Profile"),
            rx.el.div(
                button("Change email…", small=True, opens=ADDRESS),
                button("Change password…", small=True, opens=PASSWORD),
                class_name="push with-note",
            ),
            class_name="card-head",
        ),
        rx.el.form(
            field(
                "Your name",
                id="name",
                name="name",
                default_value=AccountState.name,
                key=AccountState.name,
                error=AccountState.errors.get("name", ""),
                required=True,
                max_length=128,
                auto_complete="name",
                says={"missing": "Write the name that others see."},
            ),
            rx.el.p(
                "You sign in as ",
                rx.el.bdi(AccountState.email),
                ".",
                rx.cond(
                    AccountState.moving_to != "",
                    rx.fragment(
                        " It becomes ",
                        rx.el.bdi(AccountState.moving_to),
                        " once the link that was mailed there is opened.",
                    ),
                ),
                class_name="small quiet",
            ),
            rx.el.div(button("Save", type="submit")),
            on_submit=AccountState.rename,
            class_name="stack prose",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        class_name="card",
    )


def _danger() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Danger zone"), class_name="card-head"),
        rx.el.div(
            rx.el.p(
                "Erasing your account ends every sign-in and API token, takes you out of every organization, and makes "
                "your name and address in their audit logs unreadable for good. Where you are the last owner, hand "
                "over or delete that organization first.",
                class_name="quiet prose",
            ),
            rx.el.div(button("Erase your account…", variant="danger", icon_name="trash-2", opens=ERASE)),
            class_name="stack",
        ),
        class_name="card",
    )


def _head(*names: str) -> rx.Component:
    return rx.el.thead(
        rx.el.tr(
            *(rx.el.th(name, scope="col") for name in names),
            rx.el.th(rx.el.span("Actions", class_name="seen-by-readers"), scope="col"),
        )
    )


def _sign_ins() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Where you are signed in"),
            rx.cond(
                AccountState.signed_in_at.length() > 1,
                rx.el.div(button("Sign out everywhere else…", small=True, opens=END_OTHERS), class_name="push"),
            ),
            class_name="card-head",
        ),
        rx.el.table(
            _head(*_SIGN_INS),
            rx.el.tbody(rx.foreach(AccountState.signed_in_at, _sign_in)),
            class_name="table table-folds",
        ),
        class_name="card card-flush",
    )


def _sign_in(row: rx.Var[SessionRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row.device, " ", rx.cond(row.current, tag("this one")), class_name="cell-name"),
        rx.el.td(row.way, custom_attrs={"data-label": "Way"}),
        rx.el.td(rx.el.code(row.ip), custom_attrs={"data-label": "IP address"}),
        rx.el.td(moment(row.created_at), custom_attrs={"data-label": "Signed in"}),
        rx.el.td(moment(row.last_used_at), custom_attrs={"data-label": "Last used"}),
        rx.el.td(
            rx.cond(row.current, rx.fragment(), button("End", small=True, on_click=AccountState.end_session(row.id))),
            class_name="cell-actions",
        ),
        key=row.id,
    )


def _tokens() -> rx.Component:
    return rx.fragment(
        rx.cond(
            SecretState.secret != "",
            rx.fragment(
                copy_now(),
                rx.el.section(
                    rx.el.div(
                        personal_token_value(SecretState.secret),
                        rx.el.div(
                            button("I have copied it", small=True, icon_name="check", on_click=SecretState.put_away)
                        ),
                        class_name="stack",
                    ),
                    class_name="card",
                ),
            ),
        ),
        rx.el.section(
            rx.el.div(
                rx.el.h2("API tokens"),
                rx.el.div(button("New token…", small=True, icon_name="plus", opens=NEW_TOKEN), class_name="push"),
                class_name="card-head",
            ),
            rx.cond(
                AccountState.tokens.length() == 0,
                empty(
                    "key-round",
                    "You have no API token",
                    "A token lets a script of yours call the API without your password, as you, until it runs out.",
                    small=True,
                ),
                rx.el.table(
                    _head(*_TOKENS),
                    rx.el.tbody(rx.foreach(AccountState.tokens, _token)),
                    class_name="table table-folds",
                ),
            ),
            class_name="card card-flush",
        ),
        rx.foreach(AccountState.tokens, revoke_dialog),
    )


def _token(row: rx.Var[TokenRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.bdi(row.name), class_name="cell-name"),
        rx.el.td(rx.el.code(row.begins), custom_attrs={"data-label": "Token"}),
        rx.el.td(moment(row.expires_at), custom_attrs={"data-label": "Runs out"}),
        rx.el.td(
            rx.cond(row.last_used_at != "", moment(row.last_used_at), rx.fragment("never")),
            custom_attrs={"data-label": "Last used"},
        ),
        rx.el.td(badge(row.status, row.tone), custom_attrs={"data-label": "Status"}),
        rx.el.td(
            button("Revoke…", small=True, variant="danger", opens="revoke-" + row.id),
            class_name="cell-actions",
        ),
        key=row.id,
    )


def _bones() -> rx.Component:
    """The four cards, as high as they will be."""
    return rx.fragment(
        rx.el.section(
            _bone_head("Profile"),
            rx.el.div(
                rx.el.div(bone("bone-short"), bone("bone-line"), class_name="field"),
                bone("bone-short"),
                bone("bone-button"),
                class_name="stack",
            ),
            class_name="card",
            custom_attrs={"aria-busy": "true"},
        ),
        rx.el.section(
            _bone_head("Second factor"),
            rx.el.div(bone(), bone("bone-short"), class_name="stack-tight"),
            class_name="card",
        ),
        rx.el.section(
            _bone_head("Where you are signed in"),
            rx.el.table(_head(*_SIGN_INS), row_bones(6, 2), class_name="table table-folds"),
            class_name="card card-flush",
        ),
        rx.el.section(
            _bone_head("API tokens"),
            rx.el.table(_head(*_TOKENS), row_bones(6, 2), class_name="table table-folds"),
            class_name="card card-flush",
        ),
    )


def _bone_head(title: str) -> rx.Component:
    return rx.el.div(rx.el.h2(title), rx.el.div(bone("bone-button"), class_name="push"), class_name="card-head")
