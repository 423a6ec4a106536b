"""Revocations of media tokens: whose tokens of which room are denied, up to which mint, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.records import Moved, Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "revocations",
    outbox(
        {
            "org_id": "string",
            "project_id": "string",
            "identity": "string",
            "room": "string",
            "boundary": "string",
            "revoked_before": "date",
            "expires_at": "date",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("participant", (("project_id", 1), ("identity", 1), ("room", 1)), unique=True),
        Index("expires_at", (("expires_at", 1),)),
        PENDING,
    ),
)

EVERY_ROOM = ""


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was minted before `boundary`, an id made at that moment, opens nothing; `room` is "" for all of them."""

    id: str
    org_id: str
    project_id: str
    identity: str
    room: str
    boundary: str
    revoked_before: datetime
    expires_at: datetime


class Revocations(Records[Revocation]):
    """The revocations that the reader may see; one for each identity in a room, moved on when it is revoked again."""

    noun = "revocations"

    def read(self, document: Document) -> Revocation:
        return Revocation(
            id=document["_id"],
            org_id=document["org_id"],
            project_id=document["project_id"],
            identity=document["identity"],
            room=document["room"],
            boundary=document["boundary"],
            revoked_before=document["revoked_before"],
            expires_at=document["expires_at"],
        )

    async def put(self, document: Document, entry: Mapping[str, object]) -> Revocation:
        """Store it, or move the one of the same participant on to it. Raises Moved when it is forgotten meanwhile."""
        same = {name: document[name] for name in ("project_id", "identity", "room")}
        try:
            return await self.add(document, entry)
        except DuplicateKey:
            there = await self._documents.find_one(self._inside(same), projection={"_id": 1, "boundary": 1})
        if there is None:
            raise Moved
        moved = {name: document[name] for name in ("boundary", "revoked_before", "expires_at")}
        # A node whose clock is behind never gives back what another one denied.
        return await self.change(there["_id"], {**moved, "boundary": max(moved["boundary"], there["boundary"])}, entry)

    async def boundary(self, project_id: str, identity: str, room: str) -> str:
        """The newest id before which mints of this participant are denied; "" where none are."""
        wanted = {"project_id": project_id, "identity": identity, "room": {"$in": [EVERY_ROOM, room]}}
        found = await self.list(wanted, sort=[("_id", 1)])
        return max((revocation.boundary for revocation in found), default="")

    async def forget(self, before: datetime) -> int:
        """Remove those that deny nothing any more; one whose entry is not in the log yet stays."""
        return await self._documents.delete_many({"expires_at": {"$lt": before}, "pending_at": {"$exists": False}})
