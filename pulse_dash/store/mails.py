"""Mails that wait to be handed over, and for a while that there were some: then nothing tells what one said to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "mails",
    {
        "_id": "string",
        "to": "string",
        "subject": "string",
        "sealed?": "binary",
        # The link that ends such mails, where there is one.
        "sealed_unsubscribe?": "binary",
        "attempts": "int",
        "created_at": "date",
        # In which lane it waits: one for people stands in the first, one of many for subscribers in the second.
        "due_at?": "date",
        "due_to_many_at?": "date",
        "sent_at?": "date",
        "given_up_at?": "date",
    },
    (
        Index("due_at", (("due_at", 1),), partial="due_at"),
        Index("due_to_many_at", (("due_to_many_at", 1),), partial="due_to_many_at"),
        Index("created_at", (("created_at", 1),)),
        Index("to", (("to", 1),)),
    ),
)


_LANES = ("due_at", "due_to_many_at")


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One that is tried now, for the `attempts`th time; `lane` is the field that says when it is due."""

    id: str
    to: str
    subject: str
    sealed: bytes
    sealed_unsubscribe: bytes | None
    attempts: int
    lane: str


class Mails:
    """Written and read by Pulse itself."""

    def __init__(self, store: Any) -> None:
        self._documents = store.engine.collection("mails")

    async def put(
        self,
        mail_id: str,
        *,
        to: str,
        subject: str,
        sealed: bytes,
        sealed_unsubscribe: bytes | None,
        now: datetime,
        to_many: bool = False,
    ) -> None:
        """Keep one that is due now; one that is kept under this id already stays as it is."""
        kept = {"to": to, "subject": subject, "sealed": sealed, "attempts": 0, "created_at": now, _LANES[to_many]: now}
        try:
            await self._documents.insert_one({"_id": mail_id, **kept, "sealed_unsubscribe": sealed_unsubscribe})
        except DuplicateKey:
            return

    async def claim(self, now: datetime, *, until: datetime) -> KeptMail | None:
        """The one that waits longest, one of many only while none for a person is due; nobody else gets it before
        `until`."""
        for lane in _LANES:
            found: Document | None = await self._documents.find_one_and_update(
                {lane: {"$lte": now}}, {"$set": {lane: until}, "$inc": {"attempts": 1}}, sort=[(lane, 1)]
            )
            if found is not None:
                return KeptMail(
                    found["_id"],
                    found["to"],
                    found["subject"],
                    found["sealed"],
                    found.get("sealed_unsubscribe"),
                    found["attempts"],
                    lane,
                )
        return None

    async def sent(self, mail_id: str, now: datetime) -> None:
        """It is on its way; what it said is forgotten."""
        await self._finish(mail_id, {"sent_at": now})

    async def give_up(self, mail_id: str, now: datetime) -> None:
        """It will not be tried again."""
        await self._finish(mail_id, {"given_up_at": now})

    async def put_off(self, mail: KeptMail, until: datetime) -> None:
        """Try it again then."""
        await self._documents.update_one({"_id": mail.id}, {"$set": {mail.lane: until}})

    async def forget(self, before: datetime) -> int:
        """Remove what was kept before that moment."""
        return int(await self._documents.delete_many({"created_at": {"$lt": before}}))

    async def forget_to(self, address: str) -> int:
        """Remove all that go to this address; those that wait reach nobody."""
        return int(await self._documents.delete_many({"to": address}))

    async def _finish(self, mail_id: str, how: dict[str, datetime]) -> None:
        gone = {**dict.fromkeys(_LANES, ""), "sealed": "", "sealed_unsubscribe": ""}
        await self._documents.update_one({"_id": mail_id}, {"$set": {**how, "to": "", "subject": ""}, "$unset": gone})
