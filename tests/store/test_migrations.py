"""Steps of the schema are taken once, in order, by one node, and again where one was cut in the middle."""

from __future__ import annotations

from typing import Any

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.engine import Engine
from pulse_dash.store.migrations import MIGRATIONS, Migration, migrate
from tests.doubles import MovableClock
from tests.store.things import a_thing


def _sizes(version: int, taken: list[int], *, breaking: bool = False, fails: bool = False) -> Migration:
    async def step(engine: Engine) -> None:
        taken.append(version)
        await engine.collection("things").update_many({}, {"$set": {"size": version}})
        if fails:
            raise Unavailable("store")

    return Migration(version, "sizes", step, breaking=breaking)


def _account_of_before(user_id: str, clock: MovableClock) -> dict[str, Any]:
    account = {"email": "ada@example.com", "name": "Ada", "password_hash": "x", "operator": False, "pending": []}
    return {"_id": user_id, **account, "created_at": clock.now(), "updated_at": clock.now(), "version": 1}


async def test_a_new_store_is_of_the_newest_version_that_this_pulse_knows(engine: Engine, clock: MovableClock) -> None:
    assert await migrate(engine, clock, "me") == MIGRATIONS[-1].version


async def test_an_account_of_before_holds_its_address(engine: Engine, clock: MovableClock) -> None:
    await engine.collection("users").insert_one(_account_of_before("usr_1", clock))

    await migrate(engine, clock, "me")

    assert await engine.collection("users").count_documents({"login": "ada@example.com"}) == 1


async def test_each_step_is_taken_once_and_in_order(engine: Engine, clock: MovableClock) -> None:
    await engine.collection("things").insert_one(a_thing("one"))
    taken: list[int] = []
    steps = [_sizes(2, taken), _sizes(3, taken)]

    assert await migrate(engine, clock, "me", steps[:1]) == 2
    assert await migrate(engine, clock, "me", steps) == 3
    assert await migrate(engine, clock, "me", steps) == 3

    assert taken == [2, 3]
    assert await engine.collection("things").count_documents({"size": 3}) == 1


async def test_a_step_that_was_cut_is_taken_again(engine: Engine, clock: MovableClock) -> None:
    taken: list[int] = []
    with pytest.raises(Unavailable):
        await migrate(engine, clock, "me", [_sizes(2, taken, fails=True)])

    assert await migrate(engine, clock, "me", [_sizes(2, taken)]) == 2
    assert taken == [2, 2]


async def test_an_older_node_still_serves_after_a_step_that_adds_and_not_after_one_that_breaks(
    engine: Engine, clock: MovableClock
) -> None:
    await migrate(engine, clock, "me", [_sizes(2, [])])
    assert await migrate(engine, clock, "old", []) == 2

    await migrate(engine, clock, "me", [_sizes(2, []), _sizes(3, [], breaking=True)])
    with pytest.raises(Unavailable, match="Upgrade"):
        await migrate(engine, clock, "old", [_sizes(2, [])])


async def test_one_node_takes_the_steps(engine: Engine, clock: MovableClock) -> None:
    async def meanwhile(_: Engine) -> None:
        with pytest.raises(Unavailable, match="Another node"):
            await migrate(engine, clock, "other", [Migration(2, "slow", meanwhile)])

    assert await migrate(engine, clock, "me", [Migration(2, "slow", meanwhile)]) == 2


async def test_an_account_of_before_gets_its_epochs_and_keeps_those_it_has(engine: Engine, clock: MovableClock) -> None:
    users = engine.collection("users")
    await users.insert_one(_account_of_before("usr_old", clock))
    await users.insert_one({**_account_of_before("usr_new", clock), "email": "bob@example.com", "epoch": 3})

    await migrate(engine, clock, "node")

    found = {user["_id"]: (user["epoch"], user["tokens_epoch"]) for user in await users.find({})}
    assert found == {"usr_old": (0, 0), "usr_new": (3, 0)}
