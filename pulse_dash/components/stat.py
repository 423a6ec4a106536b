"""A figure with its label, its unit and what it is compared with."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.components.icons import icon
from pulse_dash.components.states import bone


def stat(icon_name: str, label: str, figure: Any, note: Any, *, loaded: Any) -> rx.Component:
    """Values change in place; readers hear the figure when it does."""
    return rx.el.section(
        rx.el.h2(icon(icon_name), label, class_name="stat-label"),
        rx.el.p(
            rx.cond(loaded, rx.el.span(figure), bone("bone-figure")),
            class_name="stat-figure",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.el.div(rx.cond(loaded, note, bone("bone-short")), class_name="stat-note"),
        class_name="card stat",
    )
