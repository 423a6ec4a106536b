"""What a project's webhook is told of a real room, from LiveKit's own events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.core import media_events, project_webhooks, rooms, tokens
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.project_webhooks import GivenWebhook
from pulse_dash.core.room_names import livekit_name
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services
from tests.engines.livekit import LiveKit
from tests.livekit.guests import joined
from tests.people import Town
from tests.receiver import Receiver, receiving
from tests.served import eventually

HAPPENS = ["room_started", "participant_joined", "participant_left", "room_ended"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


def events(livekit: LiveKit, room: str) -> list[MediaEvent]:
    """What LiveKit told of this room so far, by its webhook."""
    told = [(json.loads(body), body.decode()) for body in list(livekit.relay.bodies)]
    return [
        MediaEvent(said["id"], said["event"], room, datetime.fromtimestamp(int(said["createdAt"]), UTC), body)
        for said, body in told
        if said.get("room", {}).get("name") == room
    ]


async def test_a_room_is_told_from_its_begin_to_its_end(
    services: Services, receiver: Receiver, livekit_server: LiveKit
) -> None:
    outbound = OutboundClient(frozenset({Allowed(Purpose.WEBHOOK, "127.0.0.1", receiver.port)}))
    town = Town(replace(services, parts=replace(services.parts, outbound=outbound)))
    house = await town.house()
    by_key = await town.by_key(house)
    await project_webhooks.create(by_key, house.id, GivenWebhook(receiver.url))
    made = await tokens.create(by_key, TokenRequest(room="lobby", identity="ada", name="Ada Lovelace"))

    async with joined({"url": made.url, "token": made.token}):
        pass
    await rooms.end(by_key, "lobby", house.id)

    async def told() -> bool:
        for event in events(livekit_server, livekit_name(house.id, "lobby")):
            await media_events.keep(town.stranger, event)
        await town.services.webhooks.begin(town.services.system("a test"))
        await town.services.webhooks.settle()
        return {body["type"] for body in receiver.bodies} == set(HAPPENS)

    assert await eventually(told)
    assert sorted(body["type"] for body in receiver.bodies) == sorted(HAPPENS)
    assert all(body["data"]["room"]["name"] == "lobby" for body in receiver.bodies)
    somebody = [body["data"]["participant"] for body in receiver.bodies if "participant" in body["data"]]
    assert [(each["identity"], each["name"]) for each in somebody] == [("ada", "Ada Lovelace")] * 2
