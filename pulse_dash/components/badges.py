"""States as words with a colour: icon, colour and word from one table, so that an unknown one is visible."""

from __future__ import annotations

from typing import Any

import reflex as rx

# tone → class. The State sends tone and word; a tone that is not here stays grey and keeps its word.
_TONES = ("good", "warn", "bad")


def badge(word: Any, tone: Any) -> rx.Component:
    """A state; `tone` may come from a State."""
    if isinstance(tone, str):
        return rx.el.span(word, class_name=f"badge badge-{tone}" if tone in _TONES else "badge")
    classes = rx.match(tone, *((known, f"badge badge-{known}") for known in _TONES), "badge")
    return rx.el.span(word, class_name=classes)


def tag(word: Any) -> rx.Component:
    """A word without a state."""
    return rx.el.span(word, class_name="badge badge-plain")
