"""The engines themselves: each answers, and what is missing is said by name."""

from __future__ import annotations

import uuid

import pytest
from livekit import api
from playwright.async_api import Browser
from redis.asyncio import Redis as Client

from deploy.engines import Missing
from tests.engines import plugin
from tests.engines.livekit import LiveKit
from tests.engines.redis import Redis


async def test_livekit_makes_a_room_and_says_so_by_webhook(livekit_server: LiveKit) -> None:
    name = f"room-{uuid.uuid4().hex}"
    async with api.LiveKitAPI(livekit_server.http_url, livekit_server.api_key, livekit_server.api_secret) as livekit:
        await livekit.room.create_room(api.CreateRoomRequest(name=name))
        rooms = await livekit.room.list_rooms(api.ListRoomsRequest(names=[name]))
        await livekit.room.delete_room(api.DeleteRoomRequest(room=name))

    assert [room.name for room in rooms.rooms] == [name]
    assert "room_started" in livekit_server.events()


async def test_chromium_renders_a_page(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content("<h1>Pulse</h1>")

    assert await page.text_content("h1") == "Pulse"


async def test_redis_keeps_a_value(redis_server: Redis) -> None:
    async with Client.from_url(redis_server.url) as client:
        await client.set("pulse", "1")

        assert await client.get("pulse") == b"1"


def test_a_missing_engine_is_a_skip_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="livekit-server is not here"):
        plugin.lacks(Missing("livekit-server is not here"))


def test_a_missing_engine_is_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="livekit-server is not here"):
        plugin.lacks(Missing("livekit-server is not here"))


def test_who_asks_for_an_engine_is_marked_with_it(request: pytest.FixtureRequest) -> None:
    asking = [item for item in request.session.items if "livekit_server" in getattr(item, "fixturenames", ())]

    assert asking
    assert all(item.get_closest_marker("livekit") for item in asking)
