"""Which index answers: equality, then range, then sort. What none answers is told, and never answered wrongly."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pulse_dash.store import audit_log
from pulse_dash.store.embedded import EmbeddedEngine, tables
from pulse_dash.store.embedded.plan import planned
from pulse_dash.store.paging import Cursor, newest_first
from pulse_dash.store.schema import CollectionSchema, Index
from pulse_dash.store.subset import Unserved, containing, starting_with
from tests.store.things import NOON

LOG = (
    Index("newest", (("org", 1), ("at", -1), ("_id", -1))),
    Index("by_action", (("org", 1), ("action", 1), ("at", -1), ("_id", -1))),
    Index("due", (("due", 1),), partial="due"),
    Index("label", (("label", 1),), unique=True),
    Index("size", (("size", 1),)),
)
NEWEST = [("at", -1), ("_id", -1)]


@pytest.mark.parametrize(
    ("filter", "sort", "index", "ordered", "exact"),
    [
        ({"_id": "x"}, None, "_id_", True, True),
        ({"_id": "x", "org": "o"}, NEWEST, "_id_", True, False),
        ({"_id": {"$in": ["x", "y"]}}, None, "_id_", True, True),
        ({"label": "l"}, None, "label", True, True),
        ({"org": "o", "label": "l"}, NEWEST, "label", True, False),
        ({"org": "o"}, NEWEST, "newest", True, True),
        ({"org": "o"}, [("at", 1), ("_id", 1)], "newest", True, True),
        ({"org": {"$in": ["o", "p"]}}, NEWEST, "newest", True, True),
        ({"org": "o", "at": {"$gte": NOON}}, NEWEST, "newest", True, True),
        ({"org": "o", "action": "a"}, NEWEST, "by_action", True, True),
        ({"org": "o", "action": {"$in": ["a", "b"]}, "at": {"$lt": NOON}}, NEWEST, "by_action", True, True),
        ({"org": "o", "action": starting_with("project.")}, None, "by_action", True, True),
        ({"org": "o", "name": containing("x")}, NEWEST, "newest", True, False),
        (
            {"org": "o", "at": {"$lte": NOON}, "$or": [{"at": {"$lt": NOON}}, {"_id": "x"}]},
            NEWEST,
            "newest",
            True,
            False,
        ),
        ({"due": {"$exists": True}}, None, "due", True, True),
        ({"due": {"$lte": NOON}}, [("due", 1)], "due", True, True),
        ({"org": "o"}, [("name", 1)], "newest", False, True),
        ({}, [("_id", -1)], "_id_", True, True),
    ],
    ids=str,
)
def test_a_question_is_served_by_its_index(
    filter: dict[str, Any], sort: Any, index: str, ordered: bool, exact: bool
) -> None:
    plan = planned(filter, sort, LOG)

    assert [walk.index.name for walk in plan.walks] == [index]
    assert (plan.served, plan.ordered, plan.exact) == (True, ordered, exact)


@pytest.mark.parametrize(
    ("filter", "sort"),
    [
        ({"name": "x"}, None),
        ({"due": None}, None),
        ({"due": {"$exists": False}}, None),
        ({"action": "a"}, None),
        ({"org": {"$ne": "o"}}, None),
        ({"name": "x"}, [("_id", 1)]),
        ({"$or": [{"org": "o"}, {"name": "x"}]}, None),
    ],
    ids=str,
)
def test_what_no_index_serves_is_told(filter: dict[str, Any], sort: Any) -> None:
    plan = planned(filter, sort, LOG)

    assert not plan.served


def test_a_choice_is_served_when_each_of_its_branches_is() -> None:
    plan = planned({"$or": [{"label": "l"}, {"org": "o", "action": "a"}]}, None, LOG)

    assert plan.served
    assert [walk.index.name for walk in plan.walks] == ["label", "by_action"]


@pytest.mark.parametrize("marks", ["action:key.created", {"$in": ["word:a", "word:b"]}], ids=str)
def test_what_the_log_is_filtered_by_is_found_in_order_without_reading_its_other_entries(marks: Any) -> None:
    asked = {
        "$and": [
            {"org_id": {"$in": ["o", "p"]}},
            {"marks": marks},
            {"at": {"$gte": NOON - timedelta(days=1)}},
            Cursor(NOON, "aud").older(),
        ]
    }

    plan = planned(asked, newest_first(), audit_log.SCHEMA.indexes, frozenset({"marks"}), audit_log.SCHEMA.singles)

    assert [walk.index.name for walk in plan.walks] == ["marks"]
    assert plan.ordered


def test_who_holds_one_text_in_a_list_is_counted_without_being_read() -> None:
    plan = planned(
        {"org_id": "o", "marks": "status:failure", "at": {"$gte": NOON, "$lt": NOON + timedelta(days=1)}},
        None,
        audit_log.SCHEMA.indexes,
        frozenset({"marks"}),
        audit_log.SCHEMA.singles,
    )

    assert plan.exact


def test_conditions_that_python_takes_for_equal_are_both_asked() -> None:
    assert not planned({"$and": [{"org": 1}, {"org": True}]}, None, LOG).exact
    assert not planned({"$and": [{"due": {"$exists": True}}, {"due": {"$exists": False}}]}, None, LOG).exact


def test_thousands_of_ids_are_looked_up_and_not_read_side_by_side() -> None:
    plan = planned({"_id": {"$in": [str(number) for number in range(2_000)]}}, [("_id", 1)], LOG)

    assert (plan.served, plan.ordered) == (True, False)


async def _opened(folder: Path) -> EmbeddedEngine:
    engine = await EmbeddedEngine.open(folder, "pulse", (CollectionSchema("log", {"_id": "string"}, LOG),))
    await engine.prepare()
    return engine


async def test_a_store_that_refuses_scans_says_what_it_was_asked(tmp_path: Path) -> None:
    engine = await _opened(tmp_path / "data")
    engine.refuses_unserved = True
    log = engine.collection("log")

    for call in (
        lambda: log.find({"name": "x"}),
        lambda: log.count_documents({"name": "x"}),
        lambda: log.update_one({"name": "x"}, {"$set": {"name": "y"}}),
        lambda: log.delete_many({"name": "x"}),
    ):
        with pytest.raises(Unserved, match="No index of log serves"):
            await call()
    await engine.close()


async def test_a_sort_without_an_index_is_refused_over_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_SORTED", 10)
    engine = await _opened(tmp_path / "data")
    log = engine.collection("log")
    await log.insert_many(
        [{"_id": str(number), "org": "o", "size": -number, "label": str(number)} for number in range(11)]
    )

    with pytest.raises(Unserved, match="are sorted by"):
        await log.find({"org": "o"}, sort=[("size", 1)], limit=1)
    await log.delete_one({"_id": "10"})
    found = await log.find({"org": "o"}, sort=[("size", 1)], limit=1)

    assert [document["_id"] for document in found] == ["9"]
    await engine.close()


@pytest.mark.parametrize("condition", [{"$gt": 5}, {"$in": [9]}], ids=str)
async def test_a_list_is_sorted_by_its_first_element_of_all(tmp_path: Path, condition: dict[str, Any]) -> None:
    engine = await _opened(tmp_path / "data")
    log = engine.collection("log")
    for each, sizes in {"a": [3, 9], "b": [9], "c": [1, 9, 10]}.items():
        await log.insert_one({"_id": each, "label": each, "size": sizes})

    found = await log.find({"size": condition}, sort=[("size", 1)])

    assert [document["_id"] for document in found] == ["c", "a", "b"]
    await engine.close()


async def test_a_refused_question_holds_no_moment_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_SORTED", 10)
    engine = await _opened(tmp_path / "data")
    log = engine.collection("log")
    await log.insert_many([{"_id": str(number), "org": "o", "label": str(number)} for number in range(20)])
    refused = await asyncio.gather(
        *(log.find({"org": "o"}, sort=[("size", 1)]) for _ in range(10)), return_exceptions=True
    )

    await log.insert_one({"_id": "late"})
    found = [await log.find_one({"_id": "late"}) for _ in range(10)]

    assert all(isinstance(each, Unserved) for each in refused)
    assert found == [{"_id": "late"}] * 10
    await engine.close()
