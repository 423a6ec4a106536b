"""Restoring a deleted organization: by an owner, within thirty days, with its projects and with no key that worked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pulse_dash.core import audit, keys, organizations, projects, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.audit import Filters
from pulse_dash.core.connections import GivenLiveKit
from pulse_dash.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from pulse_dash.core.secret import Secret
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from pulse_dash.store.records import Moved
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import House, Person, Town


async def now(town: Town, person: Person) -> Work:
    """What the person works with after whatever has changed."""
    return town.services.as_(await sessions.recognize(town.stranger, person.access_token))


async def gone(town: Town) -> tuple[Person, House]:
    """An owner whose organization, with a project, is deleted."""
    owner = await town.person()
    house = await town.project(owner)
    await organizations.delete(town.work(owner), owner.organization.id)
    return owner, house


async def test_a_stranger_and_a_key_find_nothing_to_restore(town: Town) -> None:
    owner, _ = await gone(town)
    stranger, elsewhere = await town.person(), await town.by_key(await town.house())

    for work in (town.work(stranger), elsewhere):
        with pytest.raises(NotFound):
            await organizations.restore(work, owner.organization.id)
        assert await organizations.deleted(work) == []
    with pytest.raises(Unauthenticated):
        await organizations.restore(town.stranger, owner.organization.id)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
async def test_a_member_who_may_not_delete_it_may_not_restore_it(town: Town, role: Role) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)
    await organizations.delete(town.work(owner), owner.organization.id)

    with pytest.raises(Forbidden):
        await organizations.restore(await now(town, member), owner.organization.id)
    assert await organizations.deleted(await now(town, member)) == []


async def test_it_comes_back_with_its_projects_and_the_same_members(town: Town) -> None:
    owner, house = await gone(town)
    assert [each.id for each in await organizations.deleted(await now(town, owner))] == [owner.organization.id]

    await organizations.restore(await now(town, owner), owner.organization.id)

    work = await now(town, owner)
    restored = await organizations.read(work, owner.organization.id)
    assert (restored.name, restored.members) == (owner.organization.name, owner.organization.members)
    assert (await projects.read(work, house.id)).name == house.project.name
    assert await organizations.deleted(work) == []


async def test_a_project_that_was_deleted_before_stays_deleted(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await projects.delete(town.work(owner), house.id)
    await organizations.delete(town.work(owner), owner.organization.id)

    await organizations.restore(await now(town, owner), owner.organization.id)

    with pytest.raises(NotFound):
        await projects.read(await now(town, owner), house.id)


async def test_its_keys_stay_revoked_and_a_new_one_opens_its_project(town: Town) -> None:
    owner, house = await gone(town)
    await organizations.restore(await now(town, owner), owner.organization.id)

    with pytest.raises(Unauthenticated):
        await town.by_key(house)
    work = await now(town, owner)
    assert all(key.revoked_at for key in await keys.listing(work, house.id))
    fresh = await keys.create(work, house.id, name="new")
    assert await keys.recognize(town.stranger, fresh.public, fresh.secret.reveal())


async def test_after_thirty_days_it_is_nowhere(town: Town, clock: MovableClock) -> None:
    owner, _ = await gone(town)
    work = await now(town, owner)

    clock.move((organizations.RESTORABLE - timedelta(seconds=1)).total_seconds())
    assert await organizations.deleted(work)
    clock.move(1)
    assert await organizations.deleted(work) == []
    with pytest.raises(NotFound):
        await organizations.restore(work, owner.organization.id)


async def test_what_is_there_is_not_restored(town: Town) -> None:
    owner, _ = await gone(town)
    await organizations.restore(await now(town, owner), owner.organization.id)

    with pytest.raises(NotFound):
        await organizations.restore(await now(town, owner), owner.organization.id)


async def test_of_two_who_restore_it_at_once_one_does(town: Town, services: Services) -> None:
    owner, _ = await gone(town)
    work = await now(town, owner)

    outcomes = await asyncio.gather(
        *[organizations.restore(work, owner.organization.id) for _ in range(2)], return_exceptions=True
    )

    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, Moved | NotFound) for each in refused)
    entries = len(await kept(services.engine, "audit_log", action="organization.restored"))
    assert (entries, len(refused)) == (1, 1)


async def test_the_log_tells_of_it_and_of_each_key(town: Town) -> None:
    owner, house = await gone(town)
    await organizations.restore(await now(town, owner), owner.organization.id)

    newest = (await audit.listing(await now(town, owner), Filters(org_id=owner.organization.id), limit=3)).items

    told = {(entry.action, entry.resource["id"], entry.actor["id"]) for entry in newest}
    assert told == {
        ("organization.restored", owner.organization.id, owner.actor.id),
        ("key.revoked", house.key.id, owner.actor.id),
        ("organization.deleted", owner.organization.id, owner.actor.id),
    }


async def test_a_kill_at_any_operation_brings_back_no_key_that_works(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    for operations in range(1, 20):
        engine.gone, engine.gone_after = False, None
        owner, house = await gone(town)
        work, engine.gone_after = await now(town, owner), operations
        whole = True
        try:
            await organizations.restore(work, owner.organization.id)
        except Unavailable:
            whole = False
        engine.gone, engine.gone_after = False, None
        await services.parts.store.drain()

        with pytest.raises(Unauthenticated):
            await town.by_key(house)
        if not whole and await organizations.deleted(await now(town, owner)):
            await organizations.restore(await now(town, owner), owner.organization.id)
        assert await projects.read(await now(town, owner), house.id)
        with pytest.raises(Unauthenticated):
            await town.by_key(house)


async def test_what_nobody_can_restore_any_more_lets_its_livekit_go(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner, other = await town.person(), await town.person()
    house, theirs = await town.project(owner), await town.project(other)
    given = GivenLiveKit("wss://own.example.com", "APIown", Secret("the-secret-of-our-own-livekit"))
    await projects.change(town.work(owner), house.id, livekit=given)
    await organizations.delete(town.work(owner), owner.organization.id)
    system = services.system("a test")
    clock.move((organizations.RESTORABLE - timedelta(seconds=1)).total_seconds())
    early = await projects.let_go(system)
    clock.move(2)

    assert (early, await projects.let_go(system), await projects.let_go(system)) == (0, 1, 0)
    assert await system.store.projects.with_own_livekit() == []
    await projects.change(town.work(other), theirs.id, livekit=given)
