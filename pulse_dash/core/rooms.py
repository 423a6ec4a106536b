"""Rooms: which of a project are running, who is in them now, and removing somebody.

On which LiveKit they run, and what they are called there, is told by media_servers.
"""

from __future__ import annotations

from dataclasses import replace

from pulse_dash.core.access import KeyActor, Permission, requires
from pulse_dash.core.errors import FieldError, Invalid, NotFound
from pulse_dash.core.media import LiveParticipant, LiveRoom
from pulse_dash.core.media_servers import MediaServer, server_of
from pulse_dash.core.work import Work


@requires(Permission.VIEW)
async def listing(work: Work, project_id: str | None = None, *, search: str = "") -> list[LiveRoom]:
    """The project's rooms that are running now, by name. Raises NotFound, Unavailable."""
    server = await _server(work, project_id)
    named = [(room, server.room(room.name)) for room in await server.livekit.rooms()]
    own = [replace(room, name=name) for room, name in named if name is not None and search.lower() in name.lower()]
    return sorted(own, key=lambda room: room.name)


@requires(Permission.VIEW)
async def read(work: Work, room: str, project_id: str | None = None) -> LiveRoom:
    """One running room. Raises NotFound, Unavailable."""
    for running in await listing(work, project_id):
        if running.name == room:
            return running
    raise NotFound("No such room is running.")


@requires(Permission.ROOMS_CHANGE)
async def end(work: Work, room: str, project_id: str | None = None) -> None:
    """Close a room; everybody in it is disconnected. Raises NotFound, Forbidden, Unavailable."""
    server = await _server(work, project_id)
    await read(work, room, project_id)
    await server.livekit.delete_room(server.name(room))


@requires(Permission.PEOPLE_VIEW)
async def participants(work: Work, room: str, project_id: str | None = None) -> list[LiveParticipant]:
    """Who is in the room now. Raises NotFound, Forbidden, Unavailable."""
    server = await _server(work, project_id)
    people = await server.livekit.participants(server.name(room))
    return sorted(people, key=lambda person: person.identity)


@requires(Permission.ROOMS_CHANGE)
async def remove_participant(work: Work, room: str, identity: str, project_id: str | None = None) -> None:
    """Put somebody out of the room; the same token lets them in again until it ends.

    Raises NotFound, Forbidden, Unavailable."""
    server = await _server(work, project_id)
    await server.livekit.remove_participant(server.name(room), identity)


async def _server(work: Work, project_id: str | None) -> MediaServer:
    if isinstance(work.actor, KeyActor):
        project_id = project_id or work.actor.project_id
    if project_id is None:
        raise Invalid(FieldError("project_id", "Name the project: ?project_id=prj_…"))
    return server_of(work.parts, await work.store.projects.get(project_id))
