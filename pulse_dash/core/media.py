"""The media server as core knows it: its protocol, and the values that it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pulse_dash.core.media_token import Signer


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room that LiveKit is running now, under LiveKit's own name; `started_at` is None while LiveKit does not say.

    `region` is the one whose own LiveKit runs it, "" where it is the one that serves all the others."""

    name: str
    sid: str
    num_participants: int
    started_at: datetime | None
    region: str = ""


@dataclass(frozen=True, slots=True)
class LiveParticipant:
    """Somebody in a room now; of another kind than `standard` are LiveKit's own: egress, ingress, sip, agent."""

    identity: str
    sid: str
    name: str
    state: str
    joined_at: datetime | None
    is_publisher: bool
    attributes: Mapping[str, str]
    metadata: str
    kind: str = "standard"


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """Something that LiveKit says happened; `room` is LiveKit's own name of it and `body` the JSON that it sent."""

    id: str
    type: str
    room: str | None
    at: datetime
    body: str


class LiveKit(Protocol):
    """The media server. Each method raises Unavailable when it does not answer, NotFound when the room is not there."""

    @property
    def url(self) -> str:
        """Where clients connect to."""
        ...

    @property
    def api_key(self) -> str:
        """The key that issues tokens."""
        ...

    @property
    def signer(self) -> Signer:
        """Signs tokens with the server's secret."""
        ...

    def signed_event(self, body: bytes, authorization: str, *, now: float) -> MediaEvent:
        """The event of a webhook that this server signed. Raises Unauthenticated."""
        ...

    async def ping(self) -> None: ...

    async def rooms(self) -> list[LiveRoom]: ...

    async def participants(self, room: str) -> list[LiveParticipant]: ...

    async def remove_participant(self, room: str, identity: str) -> None: ...

    async def delete_room(self, room: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How many rooms and people each project has at one moment."""

    rooms: Mapping[str, int]
    people: Mapping[str, int]
    # Those with a running room of which their LiveKit told nothing, though it had time to.
    unheard: frozenset[str] = frozenset()
    # Which of the installation's own LiveKits told nothing, and which did not answer: by region, "" as in LiveRoom.
    silent: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()


class LiveNow(Protocol):
    """The newest snapshot that this node has of LiveKit."""

    @property
    def now(self) -> Snapshot | None:
        """None while no LiveKit of the installation answers."""
        ...
