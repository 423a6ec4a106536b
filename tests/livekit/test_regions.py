"""Two real LiveKits, one of them a region's own: its projects run there, and it is checked by a call of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from livekit import rtc
from pydantic import SecretStr

from deploy.engines import Missing
from pulse_dash.core import media_events, projects, rooms, status, tokens
from pulse_dash.core.errors import NotFound, Unavailable
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from tests.doubles import BreakableEngine, MovableClock
from tests.engines.livekit import LiveKit, livekit_running
from tests.engines.plugin import lacks
from tests.livekit.guests import joined
from tests.people import House, Town
from tests.served import eventually

KEY, SECRET = "farkey", "a_secret_of_the_far_server_that_is_long_enough"


@pytest.fixture(scope="module")
def far_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """A second LiveKit, with a key of its own."""
    try:
        with livekit_running(tmp_path_factory.mktemp("far"), key=KEY, secret=SECRET) as server:
            yield server
    except Missing as missing:
        lacks(missing)


@pytest.fixture
async def services(
    settings: Settings, engine: BreakableEngine, clock: MovableClock, far_server: LiveKit
) -> AsyncIterator[Services]:
    """An installation whose region `far` has the second one, and `wrong` a secret that it does not take."""
    named = [
        {"name": "home"},
        {"name": "far", "url": far_server.url, "key": KEY, "secret": SECRET},
        {"name": "wrong", "url": far_server.url, "key": "otherkey", "secret": SECRET[::-1]},
    ]
    given = settings.model_copy(update={"regions": SecretStr(json.dumps(named))})
    made = assemble(given, engine, clock, Passwords(password_cost=4))  # type: ignore[arg-type]
    yield made
    await made.parts.store.logged()
    made.parts.passwords.close()
    for each in (made.livekit, *made.far_livekits):
        await each.close()


async def in_far(town: Town) -> House:
    """A project of that region."""
    owner = await town.person()
    house = await town.project(owner)
    await projects.change(town.work(owner), house.id, region="far")
    return house


async def minted(town: Town, house: House, identity: str) -> dict[str, str]:
    made = await tokens.create(await town.by_key(house), TokenRequest(room="lobby", identity=identity))
    return {"url": made.url, "token": made.token}


async def names(services: Services, region: str) -> list[str]:
    """The rooms that really run there, asked of the server itself."""
    server = services.parts.region_livekits.get(region, services.parts.livekit)
    return [room.name for room in await server.rooms()]


async def test_each_region_says_whether_its_own_livekit_answers(services: Services) -> None:
    work = services.system("a test's checks")
    await status.check(work)
    with pytest.raises(Unavailable) as refused:
        await services.parts.region_livekits["wrong"].ping()

    found = {each.name: each.status for each in status.regions(work)}
    assert found == {"home": "operational", "far": "operational", "wrong": "down"}
    assert refused.value.detail == "The LiveKit of wrong refuses our key. Check its key and secret in REGIONS."


async def test_people_of_a_project_there_meet_on_it_and_nowhere_else(
    town: Town, services: Services, livekit_server: LiveKit, far_server: LiveKit
) -> None:
    house = await in_far(town)
    work, name = await town.by_key(house), f"{house.id}.lobby"
    ada_asks = await minted(town, house, "ada")

    async def people() -> list[str]:
        return [person.identity for person in await rooms.participants(work, "lobby")]

    async with joined(ada_asks) as ada, joined(await minted(town, house, "bob")) as bob:
        assert await eventually(people) == ["ada", "bob"]
        assert (name in await names(services, "far"), name in await names(services, "")) == (True, False)
        assert (await tokens.validate(work, ada_asks["token"])).valid
        await services.live.look(services.system("a test's look"))
        now = services.live.now
        await tokens.revoke(work, identity="ada")
        await ada.put_out.wait()
        stays = not bob.put_out.is_set()
    with pytest.raises(rtc.ConnectError):
        async with joined({**ada_asks, "url": livekit_server.url}):
            pass

    assert ada_asks["url"] == far_server.url
    assert now is not None
    assert (now.rooms[house.id], now.away) == (1, frozenset({"wrong"}))
    assert stays
    assert (await tokens.validate(work, ada_asks["token"])).reason == "revoked"


async def test_what_it_says_by_webhook_is_taken_with_its_own_signature(
    town: Town, services: Services, far_server: LiveKit
) -> None:
    house = await in_far(town)
    seen: list[bool] = []

    async def first() -> bool:
        project = await town.services.system("a test").store.projects.get(house.id)
        return project.first_participant_at is not None

    async with joined(await minted(town, house, "ada")):

        async def told() -> tuple[bytes, str] | None:
            sent = [each for each in far_server.relay.signed if b"participant_joined" in each[0]]
            return next((each for each in sent if house.id.encode() in each[0]), None)

        body, signature = await eventually(told)
        seen.append(await first())
        assert await media_events.take(town.stranger, body, signature)
        seen.append(await first())

    assert seen == [False, True]


async def test_a_project_that_leaves_it_mints_for_the_other_and_the_room_of_before_goes_on(
    town: Town, services: Services, livekit_server: LiveKit
) -> None:
    house = await in_far(town)
    owner = services.system("a test")
    async with joined(await minted(town, house, "ada")) as ada:
        await services.system("a test").store.projects.get(house.id)
        moved = await projects.change(owner, house.id, region="home")
        after = await minted(town, house, "bob")
        work = await town.by_key(house)
        async with joined(after):
            assert after["url"] == livekit_server.url
            assert f"{house.id}.lobby" in await names(services, "far")
            with pytest.raises(NotFound):
                await rooms.remove_participant(work, "lobby", "ada")
            # Revoking looks where the project is now; where it was, accountability does.
            await tokens.revoke(work, identity="ada")
            await services.live.look(owner)
            services.accountability.heard(f"projects:{moved.id}")
            removed = await services.accountability.look(owner, services.live.rooms)
            await ada.put_out.wait()

    assert removed == 1
