"""Invitations into organizations: to which address, with which role, until when, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "invitations",
    outbox(
        {
            "org_id": "string",
            "email": "string",
            "role": "string",
            "token_hash": "string",
            "invited_by": "string",
            "expires_at": "date",
            "accepted_at?": "date",
            "revoked_at?": "date",
            # Only while it can be accepted or sent again, so that an address is invited once into an organization.
            "open?": "string",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("open", (("open", 1),), unique=True, partial="open"),
        Index("email", (("email", 1), ("_id", 1))),
        Index("organization", (("org_id", 1), ("created_at", -1), ("_id", -1))),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One address that was asked to join."""

    id: str
    org_id: str
    email: str
    role: str
    token_hash: str
    invited_by: str
    expires_at: datetime
    created_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """`pending`, `accepted`, `revoked` or `expired`."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "pending" if self.expires_at > now else "expired"


class Invitations(Records[Invitation]):
    """The invitations that the reader may see."""

    noun = "invitations"
    project_field = None

    def read(self, document: Document) -> Invitation:
        return Invitation(
            id=document["_id"],
            org_id=document["org_id"],
            email=document["email"],
            role=document["role"],
            token_hash=document["token_hash"],
            invited_by=document["invited_by"],
            expires_at=document["expires_at"],
            created_at=document["created_at"],
            accepted_at=document.get("accepted_at"),
            revoked_at=document.get("revoked_at"),
        )

    async def of_organization(self, org_id: str, limit: int = 0) -> list[Invitation]:
        """The newest first."""
        return await self.list({"org_id": org_id}, sort=[("created_at", -1), ("_id", -1)], limit=limit)

    async def of_address(self, email: str) -> list[Invitation]:
        """All that went to this address, whatever became of them, oldest first."""
        return await self.list({"email": email}, sort=[("_id", 1)])

    async def since(self, org_id: str, moment: datetime) -> int:
        """How many were made from that moment on."""
        return await self.count({"org_id": org_id, "created_at": {"$gte": moment}})

    async def newest_since(self, org_id: str, moment: datetime, limit: int) -> list[Invitation]:
        """The newest that were made from that moment on."""
        newest = [("created_at", -1), ("_id", -1)]
        return await self.list({"org_id": org_id, "created_at": {"$gte": moment}}, sort=newest, limit=limit)

    async def forget_one(self, invitation_id: str) -> None:
        """Remove it with the address that it holds."""
        await self._documents.delete_one({"_id": invitation_id})
