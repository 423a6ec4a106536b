"""The Development tokens card: what a key opens without its secret, its warning, and the switch."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.badges import badge, tag
from pulse_dash.components.buttons import button
from pulse_dash.components.dialog import breaks, form_dialog
from pulse_dash.components.fields import field
from pulse_dash.components.states import notice
from pulse_dash.state.project import ProjectState

_ON = "development-tokens"


def development_card() -> rx.Component:
    """Off by default."""
    prefix = ProjectState.development_prefix
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Development tokens"),
            rx.cond(prefix != "", badge("On", "warn"), tag("Off")),
            class_name="card-head",
        ),
        rx.el.div(
            rx.cond(
                prefix != "",
                notice(
                    rx.el.strong("Whoever sees an API key of this project can join its development rooms."),
                    rx.el.span(
                        "Rooms that begin with ",
                        rx.el.code(prefix),
                        ", as a guest with a random identity, for 15 minutes; 60 tokens a minute and 1,000 a day in "
                        "all. Switch it off before real people come.",
                    ),
                    tone="warn",
                ),
                rx.el.p(
                    "A page that is being built can join a room with the API key alone, before it has a server. "
                    "Everybody who sees the key can do the same, so this is off until you need it.",
                    class_name="quiet prose",
                ),
            ),
            rx.cond(
                ProjectState.may.change_projects,
                rx.el.div(
                    rx.cond(
                        prefix != "",
                        button("Switch off", on_click=ProjectState.switch_off),
                        button("Switch on…", opens=_ON),
                    )
                ),
            ),
            class_name="stack",
        ),
        form_dialog(
            "Switch on development tokens",
            field(
                "Rooms begin with",
                id="development-prefix",
                name="room_prefix",
                default_value="dev-",
                error=ProjectState.errors.get("development_tokens.room_prefix", ""),
                required=True,
                max_length=32,
                auto_complete="off",
                hint="A key alone opens no other rooms.",
                says={"missing": "Choose how these rooms begin."},
                custom_attrs={"data-first": ""},
            ),
            before=breaks(
                "Every API key of this project mints tokens without its secret, within a second.",
                "A key that stands in a page is seen by everybody who opens the page.",
                "Keys with their secret go on as before.",
            ),
            state=ProjectState,
            id=_ON,
            does="Switch on",
            on_submit=ProjectState.switch_on,
        ),
        class_name="card",
    )
