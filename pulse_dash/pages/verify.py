"""Proving an address with a link that was mailed."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.door import door, hidden_token, other_way, submit


def page() -> rx.Component:
    """/verify"""
    return door(
        "Confirm your address",
        "Then you can invite people and accept invitations.",
        hidden_token(),
        submit("Confirm this address"),
        action="/session/verify",
        beneath=other_way("All done?", "Go to the dashboard", "/"),
    )
