"""The figures of a dashboard: true to the count, of one organization alone, and kept while the database is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pulse_dash.core import keys, tokens
from pulse_dash.core.errors import NotFound, Unauthenticated, Unavailable
from pulse_dash.core.figures import DAYS, ProjectNow, overview
from pulse_dash.core.media import Snapshot
from pulse_dash.core.tallying import API_REQUESTS, TOKENS
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, MovableClock
from tests.people import Town

REQUEST = TokenRequest(room="lobby", identity="ada")


async def flush(services: Services) -> None:
    await services.parts.tallying.flush(services.system("test").store)


async def mint(work: Work, times: int) -> None:
    for _ in range(times):
        await tokens.create(work, REQUEST)


async def test_strangers_see_no_figures(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()

    with pytest.raises(Unauthenticated):
        await overview(town.stranger, owner.organization.id)
    with pytest.raises(NotFound):
        await overview(town.work(stranger), owner.organization.id)


async def test_a_new_organization_has_nothing_and_its_first_step_ahead(town: Town) -> None:
    owner = await town.person()

    seen = await overview(town.work(owner), owner.organization.id)

    assert (seen.projects, seen.tokens_today, seen.requests_month) == (0, 0, 0)
    assert (seen.checklist.project, seen.checklist.done) == (None, 0)
    assert seen.people_live is None
    assert len(seen.days) == DAYS


async def test_tokens_and_requests_are_counted_by_day_and_by_organization(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner, other = await town.person(), await town.house()
    house = await town.project(owner)
    # Noon, so that no hour of this test lies on another day.
    clock.move((12 - clock.now().hour) % 24 * 3600)
    await services.feed.read()
    work = await town.by_key(house)
    await mint(work, 3)
    await flush(services)
    clock.move(24 * 3600)
    await services.feed.read()
    await mint(work, 2)
    await mint(await town.by_key(other), 7)
    services.parts.tallying.count(owner.organization.id, house.id, API_REQUESTS)
    await flush(services)

    seen = await overview(town.work(owner), owner.organization.id)

    assert (seen.tokens_yesterday, seen.tokens_today) == (3, 2)
    assert [(day.tokens, day.requests) for day in seen.days[-2:]] == [(3, 0), (2, 1)]
    assert [day.day for day in seen.days] == [
        clock.now().date() - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)
    ]


async def test_counts_of_one_hour_add_up_over_flushes_and_nodes(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = await town.by_key(house)
    for _ in range(3):
        await mint(work, 2)
        await flush(services)

    assert (await overview(town.work(owner), owner.organization.id)).tokens_today == 6


async def test_what_can_not_be_written_stays_counted(town: Town, services: Services, engine: BreakableEngine) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = await town.by_key(house)
    await mint(work, 2)
    services.parts.tallying.used(house.key.id)
    engine.gone = True
    with pytest.raises(Unavailable):
        await flush(services)
    await mint(work, 1)
    engine.gone = False

    await flush(services)

    seen = await overview(town.work(owner), owner.organization.id)
    assert seen.tokens_today == 3
    assert seen.checklist.used_key
    assert seen.checklist.minted_token


@pytest.mark.parametrize("failing", [1, 2, 3])
async def test_a_flush_that_dies_half_way_counts_nothing_twice(
    town: Town, services: Services, engine: BreakableEngine, failing: int
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await mint(await town.by_key(house), 2)
    services.parts.tallying.used(house.key.id)
    engine.gone_after = failing - 1
    with pytest.raises(Unavailable):
        await flush(services)
    engine.gone_after, engine.gone = None, False

    await flush(services)
    await flush(services)

    assert (await overview(town.work(owner), owner.organization.id)).tokens_today == 2
    assert (await keys.listing(town.work(owner), house.id))[0].last_used_at is not None


async def test_a_key_was_last_used_at_its_latest_use_whatever_is_written_later(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    latest = clock.now() + timedelta(hours=1)
    store = services.system("test").store
    await store.keys.note_used({house.key.id: latest})

    await store.keys.note_used({house.key.id: clock.now()})

    assert (await keys.listing(town.work(owner), house.id))[0].last_used_at == latest


async def test_metrics_are_told_apart(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    for metric, times in ((TOKENS, 1), (API_REQUESTS, 4)):
        for _ in range(times):
            services.parts.tallying.count(owner.organization.id, house.id, metric)
    await flush(services)

    seen = await overview(town.work(owner), owner.organization.id)

    assert (seen.tokens_today, seen.days[-1].requests, seen.requests_month) == (1, 4, 4)


async def test_each_project_has_its_own_figures(town: Town, services: Services) -> None:
    owner = await town.person()
    busy, idle = await town.project(owner), await town.project(owner)
    await mint(await town.by_key(busy), 2)
    await flush(services)
    services.live.now = Snapshot({busy.id: 1}, {busy.id: 4})

    seen = await overview(town.work(owner), owner.organization.id)

    assert seen.by_project == {busy.id: ProjectNow(4, 1, 2), idle.id: ProjectNow(0, 0, 0)}


async def test_while_livekit_is_away_nobody_knows_who_is_live(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    seen = await overview(town.work(owner), owner.organization.id)

    assert seen.by_project == {house.id: ProjectNow(None, None, 0)}


@pytest.mark.parametrize(
    ("snapshot", "operational"),
    [(None, False), (Snapshot({}, {}), True), (Snapshot({"prj": 1}, {"prj": 1}, frozenset({"prj"})), False)],
    ids=["livekit is away", "all works", "nothing is heard of a room"],
)
async def test_operational_is_said_only_where_it_is_true(
    town: Town, services: Services, snapshot: Snapshot | None, operational: bool
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await services.feed.read()
    if snapshot is not None:
        snapshot = replace(snapshot, unheard=frozenset(house.id for _ in snapshot.unheard))
    services.live.now = snapshot

    assert (await overview(town.work(owner), owner.organization.id)).operational is operational


async def test_days_that_are_over_are_read_once_a_minute(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    owner = await town.person()
    work = town.work(owner)
    await services.parts.store.logged()

    async def cost() -> int:
        before = engine.operations
        await overview(work, owner.organization.id)
        return engine.operations - before

    first, again = await cost(), await cost()
    clock.move(61)
    await services.feed.read()

    assert (again, await cost()) == (first - 1, first)
