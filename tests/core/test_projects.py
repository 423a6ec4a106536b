"""Projects: made with a first key, changed by who may, and gone with their keys."""

from __future__ import annotations

import pytest

from pulse_dash.core import keys, projects
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed, Unauthenticated
from pulse_dash.core.media import Snapshot
from pulse_dash.core.projects import Order
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.people import HOSTILE, Town


async def test_strangers_make_and_see_none(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    house = await town.project(owner)

    with pytest.raises(Unauthenticated):
        await projects.create(town.stranger, org_id=owner.organization.id, name="x")
    with pytest.raises(NotFound):
        await projects.create(town.work(stranger), org_id=owner.organization.id, name="x")
    with pytest.raises(NotFound):
        await projects.read(town.work(stranger), house.id)
    assert (await projects.listing(town.work(stranger))).items == []


async def test_a_projects_key_makes_none_beside_it(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    with pytest.raises(NotFound):
        await projects.create(await town.by_key(house), org_id=owner.organization.id, name="x")


@pytest.mark.parametrize(
    ("role", "changes", "deletes"),
    [(Role.ADMIN, True, True), (Role.DEVELOPER, True, False), (Role.VIEWER, False, False)],
)
async def test_who_changes_and_who_deletes(town: Town, role: Role, changes: bool, deletes: bool) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = town.work(await town.member(owner.organization, role))

    for may, call in ((changes, projects.change(work, house.id, name="x")), (deletes, projects.delete(work, house.id))):
        if may:
            await call
        else:
            with pytest.raises(Forbidden):
                await call


async def test_a_new_project_has_one_key_that_opens_it(town: Town) -> None:
    owner = await town.person()
    made = await projects.create(town.work(owner), org_id=owner.organization.id, name=f" {HOSTILE} ")

    known = await keys.recognize(town.stranger, made.key.public, made.key.secret.reveal())

    assert (made.project.name, made.project.region) == (HOSTILE, town.services.parts.policy.regions[0])
    assert known.actor.project_id == made.project.id
    assert [key.id for key in await keys.listing(town.work(owner), made.project.id)] == [made.key.id]


@pytest.mark.parametrize(
    "changed", [{"name": ""}, {"name": "a\x00"}, {"region": "mars"}, {"region": "US-EAST"}, {"region": ""}]
)
async def test_what_can_not_be_taken_is_named(town: Town, changed: dict[str, str]) -> None:
    owner = await town.person()
    house = await town.project(owner)
    for call in (
        projects.change(town.work(owner), house.id, **changed),
        projects.create(town.work(owner), org_id=owner.organization.id, **{"name": "x", **changed}),
    ):
        with pytest.raises(Invalid) as refused:
            await call
        assert [wrong.field for wrong in refused.value.errors] == list(changed)


async def test_a_change_leaves_what_it_does_not_name(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    moved = await projects.change(town.work(owner), house.id, region="eu-west")
    renamed = await projects.change(town.work(owner), house.id, name="New", version=moved.version)

    assert (moved.name, moved.region) == (house.project.name, "eu-west")
    assert (renamed.name, renamed.region, renamed.version) == ("New", "eu-west", moved.version + 1)
    with pytest.raises(PreconditionFailed):
        await projects.change(town.work(owner), house.id, name="Old", version=moved.version)


async def test_a_deleted_project_is_gone_with_its_keys_and_twice_is_not_found(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await town.by_key(house)

    await projects.delete(town.work(owner), house.id)

    with pytest.raises(Unauthenticated):
        await town.by_key(house)
    for call in (
        projects.delete(town.work(owner), house.id),
        keys.listing(town.work(owner), house.id),
        keys.create(town.work(owner), house.id, name="x"),
    ):
        with pytest.raises(NotFound):
            await call
    assert await services.engine.collection("projects").find_one({"_id": house.id})


async def test_a_list_is_of_ones_own_organizations_or_of_the_named_one(town: Town) -> None:
    owner, other = await town.person(), await town.person()
    mine, theirs = await town.project(owner, name="mine"), await town.project(other, name="theirs")
    both = town.work(await town.member(owner.organization, Role.VIEWER))

    assert [each.id for each in (await projects.listing(both)).items] == [mine.id]
    assert (await projects.listing(both, org_id=owner.organization.id, region="eu-west")).items == []
    with pytest.raises(NotFound):
        await projects.listing(both, org_id=other.organization.id)
    assert theirs.id not in [each.id for each in (await projects.listing(both, search="theirs")).items]


async def test_a_list_is_of_those_with_a_room_or_of_those_without(town: Town, services: Services) -> None:
    owner = await town.person()
    busy, idle = await town.project(owner), await town.project(owner)
    now(services, {busy.id: 1})

    assert await ids(town.work(owner), live=True) == [busy.id]
    assert await ids(town.work(owner), live=False) == [idle.id]
    assert await ids(town.work(owner), live=None) == [busy.id, idle.id]


async def test_while_livekit_is_away_nobody_is_called_idle(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    now(services, None)

    assert await ids(town.work(owner), live=True) == await ids(town.work(owner), live=False) == [house.id]


async def test_what_is_live_elsewhere_opens_no_list(town: Town, services: Services) -> None:
    owner, theirs = await town.person(), await town.house()
    now(services, {theirs.id: 3})

    assert await ids(town.work(owner), live=True) == []


@pytest.mark.parametrize(
    ("order", "names"),
    [(Order.OLDEST, "bca"), (Order.NEWEST, "acb"), (Order.NAME, "abc")],
    ids=str,
)
async def test_a_list_has_the_order_that_was_asked_for(town: Town, order: Order, names: str) -> None:
    owner = await town.person()
    for name in "bca":
        await town.project(owner, name=name)

    found = await projects.listing(town.work(owner), order=order)

    assert "".join(project.name for project in found.items) == names


async def ids(work: Work, *, live: bool | None) -> list[str]:
    return [project.id for project in (await projects.listing(work, live=live)).items]


def now(services: Services, rooms: dict[str, int] | None) -> None:
    services.live.now = None if rooms is None else Snapshot(rooms, dict.fromkeys(rooms, 1))
