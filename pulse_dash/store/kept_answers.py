"""Answers kept for requests that may come again, each under the mark of its request. What lies in one is sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "kept_answers",
    {
        "_id": "string",
        "body": "string",
        "expires_at": "date",
        "answer?": "binary",
        "secrets?": "binary",
        "secrets_until?": "date",
    },
    (
        Index("expires_at", (("expires_at", 1),)),
        Index("secrets_until", (("secrets_until", 1),), partial="secrets_until"),
    ),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered; `answer` is None while the first request is at work, `secrets` once their time is over."""

    id: str
    body: str
    answer: bytes | None
    secrets: bytes | None
    secrets_until: datetime | None


class KeptAnswers:
    """Written and read by Pulse itself, whose callers meet their own requests only."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._documents = store.engine.collection("kept_answers")

    async def claim(self, answer_id: str, body: str, *, now: datetime, until: datetime) -> bool:
        """Be the one who does it; False when it is being done or was done already."""
        await self._documents.delete_one({"_id": answer_id, "expires_at": {"$lte": now}})
        try:
            await self._documents.insert_one({"_id": answer_id, "body": body, "expires_at": until})
        except DuplicateKey:
            return False
        return True

    async def find(self, answer_id: str) -> KeptAnswer | None:
        """What is known of that request."""
        document: Document | None = await self._documents.find_one({"_id": answer_id})
        if document is None:
            return None
        return KeptAnswer(
            id=document["_id"],
            body=document["body"],
            answer=document.get("answer"),
            secrets=document.get("secrets"),
            secrets_until=document.get("secrets_until"),
        )

    async def keep(self, answer_id: str, *, answer: bytes, secrets: bytes, secrets_until: datetime) -> None:
        """Keep what was answered, its secrets apart."""
        kept = {"answer": answer, "secrets": secrets, "secrets_until": secrets_until}
        await self._documents.update_one({"_id": answer_id}, {"$set": kept})

    async def release(self, answer_id: str) -> None:
        """Nothing was done: the next request may do it."""
        await self._documents.delete_one({"_id": answer_id})

    def release_later(self, answer_id: str) -> None:
        """The same, as soon as the database is back."""
        self._store.release_later(answer_id)

    async def forget(self, now: datetime) -> None:
        """Remove the answers whose day is over, and of the others the secrets whose minutes are."""
        await self._documents.delete_many({"expires_at": {"$lte": now}})
        await self._documents.update_many(
            {"secrets_until": {"$lte": now}}, {"$unset": {"secrets": "", "secrets_until": ""}}
        )
