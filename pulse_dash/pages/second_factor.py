"""The code after the password: a native form, like the one before it; the challenge lies in a cookie beside it."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, hidden_next, other_way, submit
from pulse_dash.components.fields import field


def page() -> rx.Component:
    """/second-factor"""
    return door(
        "Enter your code",
        "Your authenticator app shows it. A recovery code works too.",
        field(
            "Code",
            id="code",
            name="code",
            auto_complete="one-time-code",
            auto_focus=True,
            required=True,
            max_length=64,
            class_name="input input-mono",
            hint="Lost both? Whoever runs this Pulse can reset your second factor.",
            says={"missing": "Enter the code."},
            custom_attrs={"autoCapitalize": "none", "spellCheck": "false"},
        ),
        hidden_next(),
        submit("Sign in"),
        action="/session/second-factor",
        beneath=other_way("Not you?", "Begin again", "/login"),
    )
