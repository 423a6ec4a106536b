"""Revoked media tokens: what was minted for somebody before a moment opens nothing from then on, on every node.

Tokens minted later are not touched. Whoever comes back with a denied one is put out by accountability.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from pulse_dash.core.access import open_because
from pulse_dash.core.errors import NotFound, Unavailable
from pulse_dash.core.media_servers import server_of
from pulse_dash.core.room_names import project_of, room_of
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project
from pulse_dash.store.revocations import EVERY_ROOM

LEEWAY = timedelta(minutes=1)  # LiveKit forgives clocks that differ by so much
# The longest token lasts a day: when a revocation is forgotten, whatever it denied has ended by itself.
KEPT = timedelta(days=1) + LEEWAY
_ASKED_AT_ONCE = 8

R = TypeVar("R")


@open_because("tokens.revoke holds the permission and has found the project")
async def deny(work: Work, project: Project, identity: str, room: str | None) -> datetime:
    """Deny what was minted before now for this identity, in the room or in all of the project's. Raises Unavailable."""
    now, boundary = work.clock.now(), work.new_id("rvk")
    document = {
        "_id": boundary,
        "org_id": project.org_id,
        "project_id": project.id,
        "identity": identity,
        "room": EVERY_ROOM if room is None else room,
        "boundary": boundary,
        "revoked_before": now,
        "expires_at": now + KEPT,
    }
    entry = work.entry(
        "token.revoked",
        org_id=project.org_id,
        resource="project",
        resource_id=project.id,
        name=project.name,
        changes={
            "identity": {"before": None, "after": identity},
            **({} if room is None else {"room": {"before": None, "after": room}}),
        },
    )
    await work.store.revocations.put(document, entry)
    return now


@open_because("tokens.revoke holds the permission and has found the project")
async def rooms_with(work: Work, project: Project, identity: str, room: str | None) -> list[str]:
    """Where somebody is now, by LiveKit's names, among all rooms of the project or in the one.

    A room that does not answer counts too."""
    server = server_of(work.parts, project)
    if room is not None:
        rooms = [server.name(room)]
    else:
        rooms = [running.name for running in await server.livekit.rooms() if server.room(running.name) is not None]

    async def is_there(name: str) -> bool:
        try:
            return identity in {person.identity for person in await server.livekit.participants(name)}
        except Unavailable:
            return True

    there = await _few_at_once(is_there, rooms)
    return [name for name, found in zip(rooms, there, strict=True) if found]


@open_because("tokens.revoke holds the permission and has found the project")
async def put_out(work: Work, project: Project, rooms: list[str], identity: str) -> int:
    """Remove somebody from all these rooms; one room that does not answer does not keep the others."""
    away: list[Unavailable] = []
    livekit = server_of(work.parts, project).livekit

    async def remove(name: str) -> None:
        try:
            await livekit.remove_participant(name, identity)
        except NotFound:
            # Put out by another node meanwhile, or gone by themselves.
            return
        except Unavailable as error:
            away.append(error)

    await _few_at_once(remove, rooms)
    if away:
        raise away[0]
    return len(rooms)


@open_because("it answers yes or no about a token or a participant that the caller has before it")
async def denied(work: Work, mint_id: str, identity: str, livekit_room: str) -> bool:
    """Whether this mint was revoked; from this node's memory where it can be believed. Raises Unavailable.

    The room is named in full, also where the project has a LiveKit of its own."""

    async def load() -> str:
        store = work.as_system("look for revocations").store
        return await store.revocations.boundary(project_of(livekit_room) or "", identity, room_of(livekit_room))

    boundary = await work.parts.known_revocations.boundaries.get((livekit_room, identity), load)
    # Ids of one process sort as they were made, within one millisecond too.
    return bool(boundary) and _body(mint_id) < _body(boundary or "")


async def _few_at_once(do: Callable[[str], Awaitable[R]], names: list[str]) -> list[R]:
    few = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def one(name: str) -> R:
        async with few:
            return await do(name)

    return await asyncio.gather(*map(one, names))


def _body(made: str) -> str:
    return made.partition("_")[2]
