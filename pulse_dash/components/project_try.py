"""The Try it tab: mint a token as a server would, read what it allows, and join the room with it from here."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import tag
from pulse_dash.components.buttons import button, button_class, copy_icon, copy_text
from pulse_dash.components.code import samples
from pulse_dash.components.fields import field
from pulse_dash.components.icons import icon
from pulse_dash.components.join import join_room
from pulse_dash.components.links import plain_link
from pulse_dash.components.project_passport import passport_card
from pulse_dash.components.states import bone, empty, not_offered, notice
from pulse_dash.components.times import moment
from pulse_dash.state.project import ProjectState
from pulse_dash.state.try_it import TryState


def try_tab() -> rx.Component:
    """From a name to a participant."""
    return rx.cond(
        ProjectState.loaded & ~ProjectState.may.create_tokens,
        not_offered(
            "Your role does not mint tokens",
            "Who has a token is in the room. A developer, an admin or an owner of the organization tries it here.",
        ),
        _try(),
    )


def _try() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(
                ProjectState.loaded,
                _mint(),
                rx.el.section(bone("bone-title"), bone("bone-line"), class_name="card stack try-bones"),
            ),
            rx.cond(TryState.token != "", _token()),
            class_name="stack",
        ),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    TryState.own_livekit & (TryState.token != "") & ~TryState.may_join_own,
                    _elsewhere(),
                    join_room(_not_yet(), url=TryState.url, token=TryState.token, room=TryState.room),
                ),
                class_name="join-place",
            ),
            rx.cond(
                TryState.token != "",
                samples(
                    "The same from your server",
                    TryState.samples,
                    rx.el.p("The secret comes from the environment, never from the code.", class_name="small quiet"),
                    name="try-language",
                ),
            ),
            rx.cond(ProjectState.may.validate_tokens, passport_card()),
            class_name="stack",
        ),
        class_name="try",
    )


def _mint() -> rx.Component:
    refused = TryState.errors
    return rx.el.section(
        rx.el.div(rx.el.h2("Mint a token"), class_name="card-head"),
        rx.el.form(
            rx.cond(refused.contains(""), notice(refused[""], tone="bad", role="alert")),
            rx.el.div(
                field(
                    "Room",
                    id="try-room",
                    name="room",
                    default_value="lobby",
                    error=refused.get("room", ""),
                    required=True,
                    max_length=128,
                    auto_complete="off",
                    says={"missing": "Name a room; it is made when somebody joins."},
                ),
                field(
                    "Identity",
                    id="try-identity",
                    name="identity",
                    default_value="ada",
                    error=refused.get("identity", ""),
                    required=True,
                    max_length=128,
                    auto_complete="off",
                    says={"missing": "Who joins; each identity is in a room once."},
                ),
                class_name="pair",
            ),
            rx.el.label(
                rx.el.input(type="checkbox", name="publish", default_checked=True),
                "May speak and show video",
                class_name="check",
            ),
            rx.el.div(button("Mint a token", variant="primary", icon_name="key-round", type="submit")),
            on_submit=TryState.mint,
            class_name="stack",
            no_validate=True,
            custom_attrs={"data-checked": ""},
        ),
        class_name="card",
    )


def _token() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Token"),
            rx.el.span("expires ", moment(TryState.expires_at), class_name="small quiet push"),
            rx.el.span(copy_icon(TryState.token, "the token"), class_name="samples-copy"),
            class_name="card-head",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.pre(
                    rx.el.code(TryState.token),
                    class_name="code code-wraps",
                    tab_index=0,
                    custom_attrs={"aria-label": "The minted token"},
                ),
            ),
            rx.el.dl(
                rx.el.dt("May"),
                rx.el.dd(
                    rx.el.ul(rx.foreach(TryState.grants, lambda words: rx.el.li(tag(words))), class_name="grants")
                ),
                rx.el.dt("Who"),
                rx.el.dd(rx.el.bdi(TryState.identity)),
                rx.el.dt("Room"),
                rx.el.dd(rx.el.bdi(TryState.room)),
                rx.el.dt("On LiveKit"),
                rx.el.dd(copy_text(TryState.livekit_room, "LiveKit's name of the room")),
                rx.el.dt("Address"),
                rx.el.dd(copy_text(TryState.url, "LiveKit's address")),
                class_name="facts",
            ),
            class_name="stack",
        ),
        class_name="card",
        custom_attrs={"aria-live": "polite"},
    )


def _not_yet() -> rx.Component:
    return rx.el.section(
        empty(
            "video",
            "Join from this page",
            "Mint a token, and a button here joins the room with LiveKit's own web client. "
            "Open this page twice with two identities to hear yourself.",
            small=True,
        ),
        class_name="card",
    )


def _elsewhere() -> rx.Component:
    return rx.el.section(
        empty(
            "video",
            "This token leads to the project's own LiveKit",
            "This page may connect to the installation's alone. One that may connect to yours opens beside it.",
            plain_link(
                icon("external-link"),
                "Open a page that may join",
                href="?tab=try&livekit=own",
                target="_blank",
                class_name=button_class(),
            ),
            small=True,
        ),
        class_name="card",
    )
