"""A LiveKit that runs rooms and tells nothing of them is pointed out, and a quiet room is no silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pulse_dash.core import health, media_events, projects, silence
from pulse_dash.core.connections import GivenLiveKit
from pulse_dash.core.errors import NotFound
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.media_servers import OwnLiveKits
from pulse_dash.core.secret import Secret
from pulse_dash.services import Services
from tests.doubles import MovableClock, RunningLiveKit
from tests.people import House, Person, Town

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def livekit() -> RunningLiveKit:
    return RunningLiveKit()


@pytest.fixture
def own_server() -> RunningLiveKit:
    return RunningLiveKit("APIown", "the-secret-of-our-own-livekit")


@pytest.fixture
def services(services: Services, livekit: RunningLiveKit, own_server: RunningLiveKit) -> Services:
    """All parts, with those LiveKits."""
    own = OwnLiveKits(lambda *_: own_server, services.parts.vault)
    return replace(services, parts=replace(services.parts, livekit=livekit, own_livekits=own))


async def looked(services: Services, clock: MovableClock, seconds: float = 31) -> None:
    """The job looks now, and again after so long."""
    system = services.system("a test's look")
    for wait in (0, seconds):
        clock.move(wait)
        services.parts.freshness.read()
        await services.live.look_at_own(system)
        await services.live.look(system)


async def told(town: Town, room: str, event_id: str = "EV_1") -> None:
    await media_events.keep(town.stranger, MediaEvent(event_id, "room_started", room, AT, "{}"))


async def silent(town: Town, owner: Person, house: House) -> bool:
    return await silence.of(town.work(owner), project_id=house.id) is not None


async def test_a_room_that_livekit_never_told_of_is_silence_after_thirty_seconds(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    owner, stranger = await town.person(), await town.person()
    house, quiet = await town.project(owner), await town.project(owner)
    livekit.people |= {f"{house.id}.lobby": ["ada"]}

    await looked(services, clock, seconds=29)
    early = await silent(town, owner, house)
    await looked(services, clock, seconds=2)

    assert (early, await silent(town, owner, house), await silent(town, owner, quiet)) == (False, True, False)
    found = await silence.of(town.work(owner), org_id=owner.organization.id)
    assert found is not None
    assert found.projects == (house.id,)
    assert '"testkey"' in found.yaml
    assert '"http://localhost:8000/v1/internal/livekit/webhook"' in found.yaml
    with pytest.raises(NotFound):
        await silence.of(town.work(stranger), project_id=house.id)
    assert await silence.of(town.work(stranger), org_id=stranger.organization.id) is None


async def test_a_room_that_was_told_of_may_be_quiet_for_hours(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    livekit.people |= {f"{house.id}.lobby": ["ada"]}
    await told(town, f"{house.id}.lobby")

    await looked(services, clock, seconds=7200)

    assert not await silent(town, owner, house)


async def test_the_first_word_ends_it(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    livekit.people |= {f"{house.id}.lobby": ["ada"]}
    await looked(services, clock)
    before = await silent(town, owner, house)
    await told(town, f"{house.id}.lobby")
    await looked(services, clock, seconds=3)

    assert (before, await silent(town, owner, house)) == (True, False)


async def test_readiness_names_it_and_stays_ready(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    house = await town.house()
    livekit.people |= {f"{house.id}.lobby": ["ada"]}
    await looked(services, clock)
    seen = await health.look(services.system("a test"))
    (part,) = [part for part in seen.parts if part.name == "livekit_events"]

    assert (part.colour, seen.ready) == ("red", True)
    assert "webhook:" in part.detail


async def test_a_room_of_somebody_elses_is_no_silence_of_ours(
    services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    livekit.people |= {"somebody-elses": ["x"]}
    await looked(services, clock)

    assert services.live.now is not None
    assert services.live.now.unheard == frozenset()


async def test_an_own_livekit_is_counted_and_its_silence_names_its_own_lines(
    town: Town, services: Services, own_server: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    given = GivenLiveKit("wss://own.example.com", "APIown", Secret("the-secret-of-our-own-livekit"))
    own = (await projects.change(town.work(owner), house.id, livekit=given)).livekit
    assert own is not None
    own_server.people |= {"lobby": ["ada", "bob"]}
    await looked(services, clock)
    now = services.live.now
    found = await silence.of(town.work(owner), project_id=house.id)

    assert now is not None
    assert (now.rooms[house.id], now.people[house.id]) == (1, 2)
    assert found is not None
    assert found.own
    assert f"/webhook/{own.id}" in found.yaml
    assert "APIown" not in found.yaml
    parts = {part.name: part.colour for part in (await health.look(services.system("a test"))).parts}
    assert parts["livekit_events"] == "green"
    own_server.gone = True
    await looked(services, clock)
    assert services.live.now is not None
    assert house.id not in services.live.now.rooms


async def test_no_room_of_somebody_else_hides_that_nothing_is_heard_of_mine(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    noisy, owner = await town.house(), await town.person()
    house = await town.project(owner)
    livekit.people |= {f"{noisy.id}.{number}": ["eve"] for number in range(25)}
    livekit.people |= {f"{house.id}.lobby": ["ada"]}

    await looked(services, clock)
    await looked(services, clock, seconds=3)

    assert await silent(town, owner, house)


async def test_a_name_that_was_told_of_in_another_run_is_silence_in_this_one(
    town: Town, services: Services, livekit: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await told(town, f"{house.id}.lobby")
    clock.move(3600)
    livekit.people |= {f"{house.id}.lobby": ["ada"]}

    await looked(services, clock)

    assert await silent(town, owner, house)


async def test_an_own_livekit_is_seen_while_the_installations_is_away(
    town: Town, services: Services, livekit: RunningLiveKit, own_server: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    given = GivenLiveKit("wss://own.example.com", "APIown", Secret("the-secret-of-our-own-livekit"))
    await projects.change(town.work(owner), house.id, livekit=given)
    own_server.people |= {"lobby": ["ada"]}
    livekit.gone = True

    await looked(services, clock)

    assert services.live.now is not None
    assert services.live.now.people[house.id] == 1
    # Of the installation's events nothing is said while it is away.
    assert [part.name for part in (await health.look(services.system("a test"))).parts][-1] == "livekit"
