"""LiveKit's server API (docs.livekit.io/reference/server/server-apis), spoken by livekit-api.

It translates rooms and errors; whose rooms they are is told in core.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import httpx
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import DecodeError
from livekit import api
from livekit.api.twirp_client import ServerError, ServerErrorCode
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.webhook import WebhookEvent

from pulse_dash.core.errors import Conflict, FieldError, Invalid, NotFound, PulseError, Unauthenticated, Unavailable
from pulse_dash.core.media import LiveParticipant, LiveRoom, MediaEvent
from pulse_dash.core.media_token import Signer
from pulse_dash.core.outbound import Outbound, Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import same

_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)
# Whatever is in none of these, a code of tomorrow too, is LiveKit's own trouble: repeat later.
_REFUSED = {ServerErrorCode.UNAUTHENTICATED, ServerErrorCode.PERMISSION_DENIED}
_WRONG = {ServerErrorCode.INVALID_ARGUMENT, ServerErrorCode.OUT_OF_RANGE}
_CONTRADICTING = {ServerErrorCode.ALREADY_EXISTS, ServerErrorCode.FAILED_PRECONDITION}
_UNSPOKEN = {ServerErrorCode.BAD_ROUTE, ServerErrorCode.MALFORMED, ServerErrorCode.UNIMPLEMENTED}
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of one server that does not work, to whom it concerns."""

    no_livekit: str
    refuses_key: str
    # A tenant learns why their own address does not answer; of the installation's only that it doesn't.
    tenants_url: str = ""


_OF_ALL = _Words(
    "What answers at LIVEKIT_HOST is no LiveKit that Pulse knows how to speak to.",
    "LiveKit refuses our key. Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)


def _of_region(name: str) -> _Words:
    return _Words(
        f"What answers at the url of {name} in REGIONS is no LiveKit that Pulse knows how to speak to.",
        f"The LiveKit of {name} refuses our key. Check its key and secret in REGIONS.",
    )


def _of_tenant(url: str) -> _Words:
    return _Words(
        "What answers there is no LiveKit that Pulse knows how to speak to. Check the address.",
        "This LiveKit refuses the API key or its secret. Copy both again from the server's configuration.",
        url,
    )


class LiveKitServer:
    """One LiveKit, reached by its address, key and secret; it connects on first use, in the running loop."""

    def __init__(
        self, url: str, api_key: str, api_secret: Secret, outbound: Outbound | None = None, *, region: str = ""
    ) -> None:
        """A server that a tenant named is reached through `outbound`; the installation's own are not.

        `region` is the one of `REGIONS` that names it."""
        self.url = url
        self._outbound = outbound
        self._words = _of_tenant(url) if outbound else _of_region(region) if region else _OF_ALL
        self.api_key = api_key
        self.signer = Signer(api_secret.reveal().encode())
        self._secret = api_secret
        self._client: api.LiveKitAPI | None = None

    def signed_event(self, body: bytes, authorization: str, *, now: float) -> MediaEvent:
        """The event of a webhook that this server signed with our key. Raises Unauthenticated.

        LiveKit signs the body's SHA-256, in base64, into a token of its own; no token of ours carries that claim."""
        claims, wrong = self.signer.read(authorization.removeprefix("Bearer "), now=now)
        sent = b64encode(hashlib.sha256(body).digest()).decode()
        if wrong or claims.get("iss") != self.api_key or not same(sent, str(claims.get("sha256", ""))):
            raise Unauthenticated
        text = body.decode("utf-8", "replace")
        try:
            event = Parse(text, WebhookEvent(), ignore_unknown_fields=True)
            at = datetime.fromtimestamp(event.created_at, UTC)
        except (ParseError, ValueError, OverflowError, OSError) as error:
            # A server of a tenant's own may say that it happened in the year 50,000.
            raise Invalid(FieldError("", "This is no event of LiveKit.")) from error
        if not event.id:
            # It is kept under its id, once.
            raise Invalid(FieldError("id", "LiveKit's events have one."))
        return MediaEvent(event.id, event.event, event.room.name or None, at, text)

    async def ping(self) -> None:
        """Raises Unavailable when the server does not answer or does not take our key."""
        await self.rooms()

    async def rooms(self) -> list[LiveRoom]:
        """All rooms that are running."""
        async with _translated(self._words):
            answer = await self._api().room.list_rooms(api.ListRoomsRequest())
        return [_room(room) for room in answer.rooms]

    async def participants(self, room: str) -> list[LiveParticipant]:
        """Who is in a room; nobody where no such room runs."""
        async with _translated(self._words):
            answer = await self._api().room.list_participants(api.ListParticipantsRequest(room=room))
        return [_participant(person) for person in answer.participants]

    async def remove_participant(self, room: str, identity: str) -> None:
        """Disconnect somebody. Raises NotFound where nobody of that identity is."""
        async with _translated(self._words):
            await self._api().room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))

    async def delete_room(self, room: str) -> None:
        """Close a room and disconnect everybody in it."""
        async with _translated(self._words):
            await self._api().room.delete_room(api.DeleteRoomRequest(room=room))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _api(self) -> api.LiveKitAPI:
        if self._client is None:
            key, secret, outbound = self.api_key, self._secret.reveal(), self._outbound
            if outbound is None:
                self._client = api.LiveKitAPI(self.url, key, secret, timeout=_TIMEOUT)
            else:
                # Failing over would ask the server where else to go.
                session = cast("aiohttp.ClientSession", _Session(outbound))
                self._client = api.LiveKitAPI(self.url, key, secret, session=session, failover=False)
        return self._client


