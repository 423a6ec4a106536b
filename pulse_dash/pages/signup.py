"""Creating an account with its first organization."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, email_field, hidden_next, new_password_field, other_way, submit
from pulse_dash.components.fields import field


def page() -> rx.Component:
    """/signup"""
    return door(
        "Create an account",
        "One account, one organization, as many projects as you like.",
        field(
            "Your name",
            id="name",
            name="name",
            auto_complete="name",
            auto_focus=True,
            required=True,
            max_length=128,
            says={"missing": "Enter your name."},
        ),
        email_field(),
        new_password_field(),
        field(
            "Organization name",
            id="organization_name",
            name="organization_name",
            auto_complete="organization",
            required=True,
            max_length=128,
            says={"missing": "Name your organization; it can be changed later."},
        ),
        hidden_next(),
        submit("Create account"),
        action="/session/signup",
        beneath=other_way("Have an account?", "Sign in", "/login"),
    )
