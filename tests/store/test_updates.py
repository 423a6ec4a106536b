"""What an engine promises of changes: each operator, upserts, and many changes at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse_dash.store.engine import Collection, DuplicateKey, Update
from tests.store.things import NOON, a_thing


@pytest.mark.parametrize(
    ("before", "update", "after"),
    [
        ({}, {"$set": {"size": 1}}, {"size": 1}),
        ({}, {"$set": {"a.b.c": 1}}, {"a": {"b": {"c": 1}}}),
        ({"a": {"x": 1}}, {"$set": {"a.y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"size": 1}, {"$unset": {"size": ""}}, {}),
        ({}, {"$unset": {"size": ""}}, {}),
        ({}, {"$inc": {"size": 2}}, {"size": 2}),
        ({"size": 5}, {"$inc": {"size": -2}}, {"size": 3}),
        ({"size": 5}, {"$max": {"size": 4}}, {"size": 5}),
        ({"size": 5}, {"$max": {"size": 6}}, {"size": 6}),
        ({}, {"$max": {"size": 6}}, {"size": 6}),
        ({"made_at": NOON}, {"$max": {"made_at": NOON + timedelta(1)}}, {"made_at": NOON + timedelta(1)}),
        ({"made_at": NOON}, {"$min": {"made_at": NOON + timedelta(1)}}, {"made_at": NOON}),
        ({"size": None}, {"$max": {"size": 6}}, {"size": 6}),
        ({}, {"$push": {"parts": {"id": "a"}}}, {"parts": [{"id": "a"}]}),
        ({"parts": [{"id": "a"}]}, {"$push": {"parts": {"id": "a"}}}, {"parts": [{"id": "a"}, {"id": "a"}]}),
        ({"tags": [1]}, {"$push": {"tags": {"$each": [2, 3]}}}, {"tags": [1, 2, 3]}),
        ({"tags": [1]}, {"$addToSet": {"tags": 1}}, {"tags": [1]}),
        ({"tags": [1]}, {"$addToSet": {"tags": {"$each": [1, 2]}}}, {"tags": [1, 2]}),
        ({"tags": [1, 2, 1]}, {"$pull": {"tags": 1}}, {"tags": [2]}),
        (
            {"parts": [{"id": "a"}, {"id": "b"}, {"id": "c"}]},
            {"$pull": {"parts": {"id": {"$in": ["a", "c"]}}}},
            {"parts": [{"id": "b"}]},
        ),
        ({"size": 1}, {"$setOnInsert": {"size": 2}, "$set": {"owner": "o"}}, {"size": 1, "owner": "o"}),
    ],
    ids=str,
)
async def test_an_update_does_what_its_operator_says(
    things: Collection, before: dict[str, Any], update: dict[str, Any], after: dict[str, Any]
) -> None:
    thing = a_thing("one")
    await things.insert_one({**thing, **before})

    assert await things.update_one({"_id": "one"}, update) == 1
    assert await things.find_one({"_id": "one"}) == {**thing, **after}


async def test_the_engines_own_clock_is_written_by_current_date(things: Collection) -> None:
    await things.insert_one(a_thing("one"))

    changed = await things.find_one_and_update({"_id": "one"}, {"$currentDate": {"made_at": True}})

    assert changed is not None
    assert abs(changed["made_at"] - datetime.now(UTC)) < timedelta(minutes=1)


async def test_an_update_of_one_changes_one_and_says_so_even_when_nothing_differs(things: Collection) -> None:
    await things.insert_many([a_thing(size=1), a_thing(size=1)])

    assert await things.update_one({"size": 1}, {"$set": {"size": 1}}) == 1
    assert await things.update_one({"size": 1}, {"$set": {"size": 2}}) == 1
    assert await things.count_documents({"size": 2}) == 1


async def test_an_update_of_many_changes_all_that_match(things: Collection) -> None:
    await things.insert_many([a_thing(size=1), a_thing(size=1), a_thing(size=2)])

    assert await things.update_many({"size": 1}, {"$inc": {"size": 5}}) == 2
    assert await things.count_documents({"size": 6}) == 2


async def test_an_upsert_inserts_once_and_updates_after_that(things: Collection) -> None:
    upsert = {"$inc": {"size": 1}, "$setOnInsert": {"name": "made", "made_at": NOON}}

    assert await things.update_one({"_id": "one"}, upsert, upsert=True) == 1
    assert await things.update_one({"_id": "one"}, upsert, upsert=True) == 1

    assert await things.find({}) == [{"_id": "one", "size": 2, "name": "made", "made_at": NOON}]


async def test_an_upsert_keeps_the_equalities_of_its_filter_and_no_other_condition(things: Collection) -> None:
    asked = {"_id": "one", "owner": {"$eq": "o"}, "size": {"$lt": 5}, "$or": [{"a": 1}, {"b": 2}]}

    made = await things.find_one_and_update(asked, {"$set": {"name": "made"}}, upsert=True)

    assert made == {"_id": "one", "owner": "o", "name": "made"}


async def test_an_upsert_whose_id_is_there_but_does_not_match_is_refused(things: Collection) -> None:
    await things.insert_one(a_thing("one", size=9))

    with pytest.raises(DuplicateKey) as refused:
        await things.update_one({"_id": "one", "size": 1}, {"$set": {"name": "other"}}, upsert=True)

    assert refused.value.index == "_id_"
    assert await things.count_documents({"size": 9}) == 1


async def test_compare_and_set_changes_only_what_is_still_as_expected(things: Collection) -> None:
    await things.insert_one(a_thing("one", size=1))

    assert await things.find_one_and_update({"_id": "one", "size": 1}, {"$inc": {"size": 1}}) is not None
    assert await things.find_one_and_update({"_id": "one", "size": 1}, {"$inc": {"size": 1}}) is None


async def test_find_and_update_takes_the_first_of_the_sort_and_answers_it_changed(things: Collection) -> None:
    await things.insert_many([a_thing("a", size=2), a_thing("b", size=1), a_thing("c", size=3)])

    changed = await things.find_one_and_update(
        {}, {"$set": {"owner": "me"}}, sort=[("size", 1)], projection={"owner": 1, "_id": 0}
    )

    assert changed == {"owner": "me"}
    assert [thing["_id"] for thing in await things.find({"owner": "me"})] == ["b"]


async def test_a_bulk_of_updates_is_made_whole_but_for_what_is_refused(things: Collection) -> None:
    await things.insert_many([a_thing("a", label="taken"), a_thing("b"), a_thing("c")])

    with pytest.raises(DuplicateKey) as refused:
        await things.bulk_write(
            [
                Update({"_id": "b"}, {"$set": {"label": "taken"}}),
                Update({"_id": "c"}, {"$set": {"size": 3}}),
                Update({"_id": "d"}, {"$set": {"name": "d"}}, upsert=True),
            ]
        )

    assert refused.value.index == "label"
    assert await things.count_documents({"_id": "c", "size": 3}) == 1
    assert await things.count_documents({"_id": "d"}) == 1
    assert await things.count_documents({"label": {"$exists": True}}) == 1
