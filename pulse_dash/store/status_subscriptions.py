"""Who is told of incidents: addresses and webhooks that anybody named, and that whoever they belong to confirmed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "status_subscriptions",
    {
        "_id": "string",
        "channel": "string",
        "target": "string",
        "state": "string",
        "asked_at": "date",
        "confirm_hash?": "string",
        # Only while nobody confirmed it: what stays so is forgotten then.
        "confirm_until?": "date",
        "confirmed_at?": "date",
        "sealed_secret?": "binary",
        # How many events in a row a webhook did not take.
        "missed": "int",
    },
    (
        Index("target", (("channel", 1), ("target", 1)), unique=True),
        Index("state", (("state", 1), ("_id", 1))),
        Index("confirm_until", (("confirm_until", 1),), partial="confirm_until"),
    ),
)
_SLICE = 200


@dataclass(frozen=True, slots=True)
class StatusSubscription:
    """One address or webhook; it is told nothing before `confirmed_at`."""

    id: str
    channel: str
    target: str
    asked_at: datetime
    confirm_hash: str | None
    confirm_until: datetime | None
    confirmed_at: datetime | None
    sealed_secret: bytes | None
    missed: int


class StatusSubscriptions:
    """Written and read by Pulse itself; nobody may list them."""

    def __init__(self, store: Any) -> None:
        self._documents = store.engine.collection("status_subscriptions")

    async def put(self, subscription_id: str, *, channel: str, target: str, now: datetime) -> bool:
        """Keep one that waits for its first link; False where this target is known."""
        document = {"channel": channel, "target": target, "state": "pending", "asked_at": now, "missed": 0}
        try:
            await self._documents.insert_one({"_id": subscription_id, **document})
        except DuplicateKey:
            return False
        return True

    async def find(self, subscription_id: str) -> StatusSubscription | None:
        """The one under this id."""
        return _read(await self._documents.find_one({"_id": subscription_id}))

    async def of_target(self, channel: str, target: str) -> StatusSubscription | None:
        """The one of this address or webhook."""
        return _read(await self._documents.find_one({"channel": channel, "target": target}))

    async def asked(
        self, subscription_id: str, now: datetime, *, pending: Mapping[str, Any] | None = None, before: datetime
    ) -> bool:
        """Somebody asks for it now; with `pending` a newer link takes the older one's place, while nobody confirmed it.

        False where somebody asked after `before`."""
        state = {} if pending is None else {"state": "pending"}
        changed = await self._documents.find_one_and_update(
            {"_id": subscription_id, "asked_at": {"$lte": before}, **state},
            {"$set": {"asked_at": now, **(pending or {})}},
        )
        return changed is not None

    async def confirm(self, subscription_id: str, confirm_hash: str, now: datetime) -> bool:
        """It is told of incidents from now on; once, and only by the newest link."""
        changed = await self._documents.find_one_and_update(
            {"_id": subscription_id, "confirm_hash": confirm_hash},
            {"$set": {"state": "confirmed", "confirmed_at": now}, "$unset": {"confirm_hash": "", "confirm_until": ""}},
        )
        return changed is not None

    async def confirmed(self) -> AsyncIterator[StatusSubscription]:
        """Everyone who is told, a slice at a time."""
        last = ""
        while found := await self._documents.find(
            {"state": "confirmed", "_id": {"$gt": last}}, sort=[("_id", 1)], limit=_SLICE
        ):
            for document in found:
                if (each := _read(document)) is not None:
                    yield each
            last = found[-1]["_id"]

    async def took(self, subscription_id: str) -> None:
        """A webhook took an event."""
        await self._documents.update_one({"_id": subscription_id}, {"$set": {"missed": 0}})

    async def missed(self, subscription_id: str) -> int:
        """A webhook did not take an event in all its attempts; answers how many that are in a row."""
        found = await self._documents.find_one_and_update({"_id": subscription_id}, {"$inc": {"missed": 1}})
        return 0 if found is None else int(found["missed"])

    async def remove(self, subscription_id: str) -> bool:
        """It is told nothing more, and nothing of it is kept."""
        return bool(await self._documents.delete_one({"_id": subscription_id}))

    async def remove_target(self, channel: str, target: str) -> bool:
        """The same for the one of this address or webhook."""
        return bool(await self._documents.delete_one({"channel": channel, "target": target}))

    async def forget(self, now: datetime) -> int:
        """Remove those that nobody confirmed in time."""
        return int(await self._documents.delete_many({"confirm_until": {"$lte": now}}))


def _read(document: Document | None) -> StatusSubscription | None:
    if document is None:
        return None
    return StatusSubscription(
        id=document["_id"],
        channel=document["channel"],
        target=document["target"],
        asked_at=document["asked_at"],
        confirm_hash=document.get("confirm_hash"),
        confirm_until=document.get("confirm_until"),
        confirmed_at=document.get("confirmed_at"),
        sealed_secret=document.get("sealed_secret"),
        missed=document["missed"],
    )
