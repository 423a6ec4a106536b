"""API keys: a public part that finds the key and a hash of its secret; the old pair may stay for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document, Update
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox
from pulse_dash.store.subset import containing

SCHEMA = CollectionSchema(
    "keys",
    outbox(
        {
            "org_id": "string",
            "project_id": "string",
            "name": "string",
            "public": "string",
            "secret_hash": "any",
            "old_public?": "string",
            "old_secret_hash?": "any",
            "old_valid_until?": "date",
            "created_at": "date",
            "last_used_at?": "date",
            "revoked_at?": "date",
        }
    ),
    (
        Index("public", (("public", 1),), unique=True),
        Index("old_public", (("old_public", 1),)),
        Index("project", (("project_id", 1), ("_id", 1))),
        Index("organization", (("org_id", 1), ("revoked_at", 1), ("_id", 1))),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a project; `public` is what people call the API key."""

    id: str
    org_id: str
    project_id: str
    name: str
    public: str
    secret_hash: str
    old_public: str | None
    old_secret_hash: str | None
    old_valid_until: datetime | None
    version: int
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class Keys(Records[Key]):
    """The keys that the reader may see, revoked ones too."""

    noun = "keys"

    def read(self, document: Document) -> Key:
        return Key(
            id=document["_id"],
            org_id=document["org_id"],
            project_id=document["project_id"],
            name=document["name"],
            public=document["public"],
            secret_hash=document["secret_hash"],
            old_public=document.get("old_public"),
            old_secret_hash=document.get("old_secret_hash"),
            old_valid_until=document.get("old_valid_until"),
            version=document["version"],
            created_at=document["created_at"],
            last_used_at=document.get("last_used_at"),
            revoked_at=document.get("revoked_at"),
        )

    async def of_project(self, project_id: str) -> list[Key]:
        """All keys of one project, oldest first."""
        return await self.list({"project_id": project_id}, sort=[("_id", 1)])

    async def by_public(self, public: str) -> Key | None:
        """The key that this public part belongs to, now or until its grace ends."""
        for field in ("public", "old_public"):
            document = await self._documents.find_one(self._inside({field: public}))
            if document is not None:
                return self.read(document)
        return None

    async def known_as(self, text: str) -> list[Key]:
        """The one whose id or public part this is, if it is not revoked."""
        for field in ("_id", "public"):
            if found := await self.list({field: text, "revoked_at": None}, sort=[("_id", 1)], limit=1):
                return found
        return []

    async def named(self, text: str, limit: int) -> list[Key]:
        """Those that are not revoked and have this in their name, the newest first."""
        return await self.list({"name": containing(text), "revoked_at": None}, sort=[("_id", -1)], limit=limit)

    async def note_used(self, used: dict[str, datetime]) -> None:
        """Remember when keys were last used; a later time never gives way to an earlier one."""
        await self._documents.bulk_write(
            [Update({"_id": key_id}, {"$max": {"last_used_at": at}}) for key_id, at in used.items()]
        )
