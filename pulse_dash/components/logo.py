"""Pulse's mark, and the wave of the sign-in panel. The gradient lives in the two SVG files, nowhere in a page."""

from __future__ import annotations

import reflex as rx


def logo() -> rx.Component:
    """The mark alone; the name stands beside it as text."""
    return rx.el.img(src="/logo.svg", alt="", class_name="logo", custom_attrs={"width": "28", "height": "28"})


def wave() -> rx.Component:
    """The heartbeat on the sign-in panel; it draws itself once, and not at all with reduced motion."""
    return rx.el.img(src="/wave.svg", alt="", class_name="wave", custom_attrs={"width": "548", "height": "192"})
