"""The named part of MongoDB's language that Pulse asks, checked when a call is made, on every engine.

It knows operators, paths and values, and answers a copy with moments in UTC milliseconds. What an engine
outside the subset might answer wrongly is never asked: no aggregation, no `$where`, no `$expr`.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeGuard

from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.store.engine import Document, Filter, Projection, Sort, Update

LOGICAL: Final = frozenset({"$and", "$or"})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_DEEPEST = 50


class OutsideSubset(TypeError):
    """A query or an update that Pulse does not ask of its store. It is our own mistake, never a caller's."""


class Unserved(OutsideSubset):
    """A question that no declared index answers. Small collections hide it, so tests refuse it at any size."""


def containing(text: str) -> dict[str, Any]:
    """The condition of a field in which `text` stands, whatever its case."""
    return {"$regex": re.escape(text), "$options": "i"}


def starting_with(text: str) -> dict[str, Any]:
    """The condition of a field that begins with exactly `text`."""
    return {"$regex": "^" + re.escape(text)}


def checked_document(document: Mapping[str, Any]) -> Document:
    """A document to insert. Raises Invalid for keys and values that cannot be kept."""
    if not isinstance(document.get("_id"), str) or not document["_id"]:
        raise OutsideSubset("A document is inserted with an _id that is a text.")
    return _mapping(document, "", 0)


def checked_filter(filter: Filter) -> dict[str, Any]:
    if not _is_mapping(filter):
        raise OutsideSubset("A filter is a mapping.")
    return {name: _clause(name, condition) for name, condition in filter.items()}


def checked_change(change: Update) -> Update:
    """Filter and update of one write. An upsert names its _id, so that two that race for it meet there
    and no engine makes an id up."""
    if change.upsert and not isinstance(change.filter.get("_id"), str):
        raise OutsideSubset("An upsert names the _id in its filter.")
    return Update(checked_filter(change.filter), checked_update(change.update), change.upsert)


def checked_update(update: Mapping[str, Any]) -> dict[str, Any]:
    if not _is_mapping(update) or not update:
        raise OutsideSubset("An update is a mapping of operators and is not empty; pipelines are not asked.")
    paths: list[str] = []
    checked: dict[str, Any] = {}
    for operator, fields in update.items():
        if operator not in UPDATES:
            raise OutsideSubset(f"{operator} is not among the updates: {', '.join(sorted(UPDATES))}.")
        if not _is_mapping(fields):
            raise OutsideSubset(f"{operator} takes a mapping of fields.")
        if not fields:
            continue
        for path in fields:
            _path(path)
            if path.partition(".")[0] == "_id" and operator != "$setOnInsert":
                raise OutsideSubset("An _id is never changed.")
        paths.extend(fields)
        checked[operator] = {path: _UPDATERS[operator](value, path) for path, value in fields.items()}
    _refuse_overlap(paths)
    if not checked:
        raise OutsideSubset("An update names at least one field.")
    return checked


def checked_projection(projection: Projection | None) -> dict[str, int] | None:
    """Fields to bring (or to leave out), in one form. `_id` is brought unless it is left out by name."""
    if projection is None:
        return None
    if isinstance(projection, str):
        raise OutsideSubset("A projection is a mapping or a list of fields.")
    wanted = dict(projection) if _is_mapping(projection) else dict.fromkeys(projection, 1)
    for path, way in wanted.items():
        _path(path)
        if way not in (0, 1):
            raise OutsideSubset("A projection says 1 or 0 for a field; operators are not asked.")
    if len({bool(way) for path, way in wanted.items() if path != "_id"}) > 1:
        raise OutsideSubset("A projection brings fields or leaves fields out, not both.")
    return {path: int(way) for path, way in wanted.items()} or {"_id": 1}


def checked_sort(sort: Sort | None) -> list[tuple[str, int]] | None:
    if sort is None:
        return None
    for pair in sort:
        if not _is_list(pair) or len(pair) != 2 or pair[1] not in (1, -1):
            raise OutsideSubset("A sort is a list of (field, 1 or -1).")
        _path(pair[0])
    return [(path, way) for path, way in sort] or None


