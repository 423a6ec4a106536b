"""A clock that goes back moves nothing: leases stay whose they are, and documents stand in the order they came in."""

from __future__ import annotations

from datetime import timedelta

from pulse_dash.store import leases
from pulse_dash.store.engine import Engine
from tests.store.things import NOON, a_thing

BACK = NOON - timedelta(hours=1)
LIFE = timedelta(minutes=5)


async def test_a_lease_is_not_lost_nor_taken(engine: Engine) -> None:
    assert await leases.take(engine, "job", "one", now=NOON, until=NOON + LIFE)

    assert not await leases.take(engine, "job", "other", now=BACK, until=BACK + LIFE)
    assert await leases.take(engine, "job", "one", now=BACK, until=BACK + LIFE)


async def test_a_lease_that_ended_is_free_again_whatever_the_clock_was_meanwhile(engine: Engine) -> None:
    await leases.take(engine, "job", "one", now=BACK, until=BACK + LIFE)

    assert await leases.take(engine, "job", "other", now=NOON, until=NOON + LIFE)


async def test_documents_are_listed_in_the_order_they_came_in(engine: Engine) -> None:
    things = engine.collection("things")
    for name, moment in (("first", NOON), ("second", BACK), ("third", NOON)):
        await things.insert_one(a_thing(name, made_at=moment))

    assert [thing["_id"] for thing in await things.find({})] == ["first", "second", "third"]
