"""Personal API tokens: a handle that finds one and a hash of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document, Update
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "personal_tokens",
    outbox(
        {
            "user_id": "string",
            "name": "string",
            "handle": "string",
            "secret_hash": "any",
            # The account's count when it was made; a token of an earlier count opens nothing.
            "tokens_epoch": "int",
            "created_at": "date",
            "expires_at": "date",
            "last_used_at?": "date",
            "revoked_at?": "date",
        }
    ),
    (
        Index("handle", (("handle", 1),), unique=True),
        Index("living", (("user_id", 1), ("tokens_epoch", 1), ("revoked_at", 1), ("_id", 1))),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """One token of a person; `handle` is the beginning that people know it by."""

    id: str
    user_id: str
    name: str
    handle: str
    secret_hash: str
    tokens_epoch: int
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class PersonalTokens(Records[PersonalToken]):
    """Tokens of people; read by Pulse itself and by the person."""

    noun = "personal_tokens"
    organization_field = None
    project_field = None

    def read(self, document: Document) -> PersonalToken:
        return PersonalToken(
            id=document["_id"],
            user_id=document["user_id"],
            name=document["name"],
            handle=document["handle"],
            secret_hash=document["secret_hash"],
            tokens_epoch=document["tokens_epoch"],
            created_at=document["created_at"],
            expires_at=document["expires_at"],
            last_used_at=document.get("last_used_at"),
            revoked_at=document.get("revoked_at"),
        )

    async def by_handle(self, handle: str) -> PersonalToken | None:
        """The token that begins so."""
        document = await self._documents.find_one(self._inside({"handle": handle}))
        return None if document is None else self.read(document)

    async def living_of(self, user_id: str, epoch: int, limit: int) -> list[PersonalToken]:
        """Those of a person that nobody revoked, run out or not, the newest first."""
        living = {"user_id": user_id, "tokens_epoch": epoch, "revoked_at": None}
        return await self.list(living, sort=[("_id", -1)], limit=limit)

    async def note_used(self, used: dict[str, datetime]) -> None:
        """Remember when tokens were last used; a later time never gives way to an earlier one."""
        await self._documents.bulk_write(
            [Update({"_id": token_id}, {"$max": {"last_used_at": at}}) for token_id, at in used.items()]
        )

    async def forget_of(self, user_id: str) -> int:
        """Remove all of a person's that are told of in the log; says how many."""
        return await self._documents.delete_many({"user_id": user_id, "pending_at": {"$exists": False}})
