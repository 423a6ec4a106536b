"""What checks found, one document a component and day: milliseconds of good, slow, failed and maintained.

What a day lacks of its length is a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pulse_dash.store.engine import Update
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "checks",
    {
        "_id": "string",
        "component": "string",
        "day": "date",
        "good": "int",
        "slow": "int",
        "failed": "int",
        "maintained?": "int",
    },
    (Index("day", (("day", 1),)),),
)


@dataclass(frozen=True, slots=True)
class CheckedDay:
    """One component on one day (UTC), in milliseconds."""

    component: str
    day: date
    good: int
    slow: int
    failed: int
    maintained: int = 0


class Checks:
    """Written and read by Pulse itself; everybody may know them."""

    def __init__(self, store: Any) -> None:
        self._documents = store.engine.collection("checks")

    async def add(self, days: Sequence[CheckedDay]) -> None:
        """Add to what is kept already."""
        await self._documents.bulk_write(
            [
                Update(
                    {"_id": f"{each.component}:{each.day:%Y%m%d}"},
                    {
                        "$inc": {
                            "good": each.good,
                            "slow": each.slow,
                            "failed": each.failed,
                            "maintained": each.maintained,
                        },
                        "$setOnInsert": {
                            "component": each.component,
                            "day": datetime.combine(each.day, time(), UTC),
                        },
                    },
                    upsert=True,
                )
                for each in days
            ]
        )

    async def since(self, moment: datetime) -> list[CheckedDay]:
        """Every component's days from that moment on."""
        found = await self._documents.find({"day": {"$gte": moment}})
        return [
            CheckedDay(d["component"], d["day"].date(), d["good"], d["slow"], d["failed"], d.get("maintained") or 0)
            for d in found
        ]

    async def forget(self, before: datetime) -> int:
        """Remove the days before that moment."""
        return int(await self._documents.delete_many({"day": {"$lt": before}}))
