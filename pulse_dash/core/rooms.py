"""Rooms: what they are called on the installation's LiveKit, who is in them now, and removing somebody.

On the shared LiveKit a room is `{project id}.{room}`; ids have one length and no dot, so the first dot parts them.
"""

from __future__ import annotations

from dataclasses import replace

from pulse_dash.core.access import KeyActor, Permission, requires
from pulse_dash.core.errors import FieldError, Invalid, NotFound
from pulse_dash.core.media import LiveParticipant, LiveRoom
from pulse_dash.core.work import Work


def livekit_name(project_id: str, room: str) -> str:
    """What LiveKit calls a project's room."""
    return f"{project_id}.{room}"


def project_of(livekit_room: str) -> str | None:
    """Whose room it is; None for a room that is not ours."""
    project_id, dot, room = livekit_room.partition(".")
    return project_id if dot and room and project_id.startswith("prj_") else None


def room_of(livekit_room: str) -> str:
    """What the customer calls it."""
    return livekit_room.partition(".")[2]


@requires(Permission.VIEW)
async def listing(work: Work, project_id: str | None = None, *, search: str = "") -> list[LiveRoom]:
    """The project's rooms that are running now, by name. Raises NotFound, Unavailable."""
    project = await _project_id(work, project_id)
    rooms = await work.parts.livekit.rooms()
    own = [replace(room, name=room_of(room.name)) for room in rooms if project_of(room.name) == project]
    return sorted((room for room in own if search.lower() in room.name.lower()), key=lambda room: room.name)


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
    project = await _project_id(work, project_id)
    await read(work, room, project_id)
    await work.parts.livekit.delete_room(livekit_name(project, room))


@requires(Permission.PEOPLE_VIEW)
async def participants(work: Work, room: str, project_id: str | None = None) -> list[LiveParticipant]:
    """Who is in the room now. Raises NotFound, Forbidden, Unavailable."""
    project = await _project_id(work, project_id)
    people = await work.parts.livekit.participants(livekit_name(project, room))
    return sorted(people, key=lambda person: person.identity)


@requires(Permission.ROOMS_CHANGE)
async def remove_participant(work: Work, room: str, identity: str, project_id: str | None = None) -> None:
    """Put somebody out of the room; the same token lets them in again until it ends.

    Raises NotFound, Forbidden, Unavailable."""
    project = await _project_id(work, project_id)
    await work.parts.livekit.remove_participant(livekit_name(project, room), identity)


async def _project_id(work: Work, project_id: str | None) -> str:
    if isinstance(work.actor, KeyActor):
        project_id = project_id or work.actor.project_id
    if project_id is None:
        raise Invalid(FieldError("project_id", "Name the project: ?project_id=prj_…"))
    return (await work.store.projects.get(project_id)).id
