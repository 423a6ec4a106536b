"""What the embedded store answers by its indexes is what litemongo answers by reading everything.

hypothesis makes documents, filters, sorts, windows and updates of the subset. PULSE_TEST_MONGO_URI lets a real server
answer too. PULSE_SOAK makes more of them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as some

from pulse_dash.core.errors import Invalid
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import Collection, DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index
from pulse_dash.store.subset import containing, starting_with
from tests.store.conftest import MONGO_URI, on_mongodb
from tests.store.litemongo_file import CollectionFile
from tests.store.things import NOON

EXAMPLES = 40 * int(os.environ.get("PULSE_SOAK", "1"))
# Few names and few values, so that questions find something and indexes meet the same key often.
ODDMENTS = CollectionSchema(
    "oddments",
    {"_id": "string", "n?": "int"},
    (
        Index("a_b", (("a", 1), ("b", -1), ("_id", 1))),
        Index("b", (("b", 1),)),
        Index("tags", (("tags", 1), ("a", 1))),
        Index("parts", (("parts.id", 1),)),
        # Of a list and a field that is declared to hold none.
        Index("tags_n", (("tags", 1), ("n", 1), ("_id", 1))),
        Index("c", (("c", -1), ("_id", -1)), partial="c"),
    ),
)
# Half of the values are of a few, so that many documents hold the same and ranges have something inside.
few = some.sampled_from([0, 1, 2, 3, "a", "ab", "b", NOON, NOON + timedelta(hours=1)])
texts = some.sampled_from(["", "a", "ab", "A", "b\0", "é", "\U0001f39b"])
numbers = some.sampled_from([0, 1, -1, 2, 2**53, 2**53 + 1, 2**62, -(2**62), 0.5, 1.0, -0.0, 1e300])
odd = some.one_of(some.none(), texts, numbers, some.binary(max_size=2))
scalars = some.one_of(few, odd)
values = some.one_of(few, odd, some.lists(scalars, max_size=3))
parts = some.lists(some.fixed_dictionaries({"id": texts}, optional={"n": numbers}), max_size=3)
documents = some.fixed_dictionaries(
    {"a": scalars, "b": values},
    optional={"c": some.one_of(few, texts, numbers), "tags": values, "parts": parts, "n": some.integers(0, 3)},
)
fields = some.sampled_from(["a", "b", "c", "tags"])
bounds = some.one_of(few, few, texts, numbers)
ranges = some.one_of(
    some.builds(lambda operator, bound: {operator: bound}, some.sampled_from(["$gt", "$gte", "$lt", "$lte"]), bounds),
    some.builds(lambda low, high: {"$gte": low, "$lt": high}, bounds, bounds),
)
conditions = some.one_of(
    ranges,
    ranges,
    scalars,
    some.one_of(
        some.builds(lambda each: {"$in": each}, some.lists(scalars, max_size=3)),
        some.builds(lambda each: {"$nin": each}, some.lists(scalars, max_size=3)),
        some.builds(lambda each: {"$ne": each}, scalars),
        some.builds(lambda bound: {"$not": {"$gt": bound}}, bounds),
        some.booleans().map(lambda there: {"$exists": there}),
        # litemongo takes what is no list for one of a single element, or of none; MongoDB and we do not.
        some.integers(2, 3).map(lambda size: {"$size": size}),
        texts.filter(lambda text: text and "\0" not in text).map(starting_with),
        texts.filter(lambda text: text and "\0" not in text).map(containing),
    ),
)
simple = some.one_of(
    some.dictionaries(fields, conditions, min_size=1, max_size=2),
    some.builds(lambda text: {"parts.id": text}, texts),
    some.builds(
        lambda tags, low, high: {"tags": tags, "n": {"$gte": low, "$lte": high}},
        some.one_of(few, texts, some.builds(lambda each: {"$in": each}, some.lists(few, max_size=3))),
        some.integers(0, 2),
        some.integers(1, 3),
    ),
    some.builds(lambda text: {"parts": {"$elemMatch": {"id": text}}}, texts),
    some.builds(lambda ids: {"_id": {"$in": ids}}, some.lists(some.sampled_from("0123456789"), max_size=4)),
)
filters = some.one_of(
    simple,
    some.builds(lambda some_, each: {**each, "$or": some_}, some.lists(simple, min_size=1, max_size=2), simple),
    some.builds(lambda every: {"$and": every}, some.lists(simple, min_size=1, max_size=2)),
)
sorts = some.one_of(
    some.none(),
    some.lists(
        some.tuples(some.sampled_from(["a", "c", "n"]), some.sampled_from([1, -1])),
        max_size=2,
        unique_by=lambda s: s[0],
    ),
)
updates = some.one_of(
    some.builds(lambda field, value: {"$set": {field: value}}, fields, values),
    some.builds(lambda field: {"$unset": {field: ""}}, fields),
    some.builds(lambda value: {"$max": {"a": value}}, bounds),
    some.builds(lambda value: {"$min": {"a": value}}, bounds),
    some.builds(lambda value: {"$set": {"parts": value}}, parts),
    some.builds(lambda text: {"$pull": {"parts": {"id": text}}}, texts),
    some.builds(lambda text: {"$push": {"parts": {"id": text}}}, texts),
)
questions = some.tuples(filters, sorts, some.integers(0, 3), some.integers(0, 5))


def _told(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=itemgetter("_id"))


async def _compare(
    put: list[dict[str, Any]],
    asked: list[tuple[Any, Any, int, int]],
    changes: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = await EmbeddedEngine.open(folder / "ours", "pulse", (ODDMENTS,))
        theirs = CollectionFile(folder / "theirs.sqlite", ODDMENTS)
        theirs.make()
        try:
            await engine.prepare()
            ours = engine.collection("oddments")
            await ours.insert_many(put)
            theirs.write(lambda collection: collection.insert_many([dict(each) for each in put]))
            await _same_answers(ours, theirs, asked)
            for filter, update in changes:
                await _same_change(ours, theirs, filter, update)
            await _same_answers(ours, theirs, asked)
            if MONGO_URI is not None:
                await _compare_with_server(put, asked, changes, ours)
            assert await engine.check() == []
        finally:
            theirs.close()
            await engine.close()


async def _same_answers(ours: Collection, theirs: CollectionFile, asked: list[tuple[Any, Any, int, int]]) -> None:
    for filter, sort, skip, limit in asked:
        # Ties stand in no promised order, so the id always decides.
        order = [*(sort or []), ("_id", 1)]
        expected = theirs.read(lambda collection, f=filter, s=skip, n=limit, o=order: collection.page(f, None, s, n, o))

        assert await ours.find(filter, sort=order, skip=skip, limit=limit) == expected
        everything = theirs.read(lambda collection, f=filter: collection.page(f, None, 0, 0, None))
        assert _told(await ours.find(filter)) == _told(everything)
        assert await ours.count_documents(filter) == len(everything)


async def _same_change(
    ours: Collection, theirs: CollectionFile, filter: dict[str, Any], update: dict[str, Any]
) -> None:
    chosen = await ours.find_one(filter, sort=[("_id", 1)])
    if chosen is None:
        assert await ours.update_one(filter, update) == 0
        return
    one = {"_id": chosen["_id"]}
    try:
        assert await ours.update_one(one, update) == 1
    except (Invalid, DuplicateKey):
        # What MongoDB refuses too (a push into what is no list); litemongo raises in words of its own.
        return
    try:
        theirs.write(lambda collection: collection.update_one(one, update))
    except TypeError:
        # litemongo does not order values of different types for $max and $min; where ours stand is test_order's.
        reject()


async def _compare_with_server(
    put: list[dict[str, Any]], asked: list[tuple[Any, Any, int, int]], changes: list[Any], ours: Collection
) -> None:
    assert MONGO_URI is not None
    async with on_mongodb(MONGO_URI, (ODDMENTS,)) as server:
        collection = server.collection("oddments")
        await collection.insert_many(put)
        for filter, update in changes:
            chosen = await collection.find_one(filter, sort=[("_id", 1)])
            if chosen is not None:
                await collection.update_one({"_id": chosen["_id"]}, update)
        for filter, sort, skip, limit in asked:
            order = [*(sort or []), ("_id", 1)]
            expected = await collection.find(filter, sort=order, skip=skip, limit=limit)
            assert await ours.find(filter, sort=order, skip=skip, limit=limit) == expected


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.lists(documents, min_size=4, max_size=12),
    some.lists(questions, min_size=6, max_size=12),
    some.lists(some.tuples(simple, updates), max_size=4),
)
def test_the_planned_store_answers_as_a_full_scan_does(
    put: list[dict[str, Any]],
    asked: list[tuple[Any, Any, int, int]],
    changes: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    numbered = [{"_id": str(number), **document} for number, document in enumerate(put)]

    asyncio.run(_compare(numbered, asked, changes))
