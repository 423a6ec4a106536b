"""Asking for a link that sets a new password."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, email_field, other_way, submit


def page() -> rx.Component:
    """/forgot"""
    return door(
        "Forgot your password?",
        "We mail you a link that sets a new one.",
        email_field(first=True),
        submit("Send the link"),
        action="/session/forgot",
        beneath=other_way("Remembered it?", "Sign in", "/login"),
    )
