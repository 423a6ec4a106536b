"""Which declared index answers a filter and a sort: equality, then range, then sort, and nothing cleverer.

It knows filters, indexes and keys, and no file: the same question put to MongoDB is served by the same index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from pulse_dash.store.embedded.order import after, directed, ordered, type_of
from pulse_dash.store.schema import Index

IDS: Final = Index("_id_", (("_id", 1),), unique=True)
"""Every collection finds its documents by their id; no noun declares it."""

_RANGES: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
# So many values are looked up one by one.
_MOST_SPANS: Final = 100_000
# So many are read side by side to keep an order; each holds a statement of SQLite's meanwhile.
_MOST_MERGED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """The keys of an index from `low` on, and before `high` where that is set; all of them begin with `prefix`."""

    prefix: bytes
    low: bytes
    high: bytes | None


@dataclass(frozen=True, slots=True)
class Walk:
    """One index, read over some of its spans. `exact` says that each document there fits the whole filter."""

    index: Index
    spans: tuple[Span, ...]
    equalities: int
    bounded: bool
    ordered: bool
    backwards: bool
    exact: bool

    @property
    def worth(self) -> tuple[bool, bool, int, bool, bool]:
        """What the better of two walks has more of; a single document is the best that there is."""
        single = self.index.unique and self.equalities == len(self.index.keys) and len(self.spans) <= 1
        return self.bounded, single, self.equalities, self.ordered, self.exact


@dataclass(frozen=True, slots=True)
class Plan:
    """The walks whose documents, checked against the filter, are the answer; no walk reads the whole collection."""

    walks: tuple[Walk, ...]
    served: bool
    ordered: bool
    exact: bool

    @property
    def words(self) -> str:
        """For the log: which indexes, and what they do not do."""
        names = " or ".join(walk.index.name for walk in self.walks) or "the whole collection"
        return names + ("" if self.served else ", read whole") + ("" if self.ordered else ", sorted in memory")


class _Term(NamedTuple):
    path: str
    operator: str
    operand: Any


class _Known(NamedTuple):
    """What is known of lists: indexes that hold a document under several keys, and fields that never hold a list."""

    lists: frozenset[str]
    singles: frozenset[str]

    def several(self, index: Index) -> frozenset[str]:
        """The fields of an index for which a document may stand there several times."""
        if index.name not in self.lists:
            return frozenset()
        return frozenset(path for path, _ in index.keys) - self.singles


class _Asked(NamedTuple):
    """A filter as what must hold all together; each of `choices` is one `$or`."""

    terms: tuple[_Term, ...]
    choices: tuple[Sequence[Mapping[str, Any]], ...]


def planned(
    filter: Mapping[str, Any],
    sort: Sequence[tuple[str, int]] | None,
    indexes: Iterable[Index],
    lists: frozenset[str] = frozenset(),
    singles: frozenset[str] = frozenset(),
) -> Plan:
    """How to answer; `lists` names the indexes in which a document may stand under several keys, `singles` the fields
    that never hold a list."""
    all_indexes = (IDS, *indexes)
    for index in all_indexes:
        if index.unique and len(index.keys) == 1 and index.name not in lists:
            ((path, way),) = index.keys
            if isinstance(filter.get(path), str) and index.partial in (None, path):
                return _single(filter, index, directed(ordered(filter[path]), way))
    asked = _asked(filter)
    known = _Known(lists, singles)
    best = _best(asked, sort or (), all_indexes, known)
    if best is not None and best.bounded:
        return Plan((best,), True, best.ordered or not sort, best.exact)
    for choice in asked.choices:
        walks = [_best(_with(asked.terms, _asked(each)), (), all_indexes, known) for each in choice]
        if all(walk is not None and walk.bounded for walk in walks):
            return Plan(tuple(walk for walk in walks if walk is not None), True, not sort, False)
    everything = not asked.terms and not asked.choices
    if best is not None and best.ordered and sort:
        return Plan((best,), everything, True, best.exact)
    return Plan((), everything, not sort, everything)


def _single(filter: Mapping[str, Any], index: Index, key: bytes) -> Plan:
    """The most frequent question, which needs no comparing: one document at most, and so in any order."""
    walk = Walk(index, (Span(key, key, after(key)),), 1, True, True, False, len(filter) == 1)
    return Plan((walk,), True, True, walk.exact)


def _asked(filter: Mapping[str, Any]) -> _Asked:
    terms: list[_Term] = []
    choices: list[Sequence[Mapping[str, Any]]] = []
    for name, condition in filter.items():
        if name == "$or":
            choices.append(condition)
        elif name == "$and":
            for each in condition:
                inner = _asked(each)
                terms.extend(inner.terms)
                choices.extend(inner.choices)
        elif isinstance(condition, Mapping):
            terms.extend(_Term(name, *pair) for pair in _operators(cast("Mapping[str, Any]", condition)))
        else:
            terms.append(_Term(name, "$eq", condition))
    return _Asked(tuple(terms), tuple(choices))


def _operators(condition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for operator, operand in condition.items():
        if operator == "$regex" and "$options" not in condition and operand.startswith("^"):
            yield "begins", re.sub(r"\\(.)", r"\1", operand[1:], flags=re.DOTALL)
        elif operator != "$options":
            yield operator, operand


def _with(terms: tuple[_Term, ...], branch: _Asked) -> _Asked:
    return _Asked(terms + branch.terms, branch.choices)


def _best(asked: _Asked, sort: Sequence[tuple[str, int]], indexes: Iterable[Index], known: _Known) -> Walk | None:
    by_path: dict[str, list[_Term]] = {}
    for term in asked.terms:
        by_path.setdefault(term.path, []).append(term)
    first = {*by_path, *(path for path, _ in sort[:1])}
    walks = [
        _walk(asked, by_path, sort, index, known.several(index))
        for index in indexes
        if index.keys[0][0] in first or index.partial in first
    ]
    return max((walk for walk in walks if walk is not None), key=lambda walk: walk.worth, default=None)


def _walk(
    asked: _Asked,
    by_path: dict[str, list[_Term]],
    sort: Sequence[tuple[str, int]],
    index: Index,
    several: frozenset[str],
) -> Walk | None:
    there = index.partial is not None and any(_says_there(term) for term in by_path.get(index.partial, ()))
    if index.partial is not None and not there:
        return None
    used = [term for term in asked.terms if term.path == index.partial and term.operator == "$exists" and term.operand]
    prefixes, equalities, constant, narrowed = [b""], 0, set[str](), set[str]()
    # Of a list that holds one text, a document stands under that text once.
    told = set[str]()
    for path, way in index.keys:
        found = _equality(by_path.get(path, ()))
        if found is None or len(prefixes) * len(found[1]) > _MOST_SPANS:
            break
        term, values = found
        used.append(term)
        prefixes = sorted({prefix + directed(value, way) for prefix in prefixes for value in values})
        equalities += 1
        narrowed.add(path)
        if len(values) == 1:
            constant.add(path)
            told.update({path} if term.operator == "$eq" and isinstance(term.operand, str) else ())
    rest = index.keys[equalities:]
    bounds = _bounds(by_path.get(rest[0][0], ()), single=rest[0][0] in several) if rest else None
    if bounds is not None:
        used.extend(bounds.terms)
        narrowed.add(rest[0][0])
    # A list is sorted by its first element of all, also where the filter let the walk see only some of them.
    sorts_lists = any(path in several for path, _ in sort)
    unsorted = sorts_lists and (len(prefixes) > 1 or any(path in narrowed for path, _ in sort))
    unsorted = unsorted or len(prefixes) > _MOST_MERGED
    spans = tuple(_span(prefix, bounds, rest) for prefix in prefixes)
    backwards = _direction(sort, rest, constant)
    return Walk(
        index=index,
        spans=spans,
        equalities=equalities,
        bounded=bool(equalities) or bounds is not None or there,
        ordered=backwards is not None and not unsorted,
        backwards=bool(backwards),
        # The same term, not an equal one: for Python 1 is True.
        exact=not asked.choices
        and several <= told
        and {id(term) for term in asked.terms} <= {id(term) for term in used},
    )


def _says_there(term: _Term) -> bool:
    """Whether the condition holds only where the field is there and not null."""
    match term.operator:
        case "$exists":
            return bool(term.operand)
        case "$eq":
            return term.operand is not None
        case "$in":
            return None not in term.operand
        case _:
            return term.operator in _RANGES or term.operator == "begins"


def _equality(terms: Iterable[_Term]) -> tuple[_Term, list[bytes]] | None:
    """The condition that leaves the fewest values, and those as keys."""
    found: tuple[_Term, list[bytes]] | None = None
    for term in terms:
        if term.operator not in ("$eq", "$in"):
            continue
        operands: list[Any] = [term.operand] if term.operator == "$eq" else term.operand
        values = sorted({ordered(each) for each in operands})
        if found is None or len(values) < len(found[1]):
            found = term, values
    return found


@dataclass(frozen=True, slots=True)
class _Bounds:
    """From and to, as ascending keys of one field, and whether values equal to them are inside."""

    low: bytes
    low_inside: bool
    high: bytes
    high_inside: bool
    terms: tuple[_Term, ...]


def _bounds(terms: Iterable[_Term], *, single: bool) -> _Bounds | None:
    """What the ranges over a field leave. Where a document has several values (`single`), one of them may be over
    the one bound and another under the other, so only one condition is taken."""
    bounds: _Bounds | None = None
    for term in terms:
        own = _own_bounds(term)
        if own is None:
            continue
        bounds = own if bounds is None else _narrower(bounds, own)
        if single:
            break
    return bounds


def _own_bounds(term: _Term) -> _Bounds | None:
    if term.operator == "begins":
        start = ordered(term.operand)[:-1]
        return _Bounds(start, True, start, True, (term,))
    if term.operator not in _RANGES:
        return None
    key = ordered(term.operand)
    kind = type_of(key)
    if term.operator in ("$gt", "$gte"):
        return _Bounds(key, term.operator == "$gte", kind, True, (term,))
    return _Bounds(kind, True, key, term.operator == "$lte", (term,))


def _narrower(one: _Bounds, other: _Bounds) -> _Bounds:
    """Both hold. A bound that is only the type's byte stands for the whole type."""
    low, low_inside = max((one.low, not one.low_inside), (other.low, not other.low_inside))
    highs = [(each.high, each.high_inside) for each in (one, other)]
    high, high_inside = min(highs, key=lambda pair: (pair[0] + b"\xff" if len(pair[0]) == 1 else pair[0], pair[1]))
    return _Bounds(low, not low_inside, high, high_inside, one.terms + other.terms)


