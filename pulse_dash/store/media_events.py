"""Events of LiveKit as they came, each under its server's key and its own id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "livekit_events",
    {
        "_id": "string",
        "livekit": "string",
        "type": "string",
        "room?": "any",
        "at?": "date",
        "received_at": "date",
        "body?": "any",
    },
    (Index("received_at", (("received_at", 1),)), Index("room", (("livekit", 1), ("room", 1)))),
)


@dataclass(frozen=True, slots=True)
class MediaEventRecord:
    """One event; `body` is what LiveKit sent, as JSON text."""

    id: str
    livekit: str
    type: str
    room: str | None
    at: datetime
    received_at: datetime
    body: str


class MediaEvents:
    """What came from LiveKit; written and read by Pulse itself."""

    def __init__(self, store: Any) -> None:
        self._documents = store.engine.collection("livekit_events")

    async def keep(self, event: MediaEventRecord) -> bool:
        """Store it once; False when it was there."""
        try:
            await self._documents.insert_one(
                {
                    "_id": event.id,
                    "livekit": event.livekit,
                    "type": event.type,
                    "room": event.room,
                    "at": event.at,
                    "received_at": event.received_at,
                    "body": event.body,
                }
            )
        except DuplicateKey:
            return False
        return True

    async def told_of(self, livekit: str, room: str, since: datetime) -> bool:
        """Whether this server told of the room since that moment; names are used again."""
        wanted = {"livekit": livekit, "room": room, "received_at": {"$gte": since}}
        found = await self._documents.find_one(wanted, projection={"_id": 1})
        return found is not None

    async def count(self) -> int:
        """How many are kept."""
        return int(await self._documents.count_documents({}))

    async def forget(self, before: datetime) -> int:
        """Remove what came before; raw events live 90 days."""
        return int(await self._documents.delete_many({"received_at": {"$lt": before}}))
