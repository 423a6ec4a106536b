"""Times as people say them, exact on hover; assets/react/time.jsx keeps them fresh."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx


class _PulseTime(rx.Component):
    library = "$/public/react/time.jsx"
    tag = "PulseTime"

    iso: rx.Var[str]
    how: rx.Var[str]


class _PulseGreeting(rx.Component):
    library = "$/public/react/time.jsx"
    tag = "PulseGreeting"


def moment(iso: Any, *, how: Literal["relative", "day", "clock"] = "relative") -> rx.Component:
    """`iso` is UTC ISO 8601; empty shows nothing."""
    return _PulseTime.create(iso=iso, how=how)


def greeting() -> rx.Component:
    """Good morning, afternoon or evening by the visitor's clock."""
    return _PulseGreeting.create()
