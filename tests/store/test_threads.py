"""Many callers at once: their writes share commits, and none meets another's failure or its half."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import DuplicateKey
from tests.store.things import NOON, THINGS, a_thing


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = await EmbeddedEngine.open(tmp_path / "data", "pulse", (THINGS,))
    await engine.prepare()
    yield engine
    await engine.close()


async def _statements(engine: EmbeddedEngine) -> list[str]:
    """What the writer's connection is told from now on, `COMMIT` among it."""
    said: list[str] = []
    await engine.write("listening", lambda connection: connection.set_trace_callback(said.append))
    return said


async def test_writes_that_are_asked_together_share_commits(engine: EmbeddedEngine) -> None:
    said = await _statements(engine)

    await asyncio.gather(*(engine.collection("things").insert_one(a_thing()) for _ in range(200)))

    assert await engine.collection("things").count_documents({}) == 200
    assert said.count("COMMIT") < 50


async def test_a_refusal_and_a_fault_harm_nobody_who_shares_the_commit(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    await things.insert_one(a_thing("taken"))

    def fault(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM things")
        raise ZeroDivisionError

    answers = await asyncio.gather(
        *(things.insert_one(a_thing(f"a{number}")) for number in range(20)),
        things.insert_one(a_thing("taken")),
        engine.write("a fault", fault),
        *(things.insert_one(a_thing(f"b{number}")) for number in range(20)),
        return_exceptions=True,
    )

    assert sum(answer is None for answer in answers) == 40
    assert [type(answer) for answer in answers if answer is not None] == [DuplicateKey, ZeroDivisionError]
    assert await things.count_documents({}) == 41
    assert await engine.check() == []


async def test_who_stops_waiting_leaves_a_whole_write_or_none(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    writes = [asyncio.create_task(things.insert_one(a_thing(f"t{n}", label=f"l{n}"))) for n in range(50)]
    await asyncio.sleep(0)

    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)

    assert await things.count_documents({"label": {"$exists": True}}) == await things.count_documents({})
    assert await things.count_documents({"_id": {"$in": [f"t{n}" for n in range(1, 50, 2)]}}) == 25
    assert await engine.check() == []


async def test_a_read_sees_each_write_that_was_answered_before(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")

    async def write_and_read(worker: int) -> None:
        for number in range(20):
            await things.insert_one(a_thing(f"{worker}.{number}"))
            assert await things.find_one({"_id": f"{worker}.{number}"}) is not None

    await asyncio.gather(*(write_and_read(worker) for worker in range(10)))


async def test_a_reader_does_not_wait_for_a_writer(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    await things.insert_one(a_thing("one"))
    begun, let_go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        let_go.wait(10)

    writing = asyncio.create_task(engine.write("a slow write", slow))
    await begun.wait()

    assert await things.find_one({"_id": "one"}) is not None
    assert not writing.done()
    let_go.set()
    await writing


async def test_of_a_thousand_due_each_is_claimed_once_by_fifty_workers(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    await things.insert_many([a_thing(f"t{number:04}", due_at=NOON, size=0) for number in range(1000)])
    claimed: list[str] = []

    async def work() -> None:
        while found := await things.find_one_and_update(
            {"due_at": {"$lte": NOON}}, {"$unset": {"due_at": ""}, "$inc": {"size": 1}}, sort=[("due_at", 1)]
        ):
            claimed.append(found["_id"])

    await asyncio.gather(*(work() for _ in range(50)))

    assert sorted(claimed) == [f"t{number:04}" for number in range(1000)]


async def test_counters_count_each_of_many_at_once(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    count = {"$inc": {"size": 1}, "$setOnInsert": {"name": "counter"}}

    await asyncio.gather(*(things.update_one({"_id": "counter"}, count, upsert=True) for _ in range(500)))

    found = await things.find_one({"_id": "counter"})
    assert found is not None
    assert found["size"] == 500


async def test_a_unique_value_that_an_update_of_many_would_repeat_stops_it_there(engine: EmbeddedEngine) -> None:
    things = engine.collection("things")
    await things.insert_many([a_thing("a", owner="o"), a_thing("b", owner="o")])

    with pytest.raises(DuplicateKey):
        await things.update_many({"owner": "o"}, {"$set": {"label": "same"}})

    assert await things.count_documents({"label": "same"}) == 1
    assert await engine.check() == []


async def test_a_question_after_the_end_is_refused_and_one_before_it_is_answered(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path / "other", "pulse", (THINGS,))
    await engine.prepare()
    things = engine.collection("things")
    asked = asyncio.gather(*(things.insert_one(a_thing(f"t{n}")) for n in range(20)))
    await asyncio.sleep(0)

    await asyncio.gather(asked, engine.close())

    with pytest.raises(Unavailable, match="closed"):
        await things.find({})
