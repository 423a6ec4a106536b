"""How a dotted path leads through documents and arrays, as MongoDB walks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

MISSING: Final = object()
"""Stands for what a path does not find."""


def reached(document: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Every value at the end of the path, MISSING where a branch breaks off.

    An array on the way is walked element by element and, where the path names a number, by position; an array at
    the end is answered as it is."""
    if "." not in path:
        yield document.get(path, MISSING)
    else:
        yield from _walk(document, path.split("."), 0)


def _walk(value: Any, names: list[str], at: int) -> Iterator[Any]:
    if at == len(names):
        yield value
    elif isinstance(value, Mapping):
        yield from _walk(cast("Mapping[str, Any]", value).get(names[at], MISSING), names, at + 1)
    elif isinstance(value, list):
        elements = cast("list[Any]", value)
        if names[at].isdigit() and int(names[at]) < len(elements):
            yield from _walk(elements[int(names[at])], names, at + 1)
        for element in elements:
            if isinstance(element, Mapping):
                yield from _walk(cast("Mapping[str, Any]", element), names, at)
    else:
        yield MISSING
