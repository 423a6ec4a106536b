"""What a project's webhooks are told: LiveKit's events in the project's own names, and samples to try a webhook with.

Which webhook is told, and how, is told by webhook_deliveries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from pulse_dash.core.clock import in_utc
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.room_names import room_of

# LiveKit's names of what happens to a room and somebody in it, and ours.
TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "room_started": "room_started",
        "room_finished": "room_ended",
        "participant_joined": "participant_joined",
        "participant_left": "participant_left",
    }
)
LONGEST: Final = 512
# What a webhook can be tried with.
SAMPLES: Final = tuple(TYPES.values())


def event_id(kept_as: str) -> str:
    """The id of the event that LiveKit's is under this one: the same whenever it is told."""
    return "evt_" + hashlib.sha256(kept_as.encode()).hexdigest()[:26]


def body_of(event_id: str, event: str, project_id: str, at: datetime, data: Mapping[str, Any]) -> str:
    """What is sent, as JSON."""
    created = in_utc(at)
    told = {"id": event_id, "type": event, "project_id": project_id, "created_at": created, "data": data}
    return orjson.dumps(told).decode()


def data_of(event: MediaEvent, *, prefixed: bool) -> dict[str, Any]:
    """The room and the participant that LiveKit's event is about; without `prefixed` the room is called as it is."""
    said = _object(orjson.loads(event.body))
    room, somebody = _object(said.get("room")), _object(said.get("participant"))
    name = str(room.get("name", ""))
    data: dict[str, Any] = {"room": {"name": _text(room_of(name) if prefixed else name), "sid": _text(room.get("sid"))}}
    if somebody:
        data["participant"] = {field: _text(somebody.get(field)) for field in ("identity", "sid", "name")}
    return data


def sample_of(event: str) -> dict[str, Any]:
    """The same of a room that never was."""
    data: dict[str, Any] = {"room": {"name": "lobby", "sid": "RM_sample"}}
    if event.startswith("participant_"):
        data["participant"] = {"identity": "ada", "sid": "PA_sample", "name": "Ada Lovelace"}
    return data


def _text(value: object) -> str:
    """A server of a tenant's own may call somebody by a megabyte."""
    return str(value or "")[:LONGEST]


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
