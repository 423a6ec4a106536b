"""Signing in: a native form, so that a password manager and a browser without our script work too."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, email_field, hidden_next, other_way, submit
from pulse_dash.components.fields import field
from pulse_dash.components.links import plain_link


def page() -> rx.Component:
    """/login"""
    return door(
        "Welcome back",
        "Sign in to your control plane.",
        email_field(first=True),
        field(
            "Password",
            id="password",
            name="password",
            type="password",
            auto_complete="current-password",
            required=True,
            max_length=128,
            says={"missing": "Enter your password."},
            beside=plain_link("Forgotten?", href="/forgot", class_name="link", custom_attrs={"data-carries-next": ""}),
        ),
        hidden_next(),
        submit("Sign in"),
        action="/session/login",
        beneath=other_way("New here?", "Create an account", "/signup"),
    )
