"""A project on a real LiveKit of its own, reached through the one way out: joined, listed, emptied, and told apart."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from livekit import api
from pydantic import SecretStr

from pulse_dash.core import connections, projects, rooms, tokens
from pulse_dash.core.connections import GivenLiveKit
from pulse_dash.core.media_token import Signer
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.core.tokens import Agent, RoomConfig, TokenRequest
from pulse_dash.settings import Settings
from tests.engines.livekit import LiveKit
from tests.livekit.guests import joined
from tests.people import House, Person, Town
from tests.served import eventually


@pytest.fixture
def settings(settings: Settings, livekit_server: LiveKit) -> Settings:
    """An installation without this LiveKit, whose tenants may name it."""
    place = urlsplit(livekit_server.url)
    allowed = Allowed(Purpose.LIVEKIT, place.hostname or "", place.port or 0)
    nowhere = {"livekit_host": "ws://127.0.0.1:1", "livekit_api_key": "nokey", "livekit_api_secret": SecretStr("none")}
    return settings.model_copy(update={**nowhere, "outbound_allow": (allowed,)})


async def with_own(town: Town, owner: Person, server: LiveKit, **other: Secret) -> House:
    """A project on that LiveKit."""
    house = await town.project(owner)
    given = GivenLiveKit(server.url, server.api_key, Secret(server.api_secret))
    await projects.change(town.work(owner), house.id, livekit=replace(given, **other))
    return house


async def test_its_rooms_are_joined_listed_and_emptied(town: Town, livekit_server: LiveKit) -> None:
    owner = await town.person()
    house = await with_own(town, owner, livekit_server)
    work = await town.by_key(house)
    minted = await tokens.create(work, TokenRequest(room="own-lobby", identity="ada"))

    async def people() -> list[str]:
        return [person.identity for person in await rooms.participants(work, "own-lobby")]

    async with joined({"url": minted.url, "token": minted.token}) as ada:
        assert await eventually(people) == ["ada"]
        assert "own-lobby" in [room.name for room in await rooms.listing(work)]
        await rooms.remove_participant(work, "own-lobby", "ada")
        await ada.put_out.wait()
    tried = await connections.try_livekit(town.work(owner), house.id)

    assert tried.works
    assert tried.sentence.startswith("LiveKit takes this key.")


async def test_a_wrong_secret_is_told_with_what_to_do(town: Town, livekit_server: LiveKit) -> None:
    owner = await town.person()
    house = await with_own(town, owner, livekit_server, api_secret=Secret("not-the-secret-of-this-server-at-all"))

    tried = await connections.try_livekit(town.work(owner), house.id)

    assert not tried.works
    assert "refuses the API key or its secret" in tried.sentence


async def test_agents_and_claims_of_the_token_reach_the_server(town: Town, livekit_server: LiveKit) -> None:
    by_key = await town.by_key(await with_own(town, await town.person(), livekit_server))
    config = RoomConfig(agents=(Agent("helper", "takes notes"),))
    asked = TokenRequest(room="with-agents", identity="ada", room_config=config, claims={"seat": 7})
    minted = await tokens.create(by_key, asked)

    async with (
        api.LiveKitAPI(livekit_server.http_url, livekit_server.api_key, livekit_server.api_secret) as server,
        joined({"url": minted.url, "token": minted.token}),
    ):
        dispatched = await eventually(lambda: server.agent_dispatch.list_dispatch("with-agents"))
    claims, _ = Signer(livekit_server.api_secret.encode()).read(minted.token, now=0)

    assert [(each.agent_name, each.metadata) for each in dispatched] == [("helper", "takes notes")]
    assert claims["pulse"]["claims"] == {"seat": 7}
