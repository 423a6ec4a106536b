"""Webhooks of projects: which address is told of which events, and the secrets that sign what it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Page, Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "webhooks",
    outbox(
        {
            "org_id": "string",
            "project_id": "string",
            "url": "string",
            # Names of events; without it all of them, those of tomorrow too.
            "events?": "array",
            "description": "string",
            "enabled": "bool",
            "sealed_secret": "binary",
            # The one before a rotation signs beside it until then.
            "old_sealed_secret?": "binary",
            "old_until?": "date",
            # What is sent beside ours may hold somebody's credentials.
            "sealed_headers?": "binary",
            "created_at": "date",
            "updated_at": "date",
            "removed_at?": "date",
            # Which of the project's places it has, while it has it: their number has an end.
            "place?": "string",
            # When something is to be sent to it next, or may be again by another node; and how often that was said.
            "due_at?": "date",
            "wakes": "int",
        }
    ),
    (
        Index("project", (("project_id", 1), ("removed_at", 1), ("_id", 1))),
        Index("place", (("place", 1),), unique=True, partial="place"),
        Index("due_at", (("due_at", 1),), partial="due_at"),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address of a project; `events` is None where it is told of all."""

    id: str
    org_id: str
    project_id: str
    url: str
    events: tuple[str, ...] | None
    description: str
    enabled: bool
    sealed_secret: bytes
    old_sealed_secret: bytes | None
    old_until: datetime | None
    sealed_headers: bytes | None
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Woken:
    """A webhook that something waits for, as often as that was said until now."""

    id: str
    org_id: str
    wakes: int


class Webhooks(Records[Webhook]):
    """The webhooks that the reader may see and that were not removed."""

    noun = "webhooks"
    alive: ClassVar[Mapping[str, Any]] = {"removed_at": None}

    def read(self, document: Document) -> Webhook:
        events = document.get("events")
        return Webhook(
            id=document["_id"],
            org_id=document["org_id"],
            project_id=document["project_id"],
            url=document["url"],
            events=None if events is None else tuple(events),
            description=document["description"],
            enabled=document["enabled"],
            sealed_secret=document["sealed_secret"],
            old_sealed_secret=document.get("old_sealed_secret"),
            old_until=document.get("old_until"),
            sealed_headers=document.get("sealed_headers"),
            created_at=document["created_at"],
            version=document["version"],
        )

    async def of_project(self, project_id: str, *, page: int, limit: int) -> Page[Webhook]:
        """One page, the oldest first."""
        return await self.page({"project_id": project_id}, search="", sort=[("_id", 1)], page=page, limit=limit)

    async def told_by(self, project_id: str) -> list[Webhook]:
        """Every one of a project that is switched on."""
        found = await self.list({"project_id": project_id}, sort=[("_id", 1)])
        return [webhook for webhook in found if webhook.enabled]

    async def wake(self, webhook_id: str, at: datetime) -> None:
        """Something is to be sent to it then."""
        await self._documents.update_one({"_id": webhook_id}, {"$min": {"due_at": at}, "$inc": {"wakes": 1}})

    async def take(
        self, now: datetime, *, until: datetime, without: Collection[str], full: Collection[str]
    ) -> Woken | None:
        """The one that waits longest, but for those and for all of organizations that have their share; nobody else
        gets it before `until`, unless something new is to be sent to it."""
        chosen = {"due_at": {"$lte": now}, "_id": {"$nin": sorted(without)}, "org_id": {"$nin": sorted(full)}}
        found = await self._documents.find_one_and_update(chosen, {"$set": {"due_at": until}}, sort=[("due_at", 1)])
        return None if found is None else Woken(found["_id"], found["org_id"], found["wakes"])

    async def rest(self, woken: Woken, until: datetime, *, turn: datetime) -> None:
        """Nothing is to be sent to it before then; where that was said meanwhile, not before its next `turn`."""
        as_found = {"_id": woken.id, "wakes": woken.wakes}
        if not await self._documents.update_one(as_found, {"$set": {"due_at": until}}):
            await self._documents.update_one({"_id": woken.id}, {"$set": {"due_at": turn}})
