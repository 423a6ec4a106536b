"""LiveKit's server API (docs.livekit.io/reference/server/server-apis), spoken by livekit-api.

It translates rooms and errors; whose rooms they are is told in core.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
from livekit import api
from livekit.api.twirp_client import ServerError, ServerErrorCode
from livekit.protocol.models import ParticipantInfo, Room

from pulse_dash.core.errors import FieldError, Invalid, NotFound, PulseError, Unavailable
from pulse_dash.core.media import LiveParticipant, LiveRoom
from pulse_dash.core.media_token import Signer
from pulse_dash.core.secret import Secret

_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)
_AWAY = {
    ServerErrorCode.UNAVAILABLE,
    ServerErrorCode.DEADLINE_EXCEEDED,
    ServerErrorCode.INTERNAL,
    ServerErrorCode.UNKNOWN,
}
_REFUSED = {ServerErrorCode.UNAUTHENTICATED, ServerErrorCode.PERMISSION_DENIED}


class LiveKitServer:
    """One LiveKit, reached by its address, key and secret; it connects on first use, in the running loop."""

    def __init__(self, url: str, api_key: str, api_secret: Secret) -> None:
        self.url = url
        self.api_key = api_key
        self.signer = Signer(api_secret.reveal().encode())
        self._secret = api_secret
        self._client: api.LiveKitAPI | None = None

    async def ping(self) -> None:
        """Raises Unavailable when the server does not answer or does not take our key."""
        await self.rooms()

    async def rooms(self) -> list[LiveRoom]:
        """All rooms that are running."""
        async with _translated():
            answer = await self._api().room.list_rooms(api.ListRoomsRequest())
        return [_room(room) for room in answer.rooms]

    async def participants(self, room: str) -> list[LiveParticipant]:
        """Who is in a room; nobody where no such room runs."""
        async with _translated():
            answer = await self._api().room.list_participants(api.ListParticipantsRequest(room=room))
        return [_participant(person) for person in answer.participants]

    async def remove_participant(self, room: str, identity: str) -> None:
        """Disconnect somebody. Raises NotFound where nobody of that identity is."""
        async with _translated():
            await self._api().room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))

    async def delete_room(self, room: str) -> None:
        """Close a room and disconnect everybody in it."""
        async with _translated():
            await self._api().room.delete_room(api.DeleteRoomRequest(room=room))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _api(self) -> api.LiveKitAPI:
        if self._client is None:
            self._client = api.LiveKitAPI(self.url, self.api_key, self._secret.reveal(), timeout=_TIMEOUT)
        return self._client


class NoLiveKit:
    """Stands where no LiveKit is configured; everything asked of it says so."""

    def __init__(self) -> None:
        self._sentence = "No LiveKit is configured. Set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET."

    @property
    def url(self) -> str:
        raise self._unavailable()

    @property
    def api_key(self) -> str:
        raise self._unavailable()

    @property
    def signer(self) -> Signer:
        raise self._unavailable()

    async def ping(self) -> None:
        raise self._unavailable()

    async def rooms(self) -> list[LiveRoom]:
        raise self._unavailable()

    async def participants(self, room: str) -> list[LiveParticipant]:
        raise self._unavailable()

    async def remove_participant(self, room: str, identity: str) -> None:
        raise self._unavailable()

    async def delete_room(self, room: str) -> None:
        raise self._unavailable()

    async def close(self) -> None:
        return None

    def _unavailable(self) -> Unavailable:
        return Unavailable("livekit", self._sentence)


@asynccontextmanager
async def _translated() -> AsyncGenerator[None]:
    """Turn whatever livekit-api raises into one of ours."""
    try:
        yield
    except ServerError as error:
        raise _ours(error) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable("livekit") from error


def _ours(error: ServerError) -> PulseError:
    if error.code == ServerErrorCode.NOT_FOUND:
        return NotFound("LiveKit knows no such room or participant.")
    if error.code in _REFUSED:
        return Unavailable("livekit", "LiveKit refuses our key. Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET.")
    if error.code in _AWAY:
        return Unavailable("livekit")
    return Invalid(FieldError("", error.message or "LiveKit refuses this."))


def _room(room: Room) -> LiveRoom:
    started = datetime.fromtimestamp(room.creation_time, UTC) if room.creation_time else None
    return LiveRoom(room.name, room.sid, room.num_participants, started)


def _participant(person: ParticipantInfo) -> LiveParticipant:
    return LiveParticipant(
        identity=person.identity,
        sid=person.sid,
        name=person.name,
        state=ParticipantInfo.State.Name(person.state).lower(),
        joined_at=datetime.fromtimestamp(person.joined_at, UTC) if person.joined_at else None,
        is_publisher=person.is_publisher,
        attributes=dict(person.attributes),
        metadata=person.metadata,
    )
