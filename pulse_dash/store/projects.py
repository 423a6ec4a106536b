"""Projects: what each is called, where it runs, and the first time something happened in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Page, Records, both
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "projects",
    outbox(
        {
            "org_id": "string",
            "name": "string",
            "region": "string",
            "created_by": "string",
            "created_at": "date",
            "updated_at": "date",
            "deleted_at?": "date",
            "first_token_at?": "date",
            "first_participant_at?": "date",
            "livekit?": "object",
            "livekit_id?": "string",
            "livekit_pair?": "string",
            "storage?": "object",
            "development_prefix?": "string",
        }
    ),
    (
        Index("organization", (("org_id", 1), ("deleted_at", 1), ("_id", 1))),
        # How many there are in all is told on the status page.
        Index("alive", (("deleted_at", 1),)),
        Index("name", (("org_id", 1), ("deleted_at", 1), ("name", 1), ("_id", 1))),
        Index("livekit_id", (("livekit_id", 1),), unique=True, partial="livekit_id"),
        Index("livekit_pair", (("livekit_pair", 1),), unique=True, partial="livekit_pair"),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class OwnLiveKit:
    """A project's own LiveKit; key and secret lie encrypted in `sealed`, and their last characters beside them."""

    id: str
    url: str
    key_hint: str
    secret_hint: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnStorage:
    """A project's own bucket; the keys lie encrypted in `sealed`, and their last characters beside them."""

    provider: str
    bucket: str
    endpoint: str
    region: str
    public_url: str | None
    key_hint: str
    secret_hint: str
    sealed: bytes = field(repr=False)


class Order(StrEnum):
    """What comes first in a list of projects."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"


# Ids are sorted by time.
_SORTS: Mapping[Order, list[tuple[str, int]]] = {
    Order.OLDEST: [("_id", 1)],
    Order.NEWEST: [("_id", -1)],
    Order.NAME: [("name", 1), ("_id", 1)],
}


@dataclass(frozen=True, slots=True)
class Project:
    """One app of an organization; its rooms never meet another's."""

    id: str
    org_id: str
    name: str
    region: str
    version: int
    created_at: datetime
    updated_at: datetime
    first_token_at: datetime | None
    first_participant_at: datetime | None
    livekit: OwnLiveKit | None
    storage: OwnStorage | None
    # The prefix of rooms that a key alone may mint for; None while a key alone opens nothing.
    development_prefix: str | None


class Projects(Records[Project]):
    """The projects that the reader may see."""

    noun = "projects"
    project_field = "_id"
    alive: ClassVar[Mapping[str, Any]] = {"deleted_at": None}

    def read(self, document: Document) -> Project:
        return Project(
            id=document["_id"],
            org_id=document["org_id"],
            name=document["name"],
            region=document["region"],
            version=document["version"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            first_token_at=document.get("first_token_at"),
            first_participant_at=document.get("first_participant_at"),
            livekit=OwnLiveKit(**document["livekit"]) if document.get("livekit") else None,
            storage=OwnStorage(**document["storage"]) if document.get("storage") else None,
            development_prefix=document.get("development_prefix"),
        )

    async def search(
        self,
        *,
        org_id: str | None,
        region: str | None,
        search: str,
        page: int,
        limit: int,
        busy: tuple[bool, list[str]] | None = None,
        order: Order = Order.OLDEST,
    ) -> Page[Project]:
        """One page; `busy` is whether to find those with rooms or those without, and which have some."""
        wanted: dict[str, Any] = {
            field: value for field, value in (("org_id", org_id), ("region", region)) if value is not None
        }
        if busy is not None:
            wanted["_id"] = {"$in" if busy[0] else "$nin": busy[1]}
        return await self.page(wanted, search=search, sort=_SORTS[order], page=page, limit=limit)

    async def lives(self, project_id: str) -> bool | None:
        """False for one that was deleted, None for one that never was."""
        inside = self._view.held.filter(self.organization_field, self.project_field)
        found = await self._documents.find_one(both({"_id": project_id}, inside), projection={"deleted_at": 1})
        return None if found is None else found.get("deleted_at") is None

    async def under(self, ids: Sequence[str]) -> dict[str, Project]:
        """Those of these ids that are there, by id."""
        found = await self.list({"_id": {"$in": sorted(set(ids))}}, sort=[("_id", 1)])
        return {project.id: project for project in found}

    async def of_organization(self, org_id: str) -> list[Project]:
        """All of one organization, oldest first."""
        return await self.list({"org_id": org_id}, sort=[("_id", 1)])

    async def of_organizations(self, org_ids: Sequence[str]) -> list[Project]:
        """All of these organizations."""
        return await self.list({"org_id": {"$in": list(org_ids)}}, sort=[("_id", 1)])

    async def with_own_livekit(self) -> list[Project]:
        """All that have a LiveKit of their own."""
        return await self.list({"livekit_id": {"$exists": True}}, sort=[("livekit_id", 1)])

    async def by_livekit(self, livekit_id: str) -> Project | None:
        """The project whose own LiveKit this is."""
        document = await self._documents.find_one(self._inside({"livekit_id": livekit_id}))
        return None if document is None else self.read(document)

    async def mark_first(self, project_id: str, what: str, at: datetime) -> bool:
        """Remember when something happened first; False when it had happened before.

        It is derived from what is counted elsewhere, so it carries no entry."""
        matched = await self._documents.update_one({"_id": project_id, what: None}, {"$set": {what: at}})
        return matched > 0
