"""Reading what a form sent: the browser's own words, so each field is taken as bounded text or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pulse_dash.core.errors import FieldError, Invalid

MOST_CHARACTERS = 512


def text(form: Mapping[str, Any], name: str, *, most: int = MOST_CHARACTERS) -> str:
    """The field as text; what is no text is empty, and core says what is wrong with that."""
    value = form.get(name)
    return value[: most + 1] if isinstance(value, str) else ""


def confirmed(form: Mapping[str, Any], name: str) -> None:
    """For what can't be undone: the name was typed. Raises Invalid."""
    if text(form, "confirmation").strip() != name.strip():
        raise Invalid(FieldError("confirmation", "Type the name exactly as it stands above."))


def iso(time: datetime | None) -> str:
    """A time as pages take it; empty when there is none."""
    return "" if time is None else time.isoformat()


def initials(name: str) -> str:
    """One or two letters that stand for a name beside it."""
    words = [word for word in name.split() if word]
    letters = [
        next((character for character in word if character.isalnum()), "")
        for word in (words[:1] + words[-1:] if len(words) > 1 else words)
    ]
    return "".join(letters).upper() or "·"
