"""Times as people say them, exact on hover; the element itself lives in assets/pulse.js and keeps them fresh."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx


class _PulseTime(rx.Component):
    tag = "pulse-time"
    _is_tag_in_global_scope = True


class _PulseGreeting(rx.Component):
    tag = "pulse-greeting"
    _is_tag_in_global_scope = True


def moment(iso: Any, *, how: Literal["relative", "day"] = "relative") -> rx.Component:
    """`iso` is UTC ISO 8601; empty shows nothing."""
    return _PulseTime.create(custom_attrs={"datetime": iso, "data-as": how})


def greeting() -> rx.Component:
    """Good morning, afternoon or evening by the visitor's clock."""
    return _PulseGreeting.create()
