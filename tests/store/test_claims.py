"""What an engine promises of many at once: each claim has one owner, no count is lost, a lease has one holder."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from pulse_dash.store import leases
from pulse_dash.store.engine import Collection, Engine, Update
from tests.store.things import NOON, a_thing


async def test_each_due_document_is_claimed_once_by_fifty_workers(things: Collection) -> None:
    await things.insert_many([a_thing(size=0, due_at=NOON + timedelta(seconds=number % 9)) for number in range(200)])
    claimed: Counter[str] = Counter()

    async def work(worker: int) -> None:
        while True:
            claim = await things.find_one_and_update(
                {"size": 0, "due_at": {"$lte": NOON + timedelta(minutes=1)}},
                {"$set": {"size": 1, "owner": f"worker {worker}"}},
                sort=[("due_at", 1)],
            )
            if claim is None:
                return
            claimed[claim["_id"]] += 1

    await asyncio.gather(*(work(worker) for worker in range(50)))

    assert len(claimed) == 200
    assert set(claimed.values()) == {1}


async def test_a_counter_is_exact_whoever_counts(things: Collection) -> None:
    up = {"$inc": {"size": 1}, "$setOnInsert": {"name": "counter"}}

    await asyncio.gather(
        *(things.update_one({"_id": "counter"}, up, upsert=True) for _ in range(100)),
        *(things.find_one_and_update({"_id": "counter"}, up, upsert=True) for _ in range(100)),
        things.bulk_write([Update({"_id": "counter"}, up, upsert=True)] * 100),
    )

    assert await things.find({}) == [{"_id": "counter", "name": "counter", "size": 300}]


async def test_concurrent_pushes_all_stand_in_the_list(things: Collection) -> None:
    await things.insert_one(a_thing("one", parts=[]))

    await asyncio.gather(
        *(things.update_one({"_id": "one"}, {"$push": {"parts": {"id": str(number)}}}) for number in range(50))
    )

    found = await things.find_one({"_id": "one"})
    assert found is not None
    assert {part["id"] for part in found["parts"]} == {str(number) for number in range(50)}


async def test_a_caller_that_goes_away_leaves_its_write_whole_or_not_made(things: Collection) -> None:
    writes = [asyncio.create_task(things.insert_one(a_thing(size=1, parts=[{"id": "a"}]))) for _ in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)

    whole = await things.count_documents({"size": 1, "parts": {"$size": 1}})
    assert whole == await things.count_documents({})
    assert whole >= 10


async def test_a_lease_has_one_holder_of_many(engine: Engine) -> None:
    taken = await asyncio.gather(
        *(leases.take(engine, "job", f"node {node}", now=NOON, until=NOON + timedelta(minutes=1)) for node in range(20))
    )

    assert taken.count(True) == 1


async def test_a_lease_is_free_when_it_is_over_or_given_back(engine: Engine) -> None:
    minute = timedelta(minutes=1)

    assert await leases.take(engine, "job", "a", now=NOON, until=NOON + minute)
    assert not await leases.take(engine, "job", "b", now=NOON, until=NOON + minute)
    assert await leases.take(engine, "job", "b", now=NOON + minute, until=NOON + 2 * minute)
    await leases.release(engine, "job", "a")
    assert not await leases.take(engine, "job", "a", now=NOON + minute, until=NOON + 3 * minute)
    await leases.release(engine, "job", "b")
    assert await leases.take(engine, "job", "a", now=NOON + minute, until=NOON + 3 * minute)


async def test_a_holder_takes_its_lease_again_while_it_runs(engine: Engine) -> None:
    minute = timedelta(minutes=1)
    await leases.take(engine, "job", "a", now=NOON, until=NOON + minute)

    assert await leases.take(engine, "job", "a", now=NOON, until=NOON + 2 * minute)
    assert not await leases.take(engine, "job", "b", now=NOON + minute, until=NOON + 3 * minute)
