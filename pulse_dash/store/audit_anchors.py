"""Where the checkpoints of an organization's audit log go by themselves, and how that went; one document for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "audit_anchors",
    outbox(
        {
            "webhook_url?": "string",
            "sealed_secret?": "binary",
            # The project whose bucket it is.
            "project_id?": "string",
            # By way: which entry the last that arrived stands at, and since when which error keeps the next.
            "arrived?": "any",
            "failed?": "any",
            "due_at?": "date",
            "created_at": "date",
            "updated_at": "date",
        }
    ),
    (Index("due_at", (("due_at", 1),), partial="due_at"), PENDING),
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The last checkpoint that arrived one way: at which entry, and when."""

    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """The last try one way, after so many that failed before: when, and why in a sentence."""

    at: datetime
    sentence: str
    times: int


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where checkpoints of one organization go; both ways may be set, or none. Ways are `webhook` and `bucket`."""

    id: str
    webhook_url: str | None = None
    sealed_secret: bytes | None = None
    project_id: str | None = None
    arrived: Mapping[str, Arrived] = field(default_factory=dict[str, Arrived])
    failed: Mapping[str, Failed] = field(default_factory=dict[str, Failed])

    @property
    def targets(self) -> dict[str, str]:
        """What each way that is set leads to."""
        named = {"webhook": self.webhook_url, "bucket": self.project_id}
        return {way: target for way, target in named.items() if target is not None}


_FIELDS: Mapping[str, str] = {"webhook": "webhook_url", "bucket": "project_id"}


class AuditAnchors(Records[Anchors]):
    """Those of the organizations that the reader may see."""

    noun = "audit_anchors"
    organization_field = "_id"
    project_field: ClassVar[str | None] = None

    def read(self, document: Document) -> Anchors:
        arrived: Mapping[str, Document] = document.get("arrived") or {}
        failed: Mapping[str, Document] = document.get("failed") or {}
        return Anchors(
            id=document["_id"],
            webhook_url=document.get("webhook_url"),
            sealed_secret=document.get("sealed_secret"),
            project_id=document.get("project_id"),
            arrived={way: Arrived(**each) for way, each in arrived.items()},
            failed={way: Failed(**each) for way, each in failed.items()},
        )

    async def of(self, org_id: str) -> Anchors:
        """Where those of this organization go; nowhere, if nobody has said."""
        found = await self.list({"_id": org_id}, sort=[("_id", 1)], limit=1)
        return found[0] if found else Anchors(org_id)

    # --- on their way

    async def due(self, now: datetime, limit: int) -> list[Anchors]:
        """Those that are to be sent, the longest due first."""
        return await self.list({"due_at": {"$lte": now}}, sort=[("due_at", 1)], limit=limit)

    async def put_off(self, org_id: str, until: datetime) -> None:
        """Look at it again then."""
        await self._documents.update_one({"_id": org_id, "due_at": {"$exists": True}}, {"$set": {"due_at": until}})

    async def took(self, org_id: str, way: str, target: str, arrived: Arrived) -> bool:
        """It arrived there; False where meanwhile somebody has named another target."""
        update = {
            "$set": {f"arrived.{way}": {"sequence": arrived.sequence, "at": arrived.at}},
            "$unset": {f"failed.{way}": ""},
        }
        return bool(await self._documents.update_one({"_id": org_id, _FIELDS[way]: target}, update))

    async def missed(self, org_id: str, way: str, target: str, failed: Failed) -> None:
        """It did not, and why."""
        said = {"at": failed.at, "sentence": failed.sentence, "times": failed.times}
        await self._documents.update_one({"_id": org_id, _FIELDS[way]: target}, {"$set": {f"failed.{way}": said}})
