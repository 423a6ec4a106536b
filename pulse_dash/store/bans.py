"""Bans: which identities a project lets into no room, why, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Page, Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox
from pulse_dash.store.subset import containing

SCHEMA = CollectionSchema(
    "bans",
    outbox(
        {
            "org_id": "string",
            "project_id": "string",
            "identity": "string",
            "reason": "string",
            "until?": "date",
            "created_by": "string",
            "created_at": "date",
            "updated_at": "date",
            "lifted_at?": "date",
            # Only while it holds, so that an identity is banned once in a project.
            "holds?": "string",
        }
    ),
    (
        Index("holds", (("holds", 1),), unique=True, partial="holds"),
        Index("project", (("project_id", 1), ("lifted_at", 1), ("_id", -1))),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class Ban:
    """One identity that a project lets in nowhere; for good where `until` is None."""

    id: str
    org_id: str
    project_id: str
    identity: str
    reason: str
    until: datetime | None
    created_by: str
    created_at: datetime


class Bans(Records[Ban]):
    """The bans that the reader may see and that were not lifted, those that ran out too."""

    noun = "bans"
    alive: ClassVar[Mapping[str, Any]] = {"lifted_at": None}

    def read(self, document: Document) -> Ban:
        return Ban(
            id=document["_id"],
            org_id=document["org_id"],
            project_id=document["project_id"],
            identity=document["identity"],
            reason=document["reason"],
            until=document.get("until"),
            created_by=document["created_by"],
            created_at=document["created_at"],
        )

    async def of_project(self, project_id: str, *, search: str, page: int, limit: int) -> Page[Ban]:
        """One page, the newest first, of those in whose identity `search` stands."""
        chosen = {"project_id": project_id, **({"identity": containing(search)} if search else {})}
        return await self.page(chosen, search="", sort=[("_id", -1)], page=page, limit=limit)

    async def all_of_project(self, project_id: str) -> list[Ban]:
        """Every one of a project."""
        return await self.list({"project_id": project_id}, sort=[("_id", -1)])

    async def holding(self, holds: str) -> Ban | None:
        """The one that bans this identity of a project, where there is one."""
        document = await self._documents.find_one(self._inside({"holds": holds}))
        return None if document is None else self.read(document)

    async def projects_of(self, ban_ids: Sequence[str]) -> set[str]:
        """The projects of these bans, lifted ones too: whose sets a change made untrue."""
        found = await self._documents.find({"_id": {"$in": sorted(ban_ids)}}, projection={"project_id": 1})
        return {document["project_id"] for document in found}


def holds_of(project_id: str, identity: str) -> str:
    """What is unique about a ban that holds; ids have one length, so the two parts never slide into each other."""
    return f"{project_id}:{identity}"
