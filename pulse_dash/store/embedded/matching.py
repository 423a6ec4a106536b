"""Whether a document fits a filter of the subset, which fields of it are brought, and how it is sorted.

A filter is made into a function once and then asked for each candidate. Filters come checked by subset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from pulse_dash.store.embedded.order import keys_of, ordered, type_of
from pulse_dash.store.embedded.paths import MISSING, reached
from pulse_dash.store.engine import Document

Matches = Callable[[Mapping[str, Any]], bool]
_Test = Callable[[Any], bool]


def matcher(filter: Mapping[str, Any]) -> Matches:
    """A function that tells whether a document fits."""
    tests = [_clause(name, condition) for name, condition in filter.items()]
    if not tests:
        return lambda _: True
    if len(tests) == 1:
        return tests[0]
    return lambda document: all(test(document) for test in tests)


def _clause(name: str, condition: Any) -> Matches:
    if name == "$and":
        every = [matcher(each) for each in condition]
        return lambda document: all(test(document) for test in every)
    if name == "$or":
        some = [matcher(each) for each in condition]
        return lambda document: any(test(document) for test in some)
    if not isinstance(condition, Mapping):
        return _equals(name, condition)
    conditions = cast("Mapping[str, Any]", condition)
    tests = [
        _condition(name, operator, operand, conditions)
        for operator, operand in conditions.items()
        if operator != "$options"
    ]
    return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)


def _condition(path: str, operator: str, operand: Any, beside: Mapping[str, Any]) -> Matches:
    match operator:
        case "$eq":
            return _equals(path, operand)
        case "$in":
            return _among(path, operand)
        case "$ne" | "$nin" | "$not":
            return _unless(_clause(path, operand if operator == "$not" else {_POSITIVE[operator]: operand}))
        case "$exists":
            return _exists(path) if operand else _unless(_exists(path))
        case "$size":
            return _some(path, _has_size(operand), False)
        case "$elemMatch":
            return _some(path, _has_element(matcher(operand)), False)
        case "$regex":
            return _some(path, _holds_text(operand, beside), True)
        case _:
            return _some(path, _compares(operator, operand), True)


_POSITIVE: Final = {"$ne": "$eq", "$nin": "$in"}


def _unless(test: Matches) -> Matches:
    return lambda document: not test(document)


def _equals(path: str, wanted: Any) -> Matches:
    if wanted is None:
        return lambda document: any(_is_nothing(value) for value in reached(document, path))
    if isinstance(wanted, str) and "." not in path:

        def is_text(document: Mapping[str, Any]) -> bool:
            value = document.get(path)
            return value == wanted or (isinstance(value, list) and wanted in value)

        return is_text
    key = ordered(wanted)
    return _some(path, lambda value: _is_scalar(value) and ordered(value) == key, True)


def _among(path: str, wanted: list[Any]) -> Matches:
    nothing_too = any(each is None for each in wanted)
    keys = {ordered(each) for each in wanted if each is not None}
    some = _some(path, lambda value: _is_scalar(value) and value is not None and ordered(value) in keys, True)
    if not nothing_too:
        return some
    nothing = _equals(path, None)
    return lambda document: some(document) or nothing(document)


def _exists(path: str) -> Matches:
    return lambda document: any(value is not MISSING for value in reached(document, path))


def _compares(operator: str, bound: Any) -> _Test:
    """Only values of the bound's own type are compared: no text is greater than a number."""
    key = ordered(bound)
    kind, compare = type_of(key), _COMPARISONS[operator]

    def holds(value: Any) -> bool:
        if not _is_scalar(value):
            return False
        own = ordered(value)
        return type_of(own) == kind and compare(own, key)

    return holds


_COMPARISONS: Final[Mapping[str, Callable[[bytes, bytes], bool]]] = {
    "$gt": lambda one, other: one > other,
    "$gte": lambda one, other: one >= other,
    "$lt": lambda one, other: one < other,
    "$lte": lambda one, other: one <= other,
}


def _holds_text(pattern: str, beside: Mapping[str, Any]) -> _Test:
    found = re.compile(pattern, re.IGNORECASE if beside.get("$options") == "i" else 0).search
    return lambda value: isinstance(value, str) and found(value) is not None


def _has_size(size: int) -> _Test:
    return lambda value: isinstance(value, list) and len(cast("list[Any]", value)) == size


def _has_element(test: Matches) -> _Test:
    def has(value: Any) -> bool:
        if not isinstance(value, list):
            return False
        return any(isinstance(each, Mapping) and test(cast("Document", each)) for each in cast("list[Any]", value))

    return has


def _some(path: str, test: _Test, elements: bool) -> Matches:
    """Whether any value at the path passes, an array's elements counted as values where `elements` says so."""

    def some(document: Mapping[str, Any]) -> bool:
        for value in reached(document, path):
            if value is MISSING:
                continue
            if test(value):
                return True
            if elements and isinstance(value, list) and any(test(each) for each in cast("list[Any]", value)):
                return True
        return False

    return some


def _is_nothing(value: Any) -> bool:
    return value is MISSING or value is None or (isinstance(value, list) and None in value)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def sort_key(document: Mapping[str, Any], sort: list[tuple[str, int]]) -> bytes:
    """Where the document stands in that order; of an array counts the element that comes first."""
    return b"".join(min(keys_of(document, [field], "sort")[0]) for field in sort)


def projected(document: Document, fields: Mapping[str, int] | None) -> Document:
    """Only the fields that are asked for, or all but those that are left out. May take the document apart."""
    if fields is None:
        return document
    named = {path: way for path, way in fields.items() if path != "_id"}
    brings = next(iter(named.values()), None)
    if brings is None:
        brings = fields.get("_id", 1)
    chosen = _brought(document, list(named)) if brings else _left(document, list(named))
    if fields.get("_id", 1):
        return {"_id": document["_id"], **chosen}
    chosen.pop("_id", None)
    return chosen


def _brought(document: Mapping[str, Any], paths: list[str]) -> Document:
    chosen: Document = {}
    for name, deeper in _by_first(paths).items():
        if name not in document:
            continue
        value = document[name]
        if deeper is None:
            chosen[name] = value
        elif (part := _within(value, lambda each, paths=deeper: _brought(each, paths), False)) is not MISSING:
            chosen[name] = part
    return chosen


def _left(document: Mapping[str, Any], paths: list[str]) -> Document:
    leaving = _by_first(paths)
    kept: Document = {}
    for name, value in document.items():
        if name not in leaving:
            kept[name] = value
        elif (deeper := leaving[name]) is not None:
            kept[name] = _within(value, lambda each, paths=deeper: _left(each, paths), True)
    return kept


def _within(value: Any, choose: Callable[[Document], Document], keep_others: bool) -> Any:
    """The choice made inside a document, or inside each document of an array."""
    if isinstance(value, Mapping):
        return choose(cast("Document", value))
    if isinstance(value, list):
        inside = [_within(each, choose, keep_others) for each in cast("list[Any]", value)]
        return [each for each in inside if each is not MISSING]
    return value if keep_others else MISSING


def _by_first(paths: list[str]) -> dict[str, list[str] | None]:
    """The paths by their first name; None where the name itself is meant."""
    deeper: dict[str, list[str] | None] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if not rest:
            deeper[first] = None
        elif (known := deeper.setdefault(first, [])) is not None:
            known.append(rest)
    return deeper
