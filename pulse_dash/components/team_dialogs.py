"""The dialogs of the team: inviting, changing a role, removing, leaving and handing over."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.dialog import breaks, confirm_dialog, form_dialog
from pulse_dash.components.fields import select
from pulse_dash.state.team import InvitationRow, MemberRow, TeamState

INVITE = "invite-people"
LEAVE = "leave-organization"
TRANSFER = "hand-over"


def _role_choice(id: str, value: object = "developer", **props: Any) -> rx.Component:
    return select(
        "Role",
        rx.foreach(TeamState.grantable, lambda role: rx.el.option(role.to(str).capitalize(), value=role)),
        id=id,
        name="role",
        default_value=value,
        **props,
    )


def invite_dialog() -> rx.Component:
    """Several addresses at once; each gets its own answer."""
    return form_dialog(
        "Invite people",
        rx.el.div(
            rx.el.label("Email addresses", html_for="emails"),
            rx.el.textarea(
                id="emails",
                name="emails",
                rows="4",
                class_name="input",
                auto_complete="off",
                custom_attrs={"data-first": "", "aria-describedby": "emails-hint emails-error", "spellCheck": "false"},
            ),
            rx.el.p(TeamState.errors.get("emails", ""), id="emails-error", class_name="field-error", role="alert"),
            rx.el.p("A line each. The link works once, for seven days.", id="emails-hint", class_name="hint"),
            class_name="field",
        ),
        _role_choice("invite-role"),
        rx.cond(
            TeamState.outcomes.length() > 0,
            rx.el.ul(
                rx.foreach(TeamState.outcomes, lambda each: rx.el.li(rx.el.bdi(each.email), ": ", each.said)),
                class_name="breaks",
                role="status",
            ),
        ),
        state=TeamState,
        id=INVITE,
        does="Invite",
        on_submit=TeamState.invite,
    )


def role_dialog(member: rx.Var[MemberRow]) -> rx.Component:
    """Another role for a member."""
    return form_dialog(
        rx.fragment("Change the role of ", rx.el.bdi(member.name)),
        rx.el.input(type="hidden", name="user_id", default_value=member.id),
        _role_choice("role-of-" + member.id, member.role, on_change=lambda role: TeamState.consider(member.id, role)),
        rx.el.div(
            rx.cond(
                TeamState.considered == member.id,
                rx.fragment(
                    rx.cond(
                        TeamState.gains.length() + TeamState.losses.length() == 0,
                        rx.el.p("That is the role they have."),
                    ),
                    _what_changes("They may then also:", TeamState.gains),
                    _what_changes("They may then no longer:", TeamState.losses),
                ),
                rx.el.p("Choose another role to see what changes."),
            ),
            class_name="stack-tight small",
            role="status",
        ),
        before=rx.el.p("It holds within a second, on every page they have open."),
        state=TeamState,
        id="role-" + member.id,
        does="Change the role",
        on_submit=TeamState.change_role,
    )


def _what_changes(title: str, words: rx.Var[list[str]]) -> rx.Component:
    return rx.cond(
        words.length() > 0,
        rx.fragment(
            rx.el.p(rx.el.strong(title)),
            rx.el.ul(rx.foreach(words, lambda each: rx.el.li(each, key=each)), class_name="breaks"),
        ),
    )


def remove_dialog(member: rx.Var[MemberRow]) -> rx.Component:
    """Taking somebody out."""
    return form_dialog(
        rx.fragment("Remove ", rx.el.bdi(member.name)),
        rx.el.input(type="hidden", name="user_id", default_value=member.id),
        before=breaks(
            "Their sign-ins and open pages reach this organization no longer, within a second.",
            "Keys that they made go on working: they belong to the projects.",
        ),
        state=TeamState,
        id="remove-" + member.id,
        does="Remove",
        on_submit=TeamState.remove,
        variant="deadly",
    )


def take_back_dialog(each: rx.Var[InvitationRow]) -> rx.Component:
    """Taking an invitation back."""
    return form_dialog(
        rx.fragment("Take back the invitation of ", rx.el.bdi(each.email)),
        rx.el.input(type="hidden", name="invitation_id", default_value=each.id),
        before=breaks("The link that was sent opens nothing any more."),
        state=TeamState,
        id="take-back-" + each.id,
        does="Take it back",
        on_submit=TeamState.take_back,
        variant="deadly",
    )


def leave_dialog() -> rx.Component:
    """Leaving, with the organization's name typed."""
    return confirm_dialog(
        "Leave",
        TeamState.organization,
        "You see nothing of this organization any more, within a second.",
        "Only an invitation brings you back.",
        label="Type the organization's name",
        about=("leaving", "yes"),
        state=TeamState,
        id=LEAVE,
        does="Leave",
        on_submit=TeamState.leave,
    )


def transfer_dialog() -> rx.Component:
    """Handing over, with the organization's name typed."""
    return form_dialog(
        rx.fragment("Hand ", rx.el.bdi(TeamState.organization), " over"),
        select(
            "To",
            rx.foreach(TeamState.others, lambda each: rx.el.option(each.name, value=each.id)),
            id="hand-over-to",
            name="user_id",
        ),
        rx.el.div(
            rx.el.label("Type the organization's name", html_for="hand-over-name"),
            rx.el.input(id="hand-over-name", name="confirmation", class_name="input", auto_complete="off"),
            rx.el.p(TeamState.errors.get("confirmation", ""), class_name="field-error", role="alert"),
            class_name="field",
        ),
        before=breaks("They become an owner and you an admin.", "Only they, or another owner, can undo it."),
        state=TeamState,
        id=TRANSFER,
        does="Hand over",
        on_submit=TeamState.transfer,
        variant="deadly",
    )
