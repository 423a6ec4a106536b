"""What an engine promises of documents: they are found as they were put, in order, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import bson
import pytest

from pulse_dash.core.errors import Invalid
from pulse_dash.store.engine import Collection, DuplicateKey, Engine
from pulse_dash.store.subset import OutsideSubset, containing, starting_with
from tests.store.things import HOSTILE, NOON, a_thing


async def test_an_empty_collection_answers_nothing(things: Collection) -> None:
    assert await things.find_one({"_id": "nobody"}) is None
    assert await things.find({}) == []
    assert await things.count_documents({}) == 0
    assert await things.update_one({"_id": "nobody"}, {"$set": {"size": 1}}) == 0
    assert await things.find_one_and_update({"_id": "nobody"}, {"$set": {"size": 1}}) is None
    assert await things.delete_one({"_id": "nobody"}) == 0


async def test_preparing_again_changes_nothing(engine: Engine, things: Collection) -> None:
    await things.insert_one(a_thing("one", name="taken"))

    await engine.prepare()
    await engine.ping()

    with pytest.raises(DuplicateKey):
        await things.insert_one(a_thing("two", name="taken"))
    assert await things.count_documents({}) == 1


async def test_a_document_comes_back_as_it_was_put(things: Collection) -> None:
    thing = a_thing(size=2**62, raw=b"\0\xff", none=None, deep={"list": [1, "2", {"three": 3.5}], "yes": True})

    await things.insert_one(thing)

    assert await things.find_one({"_id": thing["_id"]}) == thing
    assert await things.find_one({"name": thing["name"]}) == thing


async def test_bodies_are_the_documents_as_they_are_stored_in_the_order_of_an_index(things: Collection) -> None:
    for name in ("b", "a", "c"):
        await things.insert_one(a_thing(name, size=1))

    bodies = await things.find_bodies({"_id": {"$gt": "a"}}, sort=[("_id", 1)], limit=5)
    first = await things.find_bodies({"_id": {"$gt": ""}, "size": {"$gte": -1}}, sort=[("_id", 1)], limit=1)

    unsorted = await things.find_bodies({"size": 1}, sort=[("name", -1), ("_id", 1)], limit=2)

    assert [bson.decode(body)["_id"] for body in unsorted] == ["c", "a"]
    assert [bson.decode(body)["_id"] for body in bodies] == ["b", "c"]
    assert [bson.decode(body)["_id"] for body in first] == ["a"]


async def test_what_a_caller_does_to_a_found_document_stays_with_the_caller(things: Collection) -> None:
    await things.insert_one(a_thing("one", parts=[{"id": "a"}]))
    found = await things.find_one({"_id": "one"})
    assert found is not None

    found["parts"].clear()

    assert await things.count_documents({"parts.id": "a"}) == 1


async def test_inserting_does_not_change_the_callers_document(things: Collection) -> None:
    thing = a_thing(made_at=NOON + timedelta(microseconds=1))
    before = dict(thing)

    await things.insert_one(thing)

    assert thing == before


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (NOON, NOON),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), NOON),
        (NOON + timedelta(microseconds=1999), NOON + timedelta(milliseconds=1)),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
        (
            datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        ),
    ],
)
async def test_a_moment_is_kept_in_utc_to_the_millisecond(things: Collection, given: datetime, kept: datetime) -> None:
    await things.insert_one(a_thing("one", made_at=given))

    found = await things.find_one({"made_at": given})

    assert found is not None
    assert found["made_at"] == kept
    assert found["made_at"].utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(things: Collection) -> None:
    naive = NOON.replace(tzinfo=None)

    with pytest.raises(OutsideSubset):
        await things.insert_one(a_thing(made_at=naive))
    with pytest.raises(OutsideSubset):
        await things.find({"made_at": {"$lt": naive}})
    with pytest.raises(OutsideSubset):
        await things.update_one({"_id": "x"}, {"$set": {"made_at": naive}})


@pytest.mark.parametrize(
    "value",
    [
        {"$where": 1},
        {"a.b": 1},
        {"": 1},
        {"a\0b": 1},
        [{"x": {"$set": 1}}],
        "\ud800",
        2**63,
        float("nan"),
        float("inf"),
    ],
    ids=str,
)
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(things: Collection, value: Any) -> None:
    await things.insert_one(a_thing("there"))

    with pytest.raises(Invalid):
        await things.insert_one(a_thing("one", value=value))
    with pytest.raises(Invalid):
        await things.update_one({"_id": "there"}, {"$set": {"value": value}})

    assert await things.count_documents({}) == 1
    assert await things.count_documents({"value": {"$exists": True}}) == 0


async def test_a_document_over_16_mb_is_refused(things: Collection) -> None:
    with pytest.raises(Invalid):
        await things.insert_one(a_thing("large", blob=b"x" * (16 * 1024 * 1024)))

    assert await things.count_documents({}) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"name": 7},
        {"size": "7"},
        {"size": True},
        {"made_at": "today"},
        {"parts": [{}]},
        {"label": None},
    ],
    ids=str,
)
async def test_a_document_that_breaks_its_declaration_is_refused(things: Collection, fields: dict[str, Any]) -> None:
    await things.insert_one(a_thing("there"))

    with pytest.raises(Invalid):
        await things.insert_one(a_thing("one") | fields)
    with pytest.raises(Invalid):
        await things.update_one({"_id": "there"}, {"$set": fields})

    assert await things.count_documents({}) == 1


async def test_a_required_field_cannot_be_taken_away(things: Collection) -> None:
    await things.insert_one(a_thing("there"))

    with pytest.raises(Invalid):
        await things.update_one({"_id": "there"}, {"$unset": {"name": ""}})

    assert await things.count_documents({"name": {"$exists": True}}) == 1


async def test_a_list_of_documents_stops_at_the_first_refusal_and_keeps_what_came_before(things: Collection) -> None:
    with pytest.raises(DuplicateKey):
        await things.insert_many([a_thing("a"), a_thing("a"), a_thing("c")])

    assert [thing["_id"] for thing in await things.find({})] == ["a"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"size": 2}, "b"),
        ({"size": {"$gt": 2}}, "cd"),
        ({"size": {"$gte": 2, "$lt": 4}}, "bc"),
        ({"size": {"$ne": 2}}, "acdef"),
        ({"size": {"$in": [1, 4, 9]}}, "ad"),
        ({"size": {"$nin": [1, 2]}}, "cdef"),
        ({"size": {"$exists": False}}, "f"),
        ({"size": None}, "ef"),
        ({"size": {"$not": {"$gt": 2}}}, "abef"),
        ({"made_at": {"$gt": NOON}}, "cd"),
        ({"made_at": {"$gte": NOON, "$lte": NOON + timedelta(hours=1)}}, "bc"),
        ({"made_at": {"$lt": NOON + timedelta(milliseconds=1)}}, "ab"),
        ({"_id": {"$gt": "b", "$lt": "e"}}, "cd"),
        ({"$or": [{"size": 1}, {"made_at": {"$gt": NOON + timedelta(hours=1)}}]}, "ad"),
        ({"$and": [{"size": {"$gt": 1}}, {"size": {"$lt": 4}}], "made_at": NOON}, "b"),
        ({"parts.id": "x"}, "ac"),
        ({"parts": {"$elemMatch": {"id": "x", "kind": 2}}}, "c"),
        ({"parts": {"$size": 2}}, "c"),
        ({"label": {"$exists": True}}, "ad"),
        ({"label": starting_with("a.")}, "a"),
        ({"label": containing("(B")}, "ad"),
        ({"owner": "o", "size": {"$lte": 2}}, "ab"),
        ({"_id": {"$in": []}}, ""),
    ],
    ids=str,
)
async def test_a_filter_finds_what_it_says_and_nothing_else(
    things: Collection, condition: dict[str, Any], found: str
) -> None:
    await things.insert_many(
        [
            a_thing(
                "a", size=1, made_at=NOON - timedelta(hours=1), owner="o", label="a.(b", parts=[{"id": "x", "kind": 1}]
            ),
            a_thing("b", size=2, made_at=NOON, owner="o"),
            a_thing("c", size=3, made_at=NOON + timedelta(hours=1), parts=[{"id": "y"}, {"id": "x", "kind": 2}]),
            a_thing("d", size=4, made_at=NOON + timedelta(hours=2), label="aX(B"),
            a_thing("e", size=None, parts=[]),
            a_thing("f"),
        ]
    )

    assert "".join(sorted(thing["_id"] for thing in await things.find(condition))) == found
    assert await things.count_documents(condition) == len(found)


async def test_a_sort_puts_what_is_missing_first_and_breaks_ties_by_the_next_field(things: Collection) -> None:
    await things.insert_many(
        [a_thing("a", size=2), a_thing("b", size=1), a_thing("c"), a_thing("d", size=2), a_thing("e", size=None)]
    )

    rising = await things.find({}, sort=[("size", 1), ("_id", -1)])
    falling = await things.find({}, sort=[("size", -1), ("_id", 1)])

    assert [thing["_id"] for thing in rising] == ["e", "c", "b", "d", "a"]
    assert [thing["_id"] for thing in falling] == ["a", "d", "b", "c", "e"]


async def test_pages_cover_everything_once(things: Collection) -> None:
    await things.insert_many([a_thing(f"t{number:02}", size=number % 3) for number in range(25)])

    pages = [await things.find({}, sort=[("size", 1), ("_id", 1)], skip=skip, limit=10) for skip in (0, 10, 20, 30)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({thing["_id"] for page in pages for thing in page}) == 25


async def test_a_projection_brings_only_what_it_names(things: Collection) -> None:
    await things.insert_one(a_thing("one", size=1, owner="o"))

    assert await things.find_one({"_id": "one"}, projection=["size"]) == {"_id": "one", "size": 1}
    assert await things.find_one({"_id": "one"}, projection={"size": 1, "_id": 0}) == {"size": 1}
    assert await things.find_one({"_id": "one"}, projection={"size": 0, "name": 0}) == {"_id": "one", "owner": "o"}


async def test_a_hostile_text_is_searched_for_as_it_is(things: Collection) -> None:
    hostile = HOSTILE.replace("\0", "") + ".*[("
    await things.insert_many([a_thing("one", owner=f"x{hostile}y"), a_thing("two", owner="anything")])

    assert [thing["_id"] for thing in await things.find({"owner": containing(hostile)})] == ["one"]


async def test_deleting_takes_one_or_all_that_match(things: Collection) -> None:
    await things.insert_many([a_thing(size=number % 2) for number in range(6)])

    assert await things.delete_one({"size": 0}) == 1
    assert await things.delete_many({"size": 1}) == 3
    assert await things.count_documents({}) == 2
