"""Organizations with their members. Who is a member stands in the organization itself, so one write keeps an owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Page, Records, both
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, ListOf, outbox

SCHEMA = CollectionSchema(
    "organizations",
    outbox(
        {
            "name": "string",
            "plan": "string",
            "members": ListOf({"user_id": "string", "role": "string", "joined_at": "date", "invitation_id?": "string"}),
            "created_by": "string",
            "created_at": "date",
            "updated_at": "date",
            "deleted_at?": "date",
            "requires_second_factor?": "bool",
        }
    ),
    (
        Index("member", (("members.user_id", 1), ("deleted_at", 1), ("_id", 1))),
        Index("deleted", (("deleted_at", 1),)),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role in one organization."""

    user_id: str
    role: str
    joined_at: datetime
    # The invitation that they came by, which brings nobody else.
    invitation_id: str | None = None

    def document(self) -> Document:
        """As it stands in the organization."""
        return {
            "user_id": self.user_id,
            "role": self.role,
            "joined_at": self.joined_at,
            "invitation_id": self.invitation_id,
        }


@dataclass(frozen=True, slots=True)
class Organization:
    """A team with its projects; `plan` is free, pro or enterprise."""

    id: str
    name: str
    plan: str
    members: tuple[Member, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    requires_second_factor: bool = False

    def role_of(self, user_id: str) -> str | None:
        """The user's role here, None for who is not a member."""
        return next((member.role for member in self.members if member.user_id == user_id), None)


class Organizations(Records[Organization]):
    """The organizations that the reader may see."""

    noun = "organizations"
    organization_field = "_id"
    project_field = None
    alive: ClassVar[Mapping[str, Any]] = {"deleted_at": None}

    def read(self, document: Document) -> Organization:
        return Organization(
            id=document["_id"],
            name=document["name"],
            plan=document["plan"],
            members=tuple(
                Member(m["user_id"], m["role"], m["joined_at"], m.get("invitation_id")) for m in document["members"]
            ),
            version=document["version"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            deleted_at=document.get("deleted_at"),
            requires_second_factor=bool(document.get("requires_second_factor")),
        )

    async def of_member(self, user_id: str) -> list[Organization]:
        """Every organization the user belongs to, oldest first."""
        return await self.list({"members.user_id": user_id}, sort=[("_id", 1)])

    async def ids(self, beyond: str, limit: int) -> list[str]:
        """The ids of those that there are, deleted ones too, in order."""
        asked = both({"_id": {"$gt": beyond}}, self._view.held.filter(self.organization_field, None))
        found = await self._documents.find(asked, projection={"_id": 1}, sort=[("_id", 1)], limit=limit)
        return [each["_id"] for each in found]

    async def search(self, *, search: str, page: int, limit: int) -> Page[Organization]:
        """One page, oldest first."""
        return await self.page({}, search=search, sort=[("_id", 1)], page=page, limit=limit)


class DeletedOrganizations(Organizations):
    """Those that were deleted; they are no longer in anybody's scope, so Pulse itself looks for them."""

    alive: ClassVar[Mapping[str, Any]] = {"deleted_at": {"$ne": None}}

    async def of_member_since(self, user_id: str, since: datetime) -> list[Organization]:
        """Those of this user that were deleted after that moment, the last deleted first."""
        found = await self.list({"members.user_id": user_id}, sort=[("deleted_at", -1), ("_id", -1)])
        return [each for each in found if each.deleted_at is not None and each.deleted_at > since]

    async def before(self, moment: datetime, limit: int) -> list[Organization]:
        """So many that were deleted before that moment, the last deleted first."""
        return await self.list({"deleted_at": {"$lt": moment}}, sort=[("deleted_at", -1)], limit=limit)
