"""Counts by project, metric and hour. Counting fails open: a lost second of counts is no reason to refuse a caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Update
from pulse_dash.store.records import View, both
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "tallies",
    {
        "_id": "string",
        "org_id": "string",
        "project_id": "string",
        "metric": "string",
        "hour": "date",
        "count": "int",
    },
    (
        Index("project", (("project_id", 1), ("metric", 1), ("hour", 1))),
        Index("organization", (("org_id", 1), ("metric", 1), ("hour", 1))),
    ),
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened in one hour of one project."""

    org_id: str
    project_id: str
    metric: str
    hour: datetime
    count: int


class Tallies:
    """Hourly counts that the reader may see."""

    def __init__(self, store: Any, view: View) -> None:
        self._documents = store.engine.collection("tallies")
        self._view = view

    async def add(self, tallies: list[Tally]) -> None:
        """Add to what is counted already."""
        await self._documents.bulk_write(
            [
                Update(
                    {"_id": f"{tally.project_id}:{tally.metric}:{tally.hour:%Y%m%d%H}"},
                    {
                        "$inc": {"count": tally.count},
                        "$setOnInsert": {
                            "org_id": tally.org_id,
                            "project_id": tally.project_id,
                            "metric": tally.metric,
                            "hour": tally.hour,
                        },
                    },
                    upsert=True,
                )
                for tally in tallies
            ]
        )

    async def total(self, project_id: str, metric: str, since: datetime) -> int:
        """What was counted of one metric of a project from `since` on, by whole hours."""
        inside = self._view.held.filter("org_id", "project_id")
        wanted = {"project_id": project_id, "metric": metric, "hour": {"$gte": since}}
        return sum(int(document["count"]) for document in await self._documents.find(both(wanted, inside)))

    async def of_organization(
        self, org_id: str, metrics: Sequence[str], since: datetime, before: datetime | None = None
    ) -> list[Tally]:
        """Every hour's counts of these metrics of one organization, from `since` on until `before`."""
        inside = self._view.held.filter("org_id", "project_id")
        hours = {"$gte": since} if before is None else {"$gte": since, "$lt": before}
        wanted = {"org_id": org_id, "metric": {"$in": list(metrics)}, "hour": hours}
        found = await self._documents.find(both(wanted, inside))
        return [Tally(d["org_id"], d["project_id"], d["metric"], d["hour"], int(d["count"])) for d in found]
