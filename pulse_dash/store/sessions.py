"""Sign-ins: of the dashboard (a cookie) and of the API (a family of refresh tokens)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document, Update
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "sessions",
    outbox(
        {
            "user_id": "string",
            "kind": "string",
            "secret_hash": "any",
            "created_at": "date",
            "last_used_at?": "date",
            "expires_at": "date",
            "ended_at?": "date",
            "ip?": "string",
            "user_agent?": "string",
            "epoch?": "int",
        }
    ),
    (
        Index("living", (("user_id", 1), ("epoch", 1), ("ended_at", 1), ("expires_at", 1))),
        Index("expires_at", (("expires_at", 1),)),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in; `secret_hash` is of the cookie's or the newest refresh token's secret."""

    id: str
    user_id: str
    kind: str
    secret_hash: str
    expires_at: datetime
    ended_at: datetime | None
    created_at: datetime
    epoch: int = 0
    last_used_at: datetime | None = None
    ip: str = ""
    user_agent: str = ""


class Sessions(Records[Session]):
    """Sign-ins; read by Pulse itself and by the person."""

    noun = "sessions"
    organization_field = None
    project_field = None

    def read(self, document: Document) -> Session:
        return Session(
            id=document["_id"],
            user_id=document["user_id"],
            kind=document["kind"],
            secret_hash=document["secret_hash"],
            expires_at=document["expires_at"],
            ended_at=document.get("ended_at"),
            created_at=document["created_at"],
            epoch=document.get("epoch") or 0,
            last_used_at=document.get("last_used_at"),
            ip=document.get("ip") or "",
            user_agent=document.get("user_agent") or "",
        )

    async def rotate(self, session_id: str, old_hash: str, new_hash: str, now: datetime) -> bool:
        """Swap the secret if nobody else did; rotation is no change that people look for, so it carries no entry."""
        matched = await self._documents.update_one(
            {"_id": session_id, "secret_hash": old_hash, "ended_at": None, "expires_at": {"$gt": now}},
            {"$set": {"secret_hash": new_hash, "last_used_at": now}},
        )
        return matched > 0

    async def living_of(self, user_id: str, epoch: int, now: datetime, limit: int) -> list[Session]:
        """Those of a person that began at this count of theirs and are not over, the last begun first."""
        living = {"user_id": user_id, "epoch": epoch, "ended_at": None, "expires_at": {"$gt": now}}
        return await self.list(living, sort=[("expires_at", -1)], limit=limit)

    async def note_used(self, used: dict[str, datetime]) -> None:
        """Remember when sign-ins were last used; a later time never gives way to an earlier one."""
        await self._documents.bulk_write(
            [Update({"_id": session_id}, {"$max": {"last_used_at": at}}) for session_id, at in used.items()]
        )

    async def forget_of(self, user_id: str) -> int:
        """Remove all of a person's that are told of in the log; says how many."""
        return await self._documents.delete_many({"user_id": user_id, "pending_at": {"$exists": False}})

    async def forget(self, before: datetime) -> int:
        """Remove what was over before that moment and is told of in the log; says how many."""
        return await self._documents.delete_many({"expires_at": {"$lt": before}, "pending_at": {"$exists": False}})
