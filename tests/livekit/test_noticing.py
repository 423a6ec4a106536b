"""What Pulse notices by itself of people in real rooms, as its job does every few seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pulse_dash.core import figures, media_events, projects, tokens
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.room_names import livekit_name
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services
from tests.engines.livekit import LiveKit
from tests.livekit.guests import joined
from tests.people import House, Town
from tests.served import eventually


async def seen(services: Services, house: House) -> bool:
    """Let the job look once; whether it saw somebody in this project."""
    await services.live.look(services.system("a test's look"))
    now = services.live.now
    return now is not None and bool(now.people.get(house.id))


def events(livekit: LiveKit) -> list[MediaEvent]:
    """Who joined so far, as LiveKit told it by its webhook."""
    told = [(json.loads(body), body.decode()) for body in list(livekit.relay.bodies)]
    return [
        MediaEvent(
            said["id"], said["event"], said["room"]["name"], datetime.fromtimestamp(int(said["createdAt"]), UTC), body
        )
        for said, body in told
        if said["event"] == "participant_joined"
    ]


async def minted(town: Town, house: House) -> dict[str, str]:
    made = await tokens.create(await town.by_key(house), TokenRequest(room="lobby", identity="ada"))
    return {"url": made.url, "token": made.token}


async def test_the_first_participant_of_a_project_is_noted_once(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    before = (await projects.read(town.work(owner), house.id)).first_participant_at
    async with joined(await minted(town, house)):
        assert await eventually(lambda: seen(services, house))
        noted = (await projects.read(town.work(owner), house.id)).first_participant_at
        services.parts.clock.move(60)  # type: ignore[attr-defined]
        await seen(services, house)
        later = (await projects.read(town.work(owner), house.id)).first_participant_at

    assert before is None
    assert noted is not None
    assert later == noted


async def test_who_left_before_livekit_counted_them_was_still_the_first(
    town: Town, services: Services, livekit_server: LiveKit
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    room = livekit_name(house.id, "lobby")
    async with joined(await minted(town, house)):
        pass

    async def told() -> MediaEvent | None:
        return next((event for event in events(livekit_server) if event.room == room), None)

    event = await eventually(told)
    first, again = await media_events.keep(town.stranger, event), await media_events.keep(town.stranger, event)
    noted = (await projects.read(town.work(owner), house.id)).first_participant_at

    assert (first, again) == (True, False)
    assert noted == event.at


async def test_the_figures_count_people_of_the_organizations_own_projects(town: Town, services: Services) -> None:
    owner, stranger = await town.person(), await town.person()
    house = await town.project(owner)
    await town.project(stranger)
    async with joined(await minted(town, house)):
        await eventually(lambda: seen(services, house))
        mine = await figures.overview(town.work(owner), owner.organization.id)
        theirs = await figures.overview(town.work(stranger), stranger.organization.id)

    assert (mine.people_live, mine.rooms_live, mine.checklist.joined_room) == (1, 1, True)
    assert (theirs.people_live, theirs.rooms_live, theirs.checklist.joined_room) == (0, 0, False)


async def test_a_room_that_is_none_of_ours_is_counted_nowhere(services: Services) -> None:
    room = "somebody-elses"
    token = services.parts.livekit.signer.sign(
        {
            "iss": services.parts.livekit.api_key,
            "sub": "ada",
            "exp": int(services.parts.clock.time()) + 60,
            "video": {"room": room, "roomJoin": True},
        }
    )

    async def there() -> bool:
        return room in {running.name for running in await services.parts.livekit.rooms()}

    async with joined({"url": services.parts.livekit.url, "token": token}):
        await eventually(there)
        await services.live.look(services.system("a test's look"))

    assert services.live.now is not None
    assert room not in services.live.now.rooms
