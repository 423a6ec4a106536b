"""Incidents and maintenance windows of this installation. They belong to no tenant, and everybody may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, ListOf, outbox

SCHEMA = CollectionSchema(
    "incidents",
    outbox(
        {
            "kind": "string",
            "title": "string",
            "impact": "string",
            "status": "string",
            "components": "array",
            "updates": ListOf({"at": "date", "status": "string", "body": "string"}),
            "postmortem": "string",
            "started_at": "date",
            "ends_at?": "date",
            "resolved_at?": "date",
            # The cause of an outage that the rule opened, while it lasts: it is opened once on all nodes. And which
            # components have not recovered; before there were causes it was the one that stands in `open`.
            "open?": "string",
            "failing?": "array",
            # How many of the updates subscribers were told of, and since when there are others.
            "told?": "int",
            "untold?": "date",
            # When a maintenance window begins or ends next by the clock; none where it is over.
            "turns_at?": "date",
            "created_by": "string",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (
        Index("open", (("open", 1),), unique=True, partial="open"),
        Index("untold", (("untold", 1),), partial="untold"),
        Index("turns_at", (("turns_at", 1),), partial="turns_at"),
        Index("started", (("started_at", -1), ("_id", -1))),
        PENDING,
    ),
)


@dataclass(frozen=True, slots=True)
class IncidentUpdate:
    """One word on how it goes."""

    at: datetime
    status: str
    body: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage or a maintenance window; `outage` names the cause of one that the rule opened and that lasts, and
    `failing` the components that have not recovered from it."""

    id: str
    kind: str
    title: str
    impact: str
    status: str
    components: Sequence[str]
    updates: Sequence[IncidentUpdate]
    postmortem: str
    started_at: datetime
    ends_at: datetime | None
    resolved_at: datetime | None
    outage: str | None
    failing: Sequence[str]
    told: int
    created_at: datetime
    updated_at: datetime

    def status_at(self, now: datetime) -> str:
        """A window begins and ends by the clock, unless it was ended before."""
        if self.kind != "maintenance" or self.resolved_at is not None:
            return self.status
        if now < self.started_at:
            return "scheduled"
        return "in_progress" if self.ends_at is None or now < self.ends_at else "completed"

    def covers(self, component: str, now: datetime) -> bool:
        """Whether maintenance of this component is under way."""
        return self.status_at(now) == "in_progress" and component in self.components


class Incidents(Records[Incident]):
    """Written by operators and by the rule, through Pulse itself."""

    noun = "incidents"
    organization_field: ClassVar[str | None] = None
    project_field: ClassVar[str | None] = None

    def read(self, document: Document) -> Incident:
        found: Sequence[Mapping[str, Any]] = document["updates"]
        return Incident(
            id=document["_id"],
            kind=document["kind"],
            title=document["title"],
            impact=document["impact"],
            status=document["status"],
            components=tuple(document["components"]),
            updates=tuple(IncidentUpdate(each["at"], each["status"], each["body"]) for each in found),
            postmortem=document["postmortem"],
            started_at=document["started_at"],
            ends_at=document.get("ends_at"),
            resolved_at=document.get("resolved_at"),
            outage=document.get("open"),
            failing=tuple(document.get("failing") or [document["open"]]) if "open" in document else (),
            told=document.get("told", 0),
            created_at=document["created_at"],
            updated_at=document["updated_at"],
        )

    async def newest(self, limit: int) -> list[Incident]:
        """The latest beginning first; a window of the future stands before everything."""
        return await self.list({}, sort=[("started_at", -1), ("_id", -1)], limit=limit)

    async def lasting(self, cause: str, component: str) -> Incident | None:
        """The outage of this cause, or of the component by itself, that the rule opened and that lasts."""
        document = await self._documents.find_one({"open": {"$in": [cause, component]}})
        return None if document is None else self.read(document)

    async def untold(self, limit: int) -> list[Incident]:
        """Those with updates that subscribers were not told of, the oldest first."""
        return await self.list({"untold": {"$exists": True}}, sort=[("untold", 1)], limit=limit)

    async def turning(self, now: datetime, limit: int) -> list[Incident]:
        """The windows whose next turn has come, the oldest first."""
        return await self.list({"turns_at": {"$lte": now}}, sort=[("turns_at", 1)], limit=limit)

    async def tell(self, incident: Incident) -> None:
        """Subscribers were told of all that this incident held when it was read; what came since waits on."""
        await self._documents.update_one(
            {"_id": incident.id, "updated_at": incident.updated_at},
            {"$set": {"told": len(incident.updates)}, "$unset": {"untold": ""}},
        )
