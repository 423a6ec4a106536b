"""The one icon set: lucide at 16 px and 1.75 stroke, set by the stylesheet. It knows no meaning of its own."""

from __future__ import annotations

import reflex as rx


def icon(name: str, *, also: str = "") -> rx.Component:
    """An icon that readers skip; the words beside it, or the button's label, say what it means."""
    return rx.icon(name, class_name=f"icon {also}".strip())
