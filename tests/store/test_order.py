"""Values as bytes stand in BSON's order, up and down, and no key is the beginning of another."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pulse_dash.core.errors import Invalid
from pulse_dash.store.embedded.order import after, directed, keys_of, ordered
from tests.store.things import NOON

numbers = some.one_of(
    some.integers(-(2**63), 2**63 - 1), some.floats(allow_nan=False, allow_infinity=False), some.sampled_from([0, -0.0])
)
texts = some.text(max_size=6)
moments = some.integers(-63_000_000_000_000, 250_000_000_000_000).map(lambda at: NOON + timedelta(milliseconds=at))
# One list a type, in BSON's order of types.
KINDS: list[Any] = [some.none(), numbers, texts, some.binary(max_size=6), some.booleans(), moments]


def _before(one: Any, other: Any) -> bool:
    if isinstance(one, str):
        return one.encode() < other.encode()
    if isinstance(one, bytes):
        return (len(one), one) < (len(other), other)
    return bool(one < other)


@pytest.mark.parametrize("kind", KINDS[1:], ids=["numbers", "texts", "binaries", "booleans", "moments"])
@given(data=some.data())
def test_values_of_one_type_stand_as_they_compare(kind: Any, data: some.DataObject) -> None:
    one, other = data.draw(kind), data.draw(kind)

    assert (ordered(one) < ordered(other)) == _before(one, other)
    assert (ordered(one) == ordered(other)) == (one == other)
    assert (directed(ordered(one), -1) > directed(ordered(other), -1)) == _before(one, other)


@given(data=some.data(), first=some.integers(0, 5), second=some.integers(0, 5))
def test_types_stand_in_bsons_order(data: some.DataObject, first: int, second: int) -> None:
    one, other = data.draw(KINDS[first]), data.draw(KINDS[second])

    if first < second:
        assert ordered(one) < ordered(other)


@given(some.one_of(*KINDS), some.one_of(*KINDS), some.sampled_from([1, -1]))
def test_no_key_is_the_beginning_of_another(one: Any, other: Any, way: int) -> None:
    first, second = directed(ordered(one), way), directed(ordered(other), way)

    assert first == second or not first.startswith(second)


@given(some.lists(some.tuples(texts, numbers), min_size=2, max_size=6))
def test_compound_keys_stand_by_the_first_field_and_then_the_next_the_other_way(pairs: list[tuple[str, float]]) -> None:
    fields = (("a", 1), ("b", -1))
    keyed = sorted(pairs, key=lambda pair: min(keys_of({"a": pair[0], "b": pair[1]}, fields, "test")[0]))

    assert [pair[0].encode() for pair in keyed] == sorted(pair[0].encode() for pair in pairs)
    for one, other in pairwise(keyed):
        assert one[0] != other[0] or one[1] >= other[1]


@given(some.binary(min_size=1, max_size=4), some.binary(max_size=3))
def test_what_comes_after_a_beginning_is_after_all_that_begin_so_and_before_nothing_else(
    prefix: bytes, rest: bytes
) -> None:
    end = after(prefix)

    assert end is None or prefix + rest < end
    assert end is None or not end.startswith(prefix)


@pytest.mark.parametrize(
    ("document", "count"),
    [({}, 1), ({"a": 1}, 1), ({"a": []}, 1), ({"a": [1, 2, 2]}, 2), ({"a": [[1], 2]}, 2), ({"a": [1], "b": 2}, 1)],
    ids=str,
)
def test_a_list_stands_under_each_of_its_elements(document: dict[str, Any], count: int) -> None:
    keys, _ = keys_of(document, (("a", 1), ("b", 1)), "test")

    assert len(keys) == count


def test_two_lists_in_one_index_are_refused() -> None:
    with pytest.raises(Invalid):
        keys_of({"a": [1, 2], "b": [1, 2]}, (("a", 1), ("b", 1)), "test")
