"""What is not in the subset raises before any engine sees it, on every engine and for every method."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pulse_dash.store import subset
from pulse_dash.store.engine import Collection, Update
from pulse_dash.store.subset import OutsideSubset
from tests.store.things import Strange

FILTERS: list[Any] = [
    {"$where": "1"},
    {"$expr": {"$gt": ["$a", "$b"]}},
    {"$nor": [{"a": 1}]},
    {"$jsonSchema": {}},
    {"$text": {"$search": "x"}},
    {"$comment": "x"},
    {"$and": []},
    {"$or": {"a": 1}},
    {"$or": [{"$where": "1"}]},
    {"a": {"$where": "1"}},
    {"a": {"$mod": [2, 0]}},
    {"a": {"$all": [1]}},
    {"a": {"$type": "string"}},
    {"a": {"b": 1}},
    {"a": {}},
    {"a": {"$gt": 1, "b": 2}},
    {"a": {"$gt": {"$gt": 1}}},
    {"a": {"$gt": None}},
    {"a": {"$eq": [1]}},
    {"a": [1]},
    {"a": {"$in": "text"}},
    {"a": {"$in": [{"$gt": 1}]}},
    {"a": {"$in": [re.compile("x")]}},
    {"a": re.compile("x")},
    {"a": {"$exists": 1}},
    {"a": {"$size": {"$gt": 1}}},
    {"a": {"$not": {"$not": {"$gt": 1}}}},
    {"a": {"$not": 1}},
    {"a": {"$not": {"$regex": "x"}}},
    {"a": {"$elemMatch": {"$gt": 1}}},
    {"a": {"$elemMatch": {}}},
    {"a": {"$regex": ".*"}},
    {"a": {"$regex": "(a+)+$"}},
    {"a": {"$regex": "a\\d"}},
    {"a": {"$regex": "a\0"}},
    {"a": {"$regex": re.compile("a")}},
    {"a": {"$options": "i"}},
    {"a": {"$regex": "a", "$options": "s"}},
    {"a.$.b": 1},
    {"a..b": 1},
    {"": 1},
    {1: 1},
    {"a": {1}},
    {"a": Strange()},
    [],
    "text",
]

UPDATES: list[Any] = [
    {},
    [{"$set": {"a": 1}}],
    {"a": 1},
    {"$set": 1},
    {"$set": {}},
    {"$set": {"_id": "x"}},
    {"$set": {"a.$": 1}},
    {"$set": {"a.$[].b": 1}},
    {"$set": {"$a": 1}},
    {"$set": {"a": {1, 2}}},
    {"$rename": {"a": "b"}},
    {"$mul": {"a": 2}},
    {"$bit": {"a": {"and": 1}}},
    {"$pop": {"a": 1}},
    {"$pullAll": {"a": [1]}},
    {"$inc": {"a": "1"}},
    {"$inc": {"a": True}},
    {"$currentDate": {"a": {"$type": "timestamp"}}},
    {"$push": {"a": {"$each": [1], "$slice": 2}}},
    {"$push": {"a": {"$each": 1}}},
    {"$pull": {"a": {"$gt": 1}}},
    {"$max": {"a": [1]}},
    {"$max": {"a": None}},
    {"$set": {"a": 1}, "$inc": {"a": 1}},
    {"$set": {"a": 1}, "$unset": {"a.b": ""}},
]


@pytest.mark.parametrize("filter", FILTERS, ids=str)
async def test_a_filter_outside_the_subset_raises_everywhere(things: Collection, filter: Any) -> None:
    change = {"$set": {"size": 1}}
    for call in (
        lambda: things.find(filter),
        lambda: things.find_one(filter),
        lambda: things.count_documents(filter),
        lambda: things.update_one(filter, change),
        lambda: things.update_many(filter, change),
        lambda: things.find_one_and_update(filter, change),
        lambda: things.delete_one(filter),
        lambda: things.delete_many(filter),
        lambda: things.bulk_write([Update(filter, change)]),
    ):
        with pytest.raises(OutsideSubset):
            await call()


@pytest.mark.parametrize("update", UPDATES, ids=str)
async def test_an_update_outside_the_subset_raises_everywhere(things: Collection, update: Any) -> None:
    for call in (
        lambda: things.update_one({}, update),
        lambda: things.update_many({}, update),
        lambda: things.find_one_and_update({}, update),
        lambda: things.bulk_write([Update({}, update)]),
    ):
        with pytest.raises(OutsideSubset):
            await call()


@pytest.mark.parametrize("filter", [{}, {"name": "x"}, {"_id": {"$in": ["x"]}}], ids=str)
async def test_an_upsert_without_its_id_raises(things: Collection, filter: dict[str, Any]) -> None:
    with pytest.raises(OutsideSubset):
        await things.update_one(filter, {"$set": {"name": "x"}}, upsert=True)
    with pytest.raises(OutsideSubset):
        await things.find_one_and_update(filter, {"$set": {"name": "x"}}, upsert=True)


@pytest.mark.parametrize("document", [{}, {"_id": 1}, {"_id": ""}, {"_id": None}], ids=str)
async def test_a_document_without_an_id_of_text_raises(things: Collection, document: dict[str, Any]) -> None:
    with pytest.raises(OutsideSubset):
        await things.insert_one(document)


@pytest.mark.parametrize("projection", ["name", {"a": {"$slice": 1}}, {"a": 1, "b": 0}, {"a.$": 1}], ids=str)
async def test_a_projection_outside_the_subset_raises(things: Collection, projection: Any) -> None:
    with pytest.raises(OutsideSubset):
        await things.find({}, projection=projection)


@pytest.mark.parametrize("sort", [[("a", 2)], [("$natural", 1)], ["a"], [("a", "asc")]], ids=str)
async def test_a_sort_outside_the_subset_raises(things: Collection, sort: Any) -> None:
    with pytest.raises(OutsideSubset):
        await things.find({}, sort=sort)


async def test_a_negative_window_raises(things: Collection) -> None:
    with pytest.raises(OutsideSubset):
        await things.find({}, skip=-1)
    with pytest.raises(OutsideSubset):
        await things.find({}, limit=-1)


def test_every_text_can_be_searched_for() -> None:
    for character in map(chr, range(1, 0x250)):
        text = f"a{character}b"
        for condition in (subset.containing(text), subset.starting_with(text)):
            assert subset.checked_filter({"name": condition}) == {"name": condition}
