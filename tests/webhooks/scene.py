"""What tests of webhooks do: make one, let something happen, send what is due, look what became of it."""

from __future__ import annotations

from typing import Any

import orjson

from pulse_dash.core import media_events, project_webhooks, webhook_deliveries
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.project_webhooks import GivenWebhook, ShownWebhook
from tests.people import House, Town


async def told(town: Town, house: House, url: str, **given: Any) -> ShownWebhook:
    """A webhook of the project, made by its key."""
    return await project_webhooks.create(await town.by_key(house), house.id, GivenWebhook(url, **given))


async def happens(town: Town, house: House, name: str = "participant_joined", number: int = 1) -> None:
    """LiveKit says that something happened."""
    room = {"name": f"{house.id}.lobby", "sid": "RM_1", "emptyTimeout": 300}
    somebody = {"identity": "ada", "sid": "PA_1", "name": "Ada", "attributes": {"pulse": "tok_x.key_x.1.mac"}}
    body = {"event": name, "id": f"EV_{number}", "room": room}
    if name.startswith("participant_"):
        body["participant"] = somebody
    system = town.services.system("a test's LiveKit")
    event = MediaEvent(f"EV_{number}", name, f"{house.id}.lobby", system.clock.now(), orjson.dumps(body).decode())
    await media_events.keep(system, event)


async def sent(town: Town) -> None:
    """Send what is due, and wait until it is over."""
    await town.services.webhooks.begin(town.services.system("a test"))
    await town.services.webhooks.settle()


async def states(town: Town, house: House) -> list[tuple[str, int]]:
    found = await webhook_deliveries.listing(town.services.system("a test"), house.id)
    return [(each.state, each.attempts) for each in found.items]
