"""Rooms and who is in them, over HTTP, under the names that the customer gave."""

from __future__ import annotations

from fastapi import APIRouter

from pulse_dash.api.bodies import Answer, Listing, Moment, PageLimit, PageNumber, Search, cut, listed
from pulse_dash.api.hot import ProjectId
from pulse_dash.api.path_names import PathName
from pulse_dash.api.principals import Caller
from pulse_dash.core import rooms
from pulse_dash.core.media import LiveParticipant, LiveRoom

router = APIRouter(prefix="/v1/media/rooms", tags=["media"])


class RoomAnswer(Answer):
    name: str
    sid: str
    num_participants: int
    started_at: Moment | None


class ParticipantAnswer(Answer):
    identity: str
    sid: str
    name: str
    state: str
    joined_at: Moment | None
    is_publisher: bool
    metadata: str


@router.get("", summary="Rooms that are running now")
async def listing(
    work: Caller, project_id: ProjectId = None, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[RoomAnswer]:
    found = cut(await rooms.listing(work, project_id, search=search), page, limit)
    return listed(found, [_room(room) for room in found.items])


@router.get("/{room}", summary="One running room")
async def read(work: Caller, room: PathName, project_id: ProjectId = None) -> RoomAnswer:
    return _room(await rooms.read(work, room, project_id))


@router.delete("/{room}", status_code=204, summary="Close a room; everybody in it is disconnected")
async def end(work: Caller, room: PathName, project_id: ProjectId = None) -> None:
    await rooms.end(work, room, project_id)


@router.get("/{room}/participants", summary="Who is in the room now")
async def participants(
    work: Caller, room: PathName, project_id: ProjectId = None, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[ParticipantAnswer]:
    found = cut(await rooms.participants(work, room, project_id), page, limit)
    return listed(found, [_participant(person) for person in found.items])


@router.post("/{room}/participants/{identity}/remove", status_code=204, summary="Put somebody out of the room")
async def remove(work: Caller, room: PathName, identity: PathName, project_id: ProjectId = None) -> None:
    await rooms.remove_participant(work, room, identity, project_id)


def _room(room: LiveRoom) -> RoomAnswer:
    return RoomAnswer(name=room.name, sid=room.sid, num_participants=room.num_participants, started_at=room.started_at)


def _participant(person: LiveParticipant) -> ParticipantAnswer:
    return ParticipantAnswer(
        identity=person.identity,
        sid=person.sid,
        name=person.name,
        state=person.state,
        joined_at=person.joined_at,
        is_publisher=person.is_publisher,
        metadata=person.metadata,
    )