def checked_window(skip: int, limit: int) -> tuple[int, int]:
    if skip < 0 or limit < 0:
        raise OutsideSubset("skip and limit are not negative; a limit of 0 is none.")
    return skip, limit


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


# --- filters


def _clause(name: str, condition: Any) -> Any:
    if name in LOGICAL:
        if not _is_list(condition) or not condition:
            raise OutsideSubset(f"{name} takes a list of filters that is not empty.")
        return [checked_filter(each) for each in condition]
    if str(name).startswith("$"):
        raise OutsideSubset(f"{name} is not asked; of the logical operators only $and and $or are.")
    _path(name)
    return _condition(condition, name)


def _condition(condition: Any, path: str) -> Any:
    if not _is_mapping(condition):
        return _scalar(condition, path)
    # An embedded document as a value compares by the order of its keys in MongoDB; we never mean that.
    if not condition or not all(isinstance(name, str) and name.startswith("$") for name in condition):
        raise OutsideSubset(f"{path} is compared with values and operators, not with a document.")
    unknown = set(condition) - CONDITIONS
    if unknown:
        raise OutsideSubset(f"{sorted(unknown)} are not among the conditions: {', '.join(sorted(CONDITIONS))}.")
    if "$options" in condition and "$regex" not in condition:
        raise OutsideSubset("$options stands beside $regex only.")
    return {operator: _OPERANDS[operator](operand, path) for operator, operand in condition.items()}


def _compared(operand: Any, path: str) -> Any:
    if operand is None:
        raise OutsideSubset(f"{path} is ordered against a value, not against null.")
    return _scalar(operand, path)


def _listed(operand: Any, path: str) -> Any:
    if not _is_list(operand):
        raise OutsideSubset("$in and $nin take a list.")
    return [_scalar(each, path) for each in operand]


def _existence(operand: Any, path: str) -> Any:
    if not isinstance(operand, bool):
        raise OutsideSubset(f"$exists takes True or False for {path}.")
    return operand


def _size(operand: Any, path: str) -> Any:
    if type(operand) is not int or operand < 0:
        raise OutsideSubset(f"$size takes a number of elements for {path}.")
    return operand


def _negated(operand: Any, path: str) -> Any:
    if not _is_mapping(operand) or set(operand) & {"$not", "$regex", "$options", "$elemMatch"}:
        raise OutsideSubset("$not takes a condition of comparisons, and is not nested.")
    return _condition(operand, path)


def _element(operand: Any, path: str) -> Any:
    if not _is_mapping(operand) or not operand or any(str(name).startswith("$") for name in operand):
        raise OutsideSubset(f"$elemMatch takes fields of the elements of {path}.")
    return checked_filter(operand)


def _pattern(operand: Any, path: str) -> str:
    """Plain text, escaped, with or without `^` in front: nobody's search is a program."""
    if not isinstance(operand, str) or "\0" in operand:
        raise OutsideSubset("$regex takes a text without NUL.")
    if not re.fullmatch(r"\^?(?:\\[^0-9A-Za-z_]|[^\\.^$*+?{}\[\]|()])*", operand, re.DOTALL):
        raise OutsideSubset("$regex takes escaped text, made by subset.containing or subset.starting_with.")
    return _text(operand, path)


def _options(operand: Any, path: str) -> Any:
    if operand != "i":
        raise OutsideSubset(f"$options takes i for {path}.")
    return operand


def _scalar(value: Any, path: str) -> Any:
    if isinstance(value, Mapping | list | tuple | set | frozenset | re.Pattern):
        raise OutsideSubset(f"{path} is compared with single values.")
    return _value(value, path, 0)


_OPERANDS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "$eq": _scalar,
    "$ne": _scalar,
    "$gt": _compared,
    "$gte": _compared,
    "$lt": _compared,
    "$lte": _compared,
    "$in": _listed,
    "$nin": _listed,
    "$exists": _existence,
    "$not": _negated,
    "$size": _size,
    "$elemMatch": _element,
    "$regex": _pattern,
    "$options": _options,
}
CONDITIONS: Final = frozenset(_OPERANDS)


