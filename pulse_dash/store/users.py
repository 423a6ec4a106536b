"""Accounts of people. An address belongs to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "users",
    outbox(
        {
            "email": "string",
            "name": "string",
            "password_hash": "any",
            "verified_at?": "date",
            "operator": "bool",
            "last_organization_id?": "string",
            "founder?": "bool",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("email", (("email", 1),), unique=True),
        Index("founder", (("founder", 1),), unique=True, partial="founder"),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in; `email` is kept in lower case."""

    id: str
    email: str
    name: str
    password_hash: str
    last_organization_id: str | None
    created_at: datetime


class Users(Records[User]):
    """Accounts; nobody's scope reaches them, only Pulse itself and the person."""

    noun = "users"
    organization_field = None
    project_field = None

    def read(self, document: Document) -> User:
        return User(
            id=document["_id"],
            email=document["email"],
            name=document["name"],
            password_hash=document["password_hash"],
            last_organization_id=document.get("last_organization_id"),
            created_at=document["created_at"],
        )

    async def by_email(self, email: str) -> User | None:
        """The account of this address, which the caller has put into lower case."""
        document = await self._documents.find_one(self._inside({"email": email}))
        return None if document is None else self.read(document)

    async def remember_organization(self, user_id: str, org_id: str) -> None:
        """Where the person worked last; a convenience, so it carries no entry."""
        await self._documents.update_one({"_id": user_id}, {"$set": {"last_organization_id": org_id}})
