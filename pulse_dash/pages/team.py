"""The team of the organization: who belongs to it and as what, who is invited, and what each role may do."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge, tag
from pulse_dash.components.buttons import button, button_class, copy_icon
from pulse_dash.components.icons import icon
from pulse_dash.components.links import plain_link
from pulse_dash.components.lists import list_choice, list_tools, listed, no_match, nothing_yet, row_bones
from pulse_dash.components.page_head import crumbs, page_action, page_head
from pulse_dash.components.shell import shell
from pulse_dash.components.team_dialogs import (
    INVITE,
    LEAVE,
    TRANSFER,
    invite_dialog,
    leave_dialog,
    remove_dialog,
    role_dialog,
    take_back_dialog,
    transfer_dialog,
)
from pulse_dash.components.times import moment
from pulse_dash.state.shell import ShellState
from pulse_dash.state.team import InvitationRow, MemberRow, Outcome, RoleLine, TeamState

_ROLES = ("owner", "admin", "developer", "viewer")


def page() -> rx.Component:
    """/team"""
    return shell(
        page_head(
            crumbs(rx.el.bdi(ShellState.organization_name, class_name="one-line")),
            "Team",
            rx.el.p(
                rx.cond(
                    TeamState.total == 1,
                    "You are the only member so far.",
                    rx.fragment(TeamState.total, " people belong to this organization."),
                ),
                class_name="page-sentence",
            ),
            page_action(
                ~TeamState.loaded | TeamState.may_invite,
                button("Invite people…", variant="primary", icon_name="user-plus", opens=INVITE),
                "An admin can invite people",
            ),
            docs="api#team",
        ),
        rx.el.div(
            list_tools(
                list_choice(
                    "Role",
                    rx.el.option("Every role", value=""),
                    *(rx.el.option(role.capitalize(), value=role) for role in _ROLES),
                    id="role",
                    value=TeamState.role,
                    on_change=TeamState.set_role,
                ),
                what="members",
                state=TeamState,
                placeholder="Search by name or email",
            ),
            listed(
                TeamState,
                _members(),
                bones=_bones(),
                nothing=rx.cond((TeamState.search != "") | (TeamState.role != ""), _no_results(), _nobody()),
                what="members",
                still="Everybody who is signed in goes on working.",
            ),
            rx.cond(TeamState.pending.length() > 0, _pending()),
            rx.cond(TeamState.loaded, _roles()),
            class_name="stack",
        ),
        invite_dialog(),
        leave_dialog(),
        transfer_dialog(),
    )


def _members() -> rx.Component:
    return rx.fragment(
        rx.el.section(
            rx.el.div(
                rx.el.h2("Members"),
                rx.el.div(
                    plain_link(
                        icon("download"),
                        "Export CSV",
                        href=TeamState.download,
                        download="members.csv",
                        class_name=button_class(small=True),
                    ),
                    rx.cond(TeamState.may_transfer, button("Hand over…", small=True, opens=TRANSFER)),
                    button("Leave…", small=True, opens=LEAVE),
                    class_name="push with-note",
                ),
                class_name="card-head",
            ),
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th("Name", scope="col"),
                        rx.cond(TeamState.sees_addresses, rx.el.th("Email", scope="col")),
                        rx.el.th("Role", scope="col"),
                        rx.cond(
                            TeamState.looks_after,
                            rx.fragment(rx.el.th("Second factor", scope="col"), rx.el.th("Last seen", scope="col")),
                        ),
                        rx.el.th("Joined", scope="col"),
                        rx.el.th(rx.el.span("Actions", class_name="seen-by-readers"), scope="col"),
                    )
                ),
                rx.el.tbody(rx.foreach(TeamState.items, _row)),
                class_name="table table-folds",
            ),
            class_name="card card-flush",
        ),
        rx.foreach(TeamState.items, _dialogs),
    )


def _head(*names: str) -> rx.Component:
    return rx.el.thead(
        rx.el.tr(*(rx.el.th(name) for name in names), rx.el.th(rx.el.span("Actions", class_name="seen-by-readers")))
    )


def _row(member: rx.Var[MemberRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.bdi(member.name), rx.cond(member.me, tag("you")), class_name="cell-name"),
        rx.cond(
            TeamState.sees_addresses,
            rx.el.td(rx.el.bdi(member.email), class_name="cell-words", custom_attrs={"data-label": "Email"}),
        ),
        rx.el.td(
            tag(member.role.to(str).capitalize()),
            custom_attrs={"data-label": "Role"},
        ),
        rx.cond(
            TeamState.looks_after,
            rx.fragment(
                rx.el.td(
                    rx.cond(
                        TeamState.requires_second_factor & (member.second_factor == "Off"),
                        badge("Held back", "warn"),
                        badge(member.second_factor, member.factor_tone),
                    ),
                    custom_attrs={"data-label": "Second factor"},
                ),
                rx.el.td(
                    rx.cond(member.last_seen_at != "", moment(member.last_seen_at), rx.fragment("never")),
                    custom_attrs={"data-label": "Last seen"},
                ),
            ),
        ),
        rx.el.td(moment(member.joined_at), custom_attrs={"data-label": "Joined"}),
        rx.el.td(
            rx.cond(member.may_change, button("Change role…", small=True, opens="role-" + member.id)),
            rx.cond(member.may_remove, button("Remove…", small=True, variant="danger", opens="remove-" + member.id)),
            class_name="cell-actions",
        ),
        key=member.id,
    )


def _dialogs(member: rx.Var[MemberRow]) -> rx.Component:
    return rx.fragment(
        rx.cond(member.may_change, role_dialog(member)),
        rx.cond(member.may_remove, remove_dialog(member)),
        key=member.id,
    )


def _pending() -> rx.Component:
    return rx.fragment(
        rx.el.section(
            rx.el.div(rx.el.h2("Invited"), class_name="card-head"),
            rx.cond(
                TeamState.outcomes.length() > 0,
                rx.el.ul(rx.foreach(TeamState.outcomes, outcome), class_name="stack card-note"),
            ),
            rx.el.table(
                _head("Email", "Role", "State", "Ends"),
                rx.el.tbody(rx.foreach(TeamState.pending, _invited)),
                class_name="table table-folds",
            ),
            class_name="card card-flush",
        ),
        rx.foreach(TeamState.pending, lambda each: rx.cond(TeamState.may_invite, take_back_dialog(each))),
    )


def outcome(each: rx.Var[Outcome]) -> rx.Component:
    """What became of one address, with its link where no mail is sent."""
    return rx.el.li(
        rx.el.bdi(each.email),
        ": ",
        each.said,
        rx.cond(
            each.link != "",
            rx.el.span(
                rx.el.code(each.link, class_name="one-line"), copy_icon(each.link, "the link"), class_name="command"
            ),
        ),
    )


def _invited(each: rx.Var[InvitationRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.bdi(each.email), class_name="cell-name"),
        rx.el.td(each.role, custom_attrs={"data-label": "Role"}),
        rx.el.td(badge(each.status, each.tone), custom_attrs={"data-label": "State"}),
        rx.el.td(moment(each.expires_at), custom_attrs={"data-label": "Ends"}),
        rx.el.td(
            rx.cond(
                TeamState.may_invite,
                rx.fragment(
                    button("Send again", small=True, on_click=TeamState.send_again(each.id)),
                    button("Take back…", small=True, variant="danger", opens="take-back-" + each.id),
                ),
            ),
            class_name="cell-actions",
        ),
        key=each.id,
    )


def _roles() -> rx.Component:
    """The table that the code itself uses."""
    return rx.el.section(
        rx.el.details(
            rx.el.summary(icon("chevron-right"), rx.el.h2("What each role may do")),
            rx.el.div(
                rx.el.table(
                    rx.el.thead(rx.el.tr(rx.el.th("May"), *(rx.el.th(role.capitalize()) for role in _ROLES))),
                    rx.el.tbody(rx.foreach(TeamState.table, _line)),
                    class_name="table table-folds table-roles",
                )
            ),
            class_name="card-opens",
        ),
        class_name="card",
    )


def _line(line: rx.Var[RoleLine]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(line.words, " ", rx.el.code(line.permission, class_name="quiet small")),
        *(
            rx.el.td(
                rx.cond(
                    line.held[place],
                    rx.fragment(icon("check"), rx.el.span("yes", class_name="seen-by-readers")),
                    rx.el.span("no", class_name="seen-by-readers"),
                ),
                custom_attrs={"data-label": role.capitalize()},
            )
            for place, role in enumerate(_ROLES)
        ),
        key=line.permission,
    )


def _bones() -> rx.Component:
    return rx.el.section(
        rx.el.table(
            _head("Name", "Email", "Role", "Second factor", "Last seen", "Joined"), row_bones(7), class_name="table"
        ),
        class_name="card card-flush",
        custom_attrs={"aria-busy": "true"},
    )


def _no_results() -> rx.Component:
    return no_match(
        "No member matches",
        "Look for another part of the name or email, or for every role.",
        button("Show everybody", on_click=TeamState.clear),
    )


def _nobody() -> rx.Component:
    return nothing_yet("users", "Nobody belongs to this organization", "Make one of your own, or ask to be invited.")
