"""What an update of the subset makes of a document. Updates come checked; indexes and types are not asked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.store.embedded.matching import matcher
from pulse_dash.store.embedded.order import ordered
from pulse_dash.store.embedded.paths import MISSING
from pulse_dash.store.engine import Document

_LARGEST = 2**63 - 1


def updated(document: Document, update: Mapping[str, Any], *, now: datetime, inserts: bool = False) -> Document:
    """The document with the update made in it; `inserts` says that an upsert makes it just now. Raises Invalid."""
    for operator, fields in update.items():
        if operator == "$setOnInsert" and not inserts:
            continue
        for path, operand in fields.items():
            _OPERATORS[operator](_Place(document, path), now if operator == "$currentDate" else operand)
    return document


def begun(filter: Mapping[str, Any]) -> Document:
    """What an upsert begins with: the equalities of its filter."""
    document: Document = {}
    for name, condition in filter.items():
        if name == "$and":
            for each in condition:
                document.update(begun(each))
        elif not name.startswith("$"):
            wanted = condition.get("$eq", MISSING) if isinstance(condition, Mapping) else condition  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
            if wanted is not MISSING:
                _Place(document, name).put(wanted)
    return document


class _Place:
    """Where a path of a document ends. What lies on the way to it is made when something is put there."""

    def __init__(self, document: Document, path: str) -> None:
        *way, self._name = path.split(".")
        self._path, self._way, self._document = path, way, document

    def value(self) -> Any:
        """What lies there, MISSING where nothing does."""
        holder: Any = self._document
        for name in self._way:
            holder = _inside(holder, name)
        return _inside(holder, self._name)

    def put(self, value: Any) -> None:
        """Put it there. Raises Invalid where the way leads through something that holds no fields."""
        holder: Any = self._document
        for name in self._way:
            inner = _inside(holder, name)
            if inner is MISSING:
                self._set(holder, name, {})
            holder = _inside(holder, name)
        self._set(holder, self._name, value)

    def take(self) -> None:
        """Take away what lies there; in an array a hole stays, as null."""
        holder: Any = self._document
        for name in self._way:
            holder = _inside(holder, name)
        if isinstance(holder, dict):
            cast("Document", holder).pop(self._name, None)
        elif _inside(holder, self._name) is not MISSING:
            holder[int(self._name)] = None

    def refuse(self, why: str) -> Invalid:
        return Invalid(FieldError(self._path, why), detail="The document cannot be changed like that.")

    def _set(self, holder: Any, name: str, value: Any) -> None:
        if isinstance(holder, dict):
            holder[name] = value
        elif isinstance(holder, list) and name.isdigit() and int(name) <= 1500:
            elements = cast("list[Any]", holder)
            elements.extend([None] * (int(name) + 1 - len(elements)))
            elements[int(name)] = value
        else:
            raise self.refuse("Leads through something that holds no fields.")


def _inside(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Document", holder).get(name, MISSING)
    if isinstance(holder, list) and name.isdigit():
        elements = cast("list[Any]", holder)
        return elements[int(name)] if int(name) < len(elements) else MISSING
    return MISSING


def _set(place: _Place, value: Any) -> None:
    place.put(_own(value))


def _unset(place: _Place, _: Any) -> None:
    place.take()


def _increase(place: _Place, by: float) -> None:
    there = place.value()
    if there is MISSING:
        place.put(by)
        return
    if isinstance(there, bool) or not isinstance(there, int | float):
        raise place.refuse("Is no number.")
    total = there + by
    if isinstance(total, int) and not -_LARGEST - 1 <= total <= _LARGEST:
        raise place.refuse("Would be a number over 64 bits.")
    place.put(total)


def _raise_to(place: _Place, value: Any) -> None:
    there = place.value()
    if there is MISSING or ordered(value) > ordered(there):
        place.put(value)


def _lower_to(place: _Place, value: Any) -> None:
    there = place.value()
    if there is MISSING or ordered(value) < ordered(there):
        place.put(value)


def _push(place: _Place, value: Any) -> None:
    there = _list_at(place)
    place.put([*there, *_each(value)])


def _add_to_set(place: _Place, value: Any) -> None:
    there = _list_at(place)
    known = {ordered(each) for each in there}
    for each in _each(value):
        if (key := ordered(each)) not in known:
            known.add(key)
            there = [*there, each]
    place.put(there)


def _pull(place: _Place, wanted: Any) -> None:
    if place.value() is MISSING:
        return
    if isinstance(wanted, Mapping):
        fits = matcher(cast("Mapping[str, Any]", wanted))
        goes: Callable[[Any], bool] = lambda each: isinstance(each, Mapping) and fits(cast("Document", each))  # noqa: E731
    else:
        key = ordered(wanted)
        goes = lambda each: ordered(each) == key  # noqa: E731
    place.put([each for each in _list_at(place) if not goes(each)])


def _list_at(place: _Place) -> list[Any]:
    there = place.value()
    if there is MISSING:
        return []
    if not isinstance(there, list):
        raise place.refuse("Is no list.")
    return cast("list[Any]", there)


def _each(value: Any) -> list[Any]:
    return [_own(each) for each in (value["$each"] if isinstance(value, Mapping) and "$each" in value else [value])]  # pyright: ignore[reportUnknownVariableType]


def _own(value: Any) -> Any:
    """A copy: the same update may be made in many documents."""
    if isinstance(value, dict):
        return {name: _own(each) for name, each in cast("Document", value).items()}
    return [_own(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


_OPERATORS: Final[Mapping[str, Callable[[_Place, Any], None]]] = {
    "$set": _set,
    "$setOnInsert": _set,
    "$currentDate": _set,
    "$unset": _unset,
    "$inc": _increase,
    "$max": _raise_to,
    "$min": _lower_to,
    "$push": _push,
    "$addToSet": _add_to_set,
    "$pull": _pull,
}
