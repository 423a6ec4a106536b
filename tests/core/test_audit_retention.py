"""The audit log lives one year: its beginning goes, verified, once, and the chain says so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from pulse_dash.core import audit_retention, audit_verify, projects
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.audit_verify import Verified, verify
from pulse_dash.core.audit_walk import Walked
from pulse_dash.core.errors import Invalid, Unavailable
from pulse_dash.services import Services
from pulse_dash.store.engine import Document
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import House, Person, Town

DAY = 86_400


@pytest.fixture
async def house(town: Town, owner: Person) -> House:
    return await town.project(owner)


@pytest.fixture
async def owner(town: Town) -> Person:
    return await town.person()


@pytest.fixture
async def old(town: Town, services: Services, owner: Person, house: House, clock: MovableClock) -> int:
    """Some entries of a year and two days ago, and some of today; answers how many there are in all."""
    for number in range(4):
        await projects.change(town.work(owner), house.id, name=f"then {number}")
    await services.parts.store.logged()
    clock.move(367 * DAY)
    for number in range(3):
        await projects.change(town.work(owner), house.id, name=f"now {number}")
    return len(await log_of(services, owner))


async def log_of(services: Services, owner: Person) -> list[Document]:
    entries = await kept(services.engine, "audit_log", org_id=owner.organization.id)
    return sorted(entries, key=lambda entry: entry.get("sequence", 0))


async def trim(services: Services) -> int:
    return await audit_retention.trim(services.system("a test"))


async def verified(town: Town, owner: Person, checkpoint: str | None = None) -> Verified:
    return await verify(town.work(owner), owner.organization.id, checkpoint=checkpoint)


async def test_what_is_older_than_a_year_goes_and_the_chain_says_so(
    town: Town, services: Services, owner: Person, old: int
) -> None:
    last_old = (await log_of(services, owner))[old - 4]

    await trim(services)

    entries = await log_of(services, owner)
    assert [entry["action"] for entry in entries] == ["project.updated"] * 3 + ["audit.trimmed"]
    assert entries[-1]["changes"]["through_sequence"] == {"before": 0, "after": old - 3}
    assert entries[-1]["changes"]["through_hash"]["after"] == last_old["hash"]
    found = await verified(town, owner)
    assert (found.fits, found.entries) == (True, 4)


async def test_trimming_again_changes_nothing(services: Services, owner: Person, old: int) -> None:
    await trim(services)
    before = await log_of(services, owner)

    await trim(services)

    assert await log_of(services, owner) == before


async def test_what_is_younger_stays(town: Town, services: Services, owner: Person, clock: MovableClock) -> None:
    before = await log_of(services, owner)
    clock.move(364 * DAY)

    assert await trim(services) == 0
    assert await log_of(services, owner) == before


async def test_a_beginning_that_was_changed_stays_for_people_to_look_at(
    town: Town, services: Services, owner: Person, old: int
) -> None:
    log = services.engine.collection("audit_log")
    await log.update_one({"_id": (await log_of(services, owner))[1]["_id"]}, {"$set": {"ip": "192.0.2.66"}})

    await trim(services)

    assert len(await log_of(services, owner)) == old
    fault = (await verified(town, owner)).fault
    assert fault is not None
    assert fault.sequence == 2


async def test_a_kill_after_any_operation_of_it_leaves_a_log_that_fits_and_the_next_run_ends_it(
    town: Town, services: Services, owner: Person, old: int, engine: BreakableEngine
) -> None:
    for operation in range(60):
        engine.gone_after = operation
        with suppress(Unavailable):
            await trim(services)
        over, engine.gone, engine.gone_after = not engine.gone, False, None
        found = await verified(town, owner)
        assert found.fits, (operation, found.fault)
        if over:
            break
    await trim(services)

    assert [entry["action"] for entry in await log_of(services, owner)][-1] == "audit.trimmed"
    assert len(await log_of(services, owner)) == 4


async def test_a_kill_before_what_is_older_than_the_chain_was_deleted_is_mended_by_the_next_run(
    town: Town, services: Services, owner: Person, old: int, engine: BreakableEngine
) -> None:
    first = (await log_of(services, owner))[0]
    early = {name: value for name, value in first.items() if name not in ("sequence", "previous", "hash", "version")}
    await trim(services)
    await engine.collection("audit_log").insert_many([{**early, "_id": f"aud_early{number}"} for number in range(2)])
    # The head speaks of them no longer, and the run that said so was killed before it deleted them.
    assert (await verified(town, owner)).fault is not None

    await trim(services)

    found = await verified(town, owner)
    assert (found.fits, found.unchained) == (True, 0)


async def test_a_verify_while_retention_deletes_looks_again(
    town: Town, services: Services, owner: Person, old: int, engine: BreakableEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.parts.store.logged()
    first = (await log_of(services, owner))[0]
    early = {name: value for name, value in first.items() if name not in ("sequence", "previous", "hash", "version")}
    await engine.collection("audit_log").insert_one({**early, "_id": "aud_early"})
    walked = audit_verify._walked

    async def walked_and_then_deleted(*given: Any) -> Walked:
        found = await walked(*given)
        await engine.collection("audit_log").delete_many({"_id": "aud_early"})
        return found

    monkeypatch.setattr(audit_verify, "_walked", walked_and_then_deleted)

    assert (await verified(town, owner)).fits


async def test_who_cuts_off_the_beginning_by_hand_is_found(
    town: Town, services: Services, owner: Person, old: int
) -> None:
    await verified(town, owner)
    await services.engine.collection("audit_log").delete_one({"_id": (await log_of(services, owner))[0]["_id"]})

    fault = (await verified(town, owner)).fault

    assert fault is not None
    assert (fault.reason, fault.sequence) == ("missing", 2)


async def test_who_puts_something_before_the_beginning_is_found(
    town: Town, services: Services, owner: Person, old: int
) -> None:
    before = (await log_of(services, owner))[1]
    await trim(services)
    await services.engine.collection("audit_log").insert_one({**before, "_id": "aud_of_nobody"})

    assert not (await verified(town, owner)).fits


async def test_a_checkpoint_of_what_is_gone_is_told(
    town: Town, services: Services, owner: Person, house: House, clock: MovableClock
) -> None:
    head = (await verified(town, owner)).head
    assert head is not None
    clock.move(367 * DAY)
    for number in range(2):
        await projects.change(town.work(owner), house.id, name=f"now {number}")
    later = (await verified(town, owner)).head
    assert later is not None
    await trim(services)
    clock.move(2 * DAY)
    await projects.change(town.work(owner), house.id, name="later")
    clock.move(364 * DAY)
    await projects.change(town.work(owner), house.id, name="much later")
    await services.parts.store.logged()
    await trim(services)

    with pytest.raises(Invalid):
        await verified(town, owner, written(head))


async def test_each_plan_keeps_its_days_and_what_has_none_the_most(
    town: Town, services: Services, owner: Person, house: House, clock: MovableClock
) -> None:
    policy = replace(services.parts.policy, audit_days={"free": 30, "pro": 365, "enterprise": 730})
    services = replace(services, parts=replace(services.parts, policy=policy))
    work = services.system("a test")
    for number in range(3):
        await projects.change(town.work(owner), house.id, name=f"then {number}")
    await services.parts.store.logged()
    clock.move(40 * DAY)
    await projects.change(town.work(owner), house.id, name="now")
    await services.parts.store.logged()

    trimmed = await audit_retention.trim(work)

    assert trimmed == 1
    assert [audit_retention.kept_days(work, plan) for plan in ("free", "pro", None)] == [30, 365, 730]
    assert [entry["action"] for entry in await log_of(services, owner)] == ["project.updated", "audit.trimmed"]
