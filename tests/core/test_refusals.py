"""What somebody was refused stands in the log of the organization: the first at once, the rest of a minute as one."""

from __future__ import annotations

import asyncio

import pytest

from pulse_dash.core import audit, keys, projects
from pulse_dash.core.access import Permission, Role
from pulse_dash.core.actions import ACTIONS, REFUSED
from pulse_dash.core.audit import Filters
from pulse_dash.core.errors import Forbidden, NotFound
from pulse_dash.services import Services
from pulse_dash.store.audit_log import AuditEntry
from tests.doubles import MovableClock, kept
from tests.people import House, Person, Town


async def _house_with_viewer(town: Town) -> tuple[Person, House, Person]:
    owner = await town.person()
    house = await town.project(owner)
    return owner, house, await town.member(owner.organization, Role.VIEWER)


async def _refusals(town: Town, owner: Person) -> list[AuditEntry]:
    page = await audit.listing(town.work(owner), Filters(org_id=owner.organization.id), limit=100)
    return [entry for entry in page.items if entry.status == "failure"]


async def _close(services: Services, clock: MovableClock) -> None:
    clock.move(61)
    await services.system("a test").store.refusals.close(clock.now())


async def test_a_refusal_is_told_at_once_with_who_and_what(town: Town) -> None:
    owner, house, viewer = await _house_with_viewer(town)

    with pytest.raises(Forbidden):
        await keys.revoke(town.work(viewer), house.id, house.key.id)

    (entry,) = await _refusals(town, owner)
    assert (entry.action, entry.status) == ("key.revoked", "failure")
    assert entry.actor["id"] == viewer.actor.id
    assert entry.resource == {"type": "project", "id": house.id, "name": house.project.name}


async def test_the_rest_of_a_minute_is_one_entry_with_its_count(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner, house, viewer = await _house_with_viewer(town)
    work = town.work(viewer)

    await asyncio.gather(*(projects.delete(work, house.id) for _ in range(20)), return_exceptions=True)
    assert len(await _refusals(town, owner)) == 1
    await _close(services, clock)
    await _close(services, clock)

    summary, first = await _refusals(town, owner)
    assert first.changes == {}
    assert summary.changes == {"again": {"before": None, "after": 19}}


async def test_each_permission_and_each_minute_is_told_for_itself(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner, house, viewer = await _house_with_viewer(town)
    for _ in range(2):
        for refused in (
            keys.revoke(town.work(viewer), house.id, house.key.id),
            projects.delete(town.work(viewer), house.id),
        ):
            with pytest.raises(Forbidden):
                await refused
        await _close(services, clock)

    assert sorted(entry.action for entry in await _refusals(town, owner)) == [
        *["key.revoked"] * 2,
        *["project.deleted"] * 2,
    ]


async def test_what_a_stranger_cannot_see_is_told_to_nobody(town: Town, services: Services) -> None:
    owner, house, _ = await _house_with_viewer(town)
    stranger = await town.person()

    with pytest.raises(NotFound):
        await projects.delete(town.work(stranger), house.id)

    assert await _refusals(town, owner) == []
    assert await kept(services.engine, "refusals") == []


def test_every_permission_says_what_was_refused() -> None:
    assert set(REFUSED) == set(Permission)
    assert set(REFUSED.values()) <= set(ACTIONS)
