"""A mark in what must not appear out of sight: once, when it is drawn, what it stands in comes into view."""

from __future__ import annotations

import reflex as rx


class _Reveal(rx.Component):
    library = "$/public/react/reveal.jsx"
    tag = "Reveal"


def reveal() -> rx.Component:
    """Stands as a child in what is brought into view."""
    return _Reveal.create()
