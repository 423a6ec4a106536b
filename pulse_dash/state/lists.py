"""What lists in the address have in common: which page is asked for, how the address of another one is written."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, Protocol
from urllib.parse import urlencode

import reflex as rx

from pulse_dash.core.names import has_controls
from pulse_dash.state.forms import MOST_CHARACTERS

PAGE_SIZE = 12
MOST_PAGES = 10_000
# Python refuses to read a number of thousands of digits.
_MOST_DIGITS = 9


class Found(Protocol):
    """One page of a list, as core answers it."""

    @property
    def items(self) -> Sized: ...
    @property
    def page(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def total(self) -> int: ...


def asked_page(query: Mapping[str, str]) -> int:
    """The page that the address names; the first where it names none."""
    page = query.get("page", "1")
    number = int(page[:_MOST_DIGITS]) if page.isascii() and page.isdigit() else 1
    return max(1, min(number, MOST_PAGES))


def asked_search(query: Mapping[str, str]) -> str:
    """What the address looks for; what nobody can type is not looked for."""
    return "".join(letter for letter in query.get("search", "")[:MOST_CHARACTERS] if not has_controls(letter))


def asked_choice(query: Mapping[str, str], name: str, choices: Mapping[str, Any]) -> str:
    """One of the choices, or none: whatever else stands in an address is nobody's."""
    asked = query.get(name, "")
    return asked if asked in choices else ""


def pages_of(found: Found) -> int:
    """How many pages the whole list has."""
    return max(1, -(-found.total // found.limit))


def showing(found: Found) -> str:
    """Which of the items are on the screen."""
    first = (found.page - 1) * found.limit + 1
    return f"{first:,} to {first + len(found.items) - 1:,} of {found.total:,}" if found.items else ""


def list_at(path: str, *, page: int | None = None, **asked: str) -> object:
    """The address of that list; typing replaces its own steps, turning to a `page` is a step to come back from."""
    said: dict[str, Any] = {name: value.strip() for name, value in asked.items() if value.strip()}
    if page is not None and page > 1:
        said["page"] = min(page, MOST_PAGES)
    query = urlencode(said)
    return rx.redirect(f"{path}?{query}" if query else path, replace=page is None)