# --- updates


def _pushed(value: Any, path: str) -> Any:
    if _is_mapping(value) and "$each" in value:
        if set(value) != {"$each"} or not _is_list(value["$each"]):
            raise OutsideSubset("$each takes a list and no other modifier.")
        return {"$each": [_value(each, path, 1) for each in value["$each"]]}
    return _value(value, path, 0)


def _pulled(value: Any, path: str) -> Any:
    """A value, or the fields of the elements that go."""
    if not _is_mapping(value):
        return _scalar(value, path)
    if not value or any(str(name).startswith("$") for name in value):
        raise OutsideSubset("$pull takes a value or fields of the element.")
    return checked_filter(value)


def _increment(value: Any, path: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OutsideSubset("$inc takes a number.")
    return _value(value, path, 0)


def _server_moment(value: Any, path: str) -> Any:
    if value is not True:
        raise OutsideSubset(f"$currentDate takes True for {path}.")
    return value


def _stored(value: Any, path: str) -> Any:
    return _value(value, path, 0)


def _nothing(value: Any, path: str) -> Any:
    if value not in ("", 1, True):
        raise OutsideSubset(f"$unset takes an empty text for {path}.")
    return ""


_UPDATERS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "$set": _stored,
    "$setOnInsert": _stored,
    "$unset": _nothing,
    "$inc": _increment,
    "$max": _compared,
    "$min": _compared,
    "$push": _pushed,
    "$pull": _pulled,
    "$addToSet": _pushed,
    "$currentDate": _server_moment,
}
UPDATES: Final = frozenset(_UPDATERS)


def _refuse_overlap(paths: Sequence[str]) -> None:
    """MongoDB refuses two operators on one place; a file would take the last."""
    seen = sorted(path + "." for path in paths)
    for earlier, later in itertools.pairwise(seen):
        if later.startswith(earlier):
            raise OutsideSubset(f"Two operators of one update change {earlier.rstrip('.')}.")


# --- paths and values


def _path(path: Any) -> None:
    if not isinstance(path, str) or not path or "\0" in path:
        raise OutsideSubset("A field is named by a text that is not empty.")
    for part in path.split("."):
        if not part or part.startswith("$"):
            raise OutsideSubset(f"{path} is not a path of names; positional operators are not asked.")


def _value(value: Any, path: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise _refused(path, "is a number over 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(path, "is not a finite number")
        return value
    if isinstance(value, datetime):
        return _moment(value, path)
    if isinstance(value, bytes):
        return value
    if _is_mapping(value):
        return _mapping(value, path + ".", depth + 1)
    if _is_list(value):
        if depth >= _DEEPEST:
            raise _refused(path, "is nested too deeply")
        return [_value(each, path, depth + 1) for each in value]
    raise OutsideSubset(f"{path} holds a {type(value).__name__}, which the store does not keep.")


def _mapping(value: Mapping[str, Any], prefix: str, depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        raise _refused(prefix, "is nested too deeply")
    for name in value:
        _expect_text(name)
        if not name or name.startswith("$") or "." in name or "\0" in name:
            raise _refused(prefix.rstrip("."), "has a key that is empty or holds $ in front, a dot or NUL")
        _text(name, prefix)
    return {name: _value(each, prefix + name, depth) for name, each in value.items()}


def _expect_text(name: object) -> None:
    if not isinstance(name, str):
        raise OutsideSubset("Names of fields are texts.")


def _text(value: str, path: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _refused(path, "is no Unicode text") from error
    # An enum of texts is kept as its text.
    return str.__str__(value)


def _moment(value: datetime, path: str) -> datetime:
    if value.tzinfo is None:
        raise OutsideSubset(f"{path} is a moment without a zone.")
    utc = value.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _refused(path: str, why: str) -> Invalid:
    error = FieldError(path.rstrip("."), f"It {why}.")
    return Invalid(error, detail="The document holds something that cannot be stored.")