class _Session:
    """As much of aiohttp's session as livekit-api uses, over our own way out."""

    timeout = _TIMEOUT

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    @asynccontextmanager
    async def post(self, url: str, *, headers: Mapping[str, str], data: bytes, **_: Any) -> AsyncGenerator[_Answer]:
        seconds = _TIMEOUT.total or 5.0
        async with self._outbound.client(Purpose.LIVEKIT, seconds=seconds, most_bytes=_MOST_BYTES) as client:
            answer = await client.post(url, headers=dict(headers), content=data)
        yield _Answer(answer.status_code, answer)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    _answer: httpx.Response

    async def read(self) -> bytes:
        return self._answer.content

    async def json(self) -> Any:
        return self._answer.json()


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

    def signed_event(self, body: bytes, authorization: str, *, now: float) -> MediaEvent:
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
async def _translated(words: _Words = _OF_ALL) -> AsyncGenerator[None]:
    """Turn whatever livekit-api raises into one of ours, with words for the operator or for the tenant."""
    try:
        yield
    except ServerError as error:
        raise _ours(error, words) from error
    except DecodeError as error:
        raise Unavailable("livekit", words.no_livekit) from error
    except httpx.HTTPError as error:
        sentence = f"No answer comes from {words.tenants_url}: {error or 'it took too long'}. Is LiveKit running there?"
        raise Unavailable("livekit", sentence) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable("livekit") from error


def _ours(error: ServerError, words: _Words = _OF_ALL) -> PulseError:
    # A wrong key is refused before there is a code: the status alone says so.
    if error.code in _REFUSED or error.status in {401, 403}:
        return Unavailable("livekit", words.refuses_key)
    if error.code == ServerErrorCode.NOT_FOUND:
        return NotFound("LiveKit knows no such room or participant.")
    if error.code in _WRONG:
        return Invalid(FieldError("", error.message or "LiveKit refuses this."))
    if error.code in _CONTRADICTING:
        return Conflict(error.message or "LiveKit refuses this as things are now.")
    if error.code in _UNSPOKEN:
        return Unavailable("livekit", words.no_livekit)
    return Unavailable("livekit")


def _room(room: Room) -> LiveRoom:
    started = datetime.fromtimestamp(room.creation_time, UTC) if room.creation_time else None
    return LiveRoom(room.name, room.sid, room.num_participants, started)


def _participant(person: ParticipantInfo) -> LiveParticipant:
    return LiveParticipant(
        identity=person.identity,
        sid=person.sid,
        name=person.name,
        state=_state(person.state),
        joined_at=datetime.fromtimestamp(person.joined_at, UTC) if person.joined_at else None,
        is_publisher=person.is_publisher,
        attributes=dict(person.attributes),
        metadata=person.metadata,
        kind=_kind(person.kind),
    )


def _state(number: int) -> str:
    """LiveKit's word for it; a newer server may know one that we do not."""
    return ParticipantInfo.State.Name(number).lower() if number in ParticipantInfo.State.values() else "unknown"


def _kind(number: int) -> str:
    """LiveKit's word for it; one that a newer server knows and we do not is certainly not the standard one."""
    return ParticipantInfo.Kind.Name(number).lower() if number in ParticipantInfo.Kind.values() else "unknown"
