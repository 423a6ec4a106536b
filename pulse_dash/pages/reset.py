"""Setting a new password with a link that was mailed."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, hidden_token, new_password_field, other_way, submit


def page() -> rx.Component:
    """/reset"""
    return door(
        "Choose a new password",
        "It signs you out everywhere, on every device.",
        new_password_field(),
        hidden_token(),
        submit("Set the password"),
        action="/session/reset",
        beneath=other_way("The link does not work?", "Ask for another", "/forgot"),
    )
