"""Exports of audit logs: each is a document of its own, because what is only read carries no entry otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pulse_dash.store.engine import Document
from pulse_dash.store.records import Records
from pulse_dash.store.schema import PENDING, CollectionSchema, Index, outbox

SCHEMA = CollectionSchema(
    "audit_exports",
    outbox({"org_id": "string", "created_by": "string", "created_at": "date", "updated_at": "date"}),
    (Index("created_at", (("created_at", 1),)), PENDING),
)


class AuditExports(Records[Document]):
    """Written by Pulse itself; people read of them in the log."""

    noun: ClassVar[str] = "audit_exports"
    project_field = None

    def read(self, document: Document) -> Document:
        return document

    async def forget(self, before: datetime) -> int:
        """Remove those of before that moment, once they are in the log."""
        return await self._documents.delete_many({"created_at": {"$lt": before}, "pending_at": {"$exists": False}})
