"""The audit log: entries are placed by the outbox alone and never changed; here they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pulse_dash.store.engine import Document
from pulse_dash.store.paging import Cursor, newest_first
from pulse_dash.store.records import View, both
from pulse_dash.store.schema import CollectionSchema, Index

SCHEMA = CollectionSchema(
    "audit_log",
    {
        "_id": "string",
        "org_id?": "string",
        "at": "date",
        "actor": "any",
        "action": "string",
        "resource?": "any",
        "status": "any",
        "ip?": "string",
        "user_agent?": "string",
        "request_id?": "string",
        "changes?": "any",
    },
    (
        Index("organization", (("org_id", 1), ("at", -1), ("_id", -1))),
        # A rare action of an organization with a million entries is found without reading them.
        Index("action", (("org_id", 1), ("action", 1), ("at", -1), ("_id", -1))),
    ),
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing, from where, and how it ended."""

    id: str
    org_id: str | None
    at: datetime
    actor: Mapping[str, Any]
    action: str
    resource: Mapping[str, Any]
    status: str
    ip: str
    user_agent: str
    request_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first; `next_cursor` leads on to older ones, None at the end."""

    items: list[AuditEntry]
    next_cursor: str | None


class AuditLog:
    """The entries of the organizations that the reader may see."""

    def __init__(self, store: Any, view: View) -> None:
        self._documents = store.engine.collection("audit_log")
        self._view = view

    async def page(self, filter: Mapping[str, Any], *, limit: int, after: Cursor | None) -> AuditPage:
        """The newest that match, or those older than the cursor."""
        query = both(filter, self._view.held.filter("org_id", None))
        if after is not None:
            query = {"$and": [query, after.older()]}
        found: list[Document] = await self._documents.find(query, sort=newest_first(), limit=limit + 1)
        items = [_read(document) for document in found[:limit]]
        more = len(found) > limit
        return AuditPage(items, Cursor(items[-1].at, items[-1].id).encode() if more else None)


def _read(document: Document) -> AuditEntry:
    return AuditEntry(
        id=document["_id"],
        org_id=document.get("org_id"),
        at=document["at"],
        actor=document["actor"],
        action=document["action"],
        resource=document["resource"],
        status=document["status"],
        ip=document.get("ip") or "",
        user_agent=document.get("user_agent") or "",
        request_id=document.get("request_id") or "",
        changes=document.get("changes") or {},
    )
