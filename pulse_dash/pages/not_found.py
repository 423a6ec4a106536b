"""What stands at an address of ours that has no page."""

from __future__ import annotations

import reflex as rx

from pulse_dash.components.buttons import button_class
from pulse_dash.components.links import plain_link
from pulse_dash.components.logo import logo


def page() -> rx.Component:
    """Any path that is no page."""
    return rx.el.main(
        logo(),
        rx.el.h1("There is nothing here"),
        rx.el.p("The address may be mistyped, or what stood here was deleted."),
        plain_link("Go to the dashboard", href="/", class_name=button_class("primary")),
        class_name="lost",
    )
