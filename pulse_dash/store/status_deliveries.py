"""What webhooks of the status wait to be sent, one document a webhook and event, and for a while what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "status_deliveries",
    {
        "_id": "string",
        "subscription_id": "string",
        # An event names the incident and which of its updates it is; a confirmation holds its link, sealed.
        "incident_id?": "string",
        "number?": "int",
        "sealed?": "binary",
        "attempts": "int",
        "created_at": "date",
        "due_at?": "date",
        "done_at?": "date",
        "outcome?": "string",
    },
    (
        Index("due_at", (("due_at", 1),), partial="due_at"),
        Index("created_at", (("created_at", 1),)),
    ),
)


@dataclass(frozen=True, slots=True)
class StatusDelivery:
    """One that is tried now, for the `attempts`th time."""

    id: str
    subscription_id: str
    incident_id: str | None
    number: int
    sealed: bytes | None
    attempts: int
    created_at: datetime


class StatusDeliveries:
    """Written and read by Pulse itself."""

    def __init__(self, store: Any) -> None:
        self._documents = store.engine.collection("status_deliveries")

    async def put(self, delivery_id: str, subscription_id: str, *, now: datetime, **what: Any) -> None:
        """Keep one that is due now; one that is kept under this id already stays as it is."""
        kept = {"subscription_id": subscription_id, "attempts": 0, "created_at": now, "due_at": now}
        try:
            await self._documents.insert_one({"_id": delivery_id, **kept, **what})
        except DuplicateKey:
            return

    async def claim(self, now: datetime, *, until: datetime) -> StatusDelivery | None:
        """The one that waits longest; nobody else gets it before `until`."""
        found: Document | None = await self._documents.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": until}, "$inc": {"attempts": 1}}, sort=[("due_at", 1)]
        )
        if found is None:
            return None
        return StatusDelivery(
            id=found["_id"],
            subscription_id=found["subscription_id"],
            incident_id=found.get("incident_id"),
            number=found.get("number", 0),
            sealed=found.get("sealed"),
            attempts=found["attempts"],
            created_at=found["created_at"],
        )

    async def put_off(self, delivery_id: str, until: datetime) -> None:
        """Try it again then."""
        await self._documents.update_one({"_id": delivery_id}, {"$set": {"due_at": until}})

    async def finish(self, delivery_id: str, outcome: str, now: datetime) -> None:
        """It is over: it arrived, or will not be tried again."""
        how = {"outcome": outcome, "done_at": now}
        await self._documents.update_one({"_id": delivery_id}, {"$set": how, "$unset": {"due_at": "", "sealed": ""}})

    async def forget(self, before: datetime) -> int:
        """Remove what was kept before that moment."""
        return int(await self._documents.delete_many({"created_at": {"$lt": before}}))
