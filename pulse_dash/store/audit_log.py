"""The audit log: entries are placed by the outbox alone and never changed; here they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulse_dash.store.audit_form import INSTALLATION, decoded, entry_in
from pulse_dash.store.engine import Document, Engine, translated
from pulse_dash.store.paging import Cursor, newest_first
from pulse_dash.store.records import View
from pulse_dash.store.schema import CollectionSchema, Index
from pulse_dash.store.scope import Scope

if TYPE_CHECKING:
    from pulse_dash.store.store import Store

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
        # Of its form; what has none is of the first.
        "version?": "int",
        # Its place in the chain of its organization; what is older than the chains has none.
        "sequence?": "int",
        "previous?": "string",
        "hash?": "string",
        "marks?": "array",
    },
    (
        Index("organization", (("org_id", 1), ("at", -1), ("_id", -1))),
        # Whatever the log is filtered by, a rare one among a million is found without reading the others.
        Index("marks", (("org_id", 1), ("marks", 1), ("at", -1), ("_id", -1))),
        # Not unique: what somebody puts in a place that is taken shall be found and not stop the log.
        Index("chain", (("org_id", 1), ("sequence", 1), ("_id", 1)), partial="sequence"),
    ),
)
# Read at once while a log is walked: few enough that all of them stay near the processor until they are written.
SLICE: Final = 250
# The same while a chain is.
CHAINED: Final = 1_000
_TRIES: Final = 5


class AuditEntry(NamedTuple):
    """Who did what to which thing, from where, and how it ended; `sequence` and `hash` are its place in the chain."""

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
    sequence: int | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first; `next_cursor` leads on to older ones, None at the end."""

    items: list[AuditEntry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of one organization or of all in reach, from a moment on and before another, and of each group
    of `marks` at least one."""

    org_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    marks: tuple[tuple[str, ...], ...] = ()

    def conditions(self) -> list[dict[str, Any]]:
        """As the store is asked, but for whose they are."""
        asked: list[dict[str, Any]] = []
        bounds = {"$gte": self.since, "$lt": self.before}
        asked += [{"at": {operator: moment}} for operator, moment in bounds.items() if moment is not None]
        for group in self.marks:
            asked.append({"marks": group[0] if len(group) == 1 else {"$in": list(group)}})
        return asked


class Entries:
    """The entries inside a scope as they are stored, for whoever has no more than an engine."""

    def __init__(self, engine: Engine, scope: Scope) -> None:
        self._documents = engine.collection("audit_log")
        self.scope = scope

    async def walk(self, wanted: Wanted) -> AsyncIterator[list[Document]]:
        """All that are wanted, as they are stored, oldest first and in slices."""
        conditions, newer = self._conditions(wanted), list[dict[str, Any]]()
        while True:
            bodies = await self._documents.find_bodies(
                {"$and": [*conditions, *newer]}, sort=[("at", 1), ("_id", 1)], limit=SLICE
            )
            with translated("reading the audit log"):
                found = [decoded(body) for body in bodies]
            last = found[-1] if len(found) == SLICE else None
            if last is not None and found[0]["at"] != last["at"]:
                # Of the last moment there may be more than fitted. What is newer than a moment an index tells alone.
                while found[-1]["at"] == last["at"]:
                    found.pop()
                newer = [{"at": {"$gt": found[-1]["at"]}}]
            elif last is not None:
                ways = [{"at": {"$gt": last["at"]}}, {"_id": {"$gt": last["_id"]}}]
                newer = [{"at": {"$gte": last["at"]}}, {"$or": ways}]
            if found:
                yield found
            if last is None:
                return

    async def chained(self, chain: str, after: int, at_once: int | None = None) -> AsyncIterator[list[bytes]]:
        """The entries of a chain as they are stored, by their place in it, in slices; all of one place together."""
        place: dict[str, Any] = {"org_id": _organization(chain)}
        limit = at_once or CHAINED
        while found := await self._documents.find_bodies(
            {**place, "sequence": {"$gt": after}}, sort=[("sequence", 1), ("_id", 1)], limit=limit
        ):
            first, last = _place(found[0]), _place(found[-1])
            whole = len(found) < limit or first is None or last is None
            if not whole and first != last:
                # Of the last place there may be more than fitted.
                while _place(found[-1]) == last:
                    found.pop()
            yield found
            if whole or last is None:
                return
            after = last - (first != last)

    async def unchained(self, chain: str, since: datetime | None = None) -> int:
        """How many entries of an organization have no place in a chain, from a moment on."""
        all_: dict[str, Any] = {"org_id": _organization(chain)}
        if since is not None:
            return await self._documents.count_documents(
                {**all_, "at": {"$gte": since}, "sequence": {"$exists": False}}
            )
        # Two indexes tell it without reading an entry, unless the chain grows between the one and the other.
        placed = {**all_, "sequence": {"$exists": True}}
        before = await self._documents.count_documents(placed)
        for _ in range(_TRIES):
            total = await self._documents.count_documents(all_)
            after = await self._documents.count_documents(placed)
            if after == before:
                return total - after
            before = after
        return await self._documents.count_documents({**all_, "sequence": {"$exists": False}})

    def _conditions(self, wanted: Wanted) -> list[dict[str, Any]]:
        return [self.scope.of_organization(wanted.org_id), *wanted.conditions()]


class AuditLog(Entries):
    """The entries of the organizations that the reader may see."""

    def __init__(self, store: Store, view: View) -> None:
        super().__init__(store.engine, view.held)
        self._store = store

    async def page(self, wanted: Wanted, *, limit: int, after: Cursor | None) -> AuditPage:
        """The newest that are wanted, or those older than the cursor. What was changed on this node before is in it."""
        await self._store.logged()
        conditions = self._conditions(wanted)
        if after is not None:
            conditions.append(after.older())
        found = await self._documents.find({"$and": conditions}, sort=newest_first(), limit=limit + 1)
        items = await self.opened(found[:limit])
        more = len(found) > limit
        return AuditPage(items, Cursor(items[-1].at, items[-1].id).encode() if more else None)

    async def opened(self, documents: Sequence[Document]) -> list[AuditEntry]:
        """Entries as they are stored, for their readers, with what is still known of the people in them."""
        return [read(document) for document in await self._store.people.opened(documents)]

    async def count(self, wanted: Wanted) -> int:
        """How many are wanted; of one mark and a time the index tells it."""
        return await self._documents.count_documents({"$and": self._conditions(wanted)})

    async def first_at(self, org_id: str) -> datetime | None:
        """When the oldest entry of an organization was made."""
        found = await self._documents.find(
            self.scope.of_organization(org_id), sort=[("at", 1), ("_id", 1)], limit=1, projection={"at": 1}
        )
        return found[0]["at"] if found else None

    # --- retention

    async def oldest(self, chain: str) -> datetime | None:
        """When the oldest entry of a chain, or of before it, was made."""
        found = await self._documents.find(
            {"org_id": _organization(chain)}, projection={"at": 1}, sort=[("at", 1), ("_id", 1)], limit=1
        )
        return found[0]["at"] if found else None

    async def forget(self, chain: str, through: int) -> int:
        """Delete a chain's entries up to this place, the oldest first."""
        return await self._documents.delete_many(
            {"org_id": _organization(chain), "sequence": {"$gt": 0, "$lte": through}}
        )

    async def forget_unchained(self, chain: str, before: datetime) -> int:
        """Delete what has no place in the chain and is older than that."""
        return await self._documents.delete_many(
            {"org_id": _organization(chain), "at": {"$lt": before}, "sequence": {"$exists": False}}
        )


def _organization(chain: str) -> str | None:
    return None if chain == INSTALLATION else chain


def _place(body: bytes) -> int | None:
    """Where an entry says that it stands; None where it can't be read any more, and the walk ends."""
    entry = entry_in(body)
    return None if entry is None else entry["sequence"]


def read(document: Document) -> AuditEntry:
    """An entry whose people were opened, for its readers."""
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
        sequence=document.get("sequence"),
        hash=document.get("hash"),
    )