def _span(prefix: bytes, bounds: _Bounds | None, rest: Sequence[tuple[str, int]]) -> Span:
    if bounds is None:
        return Span(prefix, prefix, after(prefix))
    first, first_inside, last, last_inside = bounds.low, bounds.low_inside, bounds.high, bounds.high_inside
    way = rest[0][1]
    if way < 0:
        first, first_inside, last, last_inside = last, last_inside, first, first_inside
    from_key, to_key = prefix + directed(first, way), prefix + directed(last, way)
    low = from_key if first_inside else after(from_key)
    high = after(to_key) if last_inside else to_key
    # Nothing comes after the last type, so these are there; an empty span is one that ends before it begins.
    return Span(prefix, low or to_key, high)


def _direction(sort: Sequence[tuple[str, int]], rest: Sequence[tuple[str, int]], constant: set[str]) -> bool | None:
    """Whether the index gives that order forwards (False) or backwards (True); None where it gives neither."""
    wanted = [(path, way) for path, way in sort if path not in constant]
    keys = [(path, way) for path, way in rest if path not in constant]
    if len(wanted) > len(keys) or any(want[0] != key[0] for want, key in zip(wanted, keys, strict=False)):
        return None
    turned = {want[1] != key[1] for want, key in zip(wanted, keys, strict=False)}
    if len(turned) > 1:
        return None
    return turned == {True}
