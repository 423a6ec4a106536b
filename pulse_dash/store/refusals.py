"""Refusals: what somebody asked for without the permission. The first of a minute is told at once, then the rest.

So a program that asks in a loop fills no log, and yet nothing that was tried is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.records import Moved, Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "refusals",
    outbox(
        {
            "org_id?": "string",
            "count": "int",
            "entry": "object",
            "closes_at?": "date",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("closes_at", (("closes_at", 1),), partial="closes_at"),
        Index("created_at", (("created_at", 1),)),
        PENDING,
    ),
)
_MINUTE = timedelta(minutes=1)
_BATCH = 200


class Refusals(Records[Document]):
    """Written and read by Pulse itself; people read of them in the audit log."""

    noun: ClassVar[str] = "refusals"
    project_field = None

    def read(self, document: Document) -> Document:
        return document

    async def note(self, who_and_what: str, entry: Mapping[str, Any]) -> None:
        """Tell the first of this minute, count the others."""
        now: datetime = entry["at"]
        minute = now.replace(second=0, microsecond=0)
        mark = hashlib.sha256(f"{who_and_what}:{minute.isoformat()}".encode()).hexdigest()[:32]
        first = {
            "_id": f"rfs_{mark}",
            "org_id": entry["org_id"],
            "count": 1,
            "entry": dict(entry),
            "closes_at": minute + _MINUTE,
        }
        try:
            await self.add(first, entry)
        except DuplicateKey:
            await self._documents.update_one({"_id": first["_id"]}, {"$inc": {"count": 1}})

    async def close(self, now: datetime) -> int:
        """Tell of what came after the first, for every minute that ended; answers how many had more than one."""
        told = 0
        ended = await self._documents.find({"closes_at": {"$lte": now}}, sort=[("closes_at", 1)], limit=_BATCH)
        for document in ended:
            more = document["count"] - 1
            if not more:
                await self._documents.update_one({"_id": document["_id"]}, {"$unset": {"closes_at": ""}})
                continue
            again = {"again": {"before": None, "after": more}}
            entry = {**document["entry"], "_id": self._store.ids.make("aud"), "at": now, "changes": again}
            expect = {"closes_at": document["closes_at"], "count": document["count"]}
            try:
                await self.change(document["_id"], {}, entry, unset=("closes_at",), expect=expect)
            except Moved:
                # Counted up or closed in between; the next round looks again.
                continue
            told += 1
        return told

    async def forget(self, before: datetime) -> int:
        """Remove what was told before that moment."""
        return await self._documents.delete_many({"created_at": {"$lt": before}, "pending_at": {"$exists": False}})
