"""The audit log on its way out: CSV for spreadsheets, JSON Lines for programs and for whoever verifies without us.

It is read in slices and written as it is read, so its size in memory is that of one slice. The export itself is in the
log that it exports.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pulse_dash.core.access import Permission, UserActor, requires
from pulse_dash.core.audit import NOUNS, AuditEntry, Filters, seen_by, wanted_by
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.csv_text import Cell, line, lines
from pulse_dash.core.work import Work
from pulse_dash.store.audit_form import canonical, shown
from pulse_dash.store.audit_log import Wanted
from pulse_dash.store.engine import Document
from pulse_dash.store.ids import looks_like

Form = Literal["csv", "jsonl"]

# Filters that hold one of a few values, or a moment.
_CHOSEN: Final = frozenset({"from", "to", "action", "status"})

COLUMNS: Final = (
    *("sequence", "at", "actor_type", "actor_id", "actor_name", "actor_email", "action"),
    *("resource_type", "resource_id", "resource_name", "status", "ip", "user_agent", "request_id", "changes"),
    *("id", "org_id", "hash"),
)


@dataclass(frozen=True, slots=True)
class Export:
    """What `begin` found to be allowed; `chunks` reads it."""

    work: Work
    wanted: Wanted
    form: Form
    at: datetime

    @property
    def file_name(self) -> str:
        """What it is saved as."""
        whose = self.wanted.org_id or "all"
        return f"audit-log-{whose}-{self.at.date().isoformat()}.{self.form}"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file, oldest entry first; JSON Lines of one organization end with the checkpoint of its chain."""
        store = self.work.parts.store
        head = await store.chains.head(self.wanted.org_id) if self.wanted.org_id is not None else None
        if self.form == "csv":
            yield line(COLUMNS).encode()
        async for entries in self.work.store.audit_log.walk(self.wanted):
            yield await self._csv(entries) if self.form == "csv" else _json_lines(entries)
            # Whoever else waits for this node comes first.
            await asyncio.sleep(0)
        if self.form == "jsonl" and head is not None:
            yield b'{"checkpoint":' + written(head).encode() + b"}\n"

    async def _csv(self, entries: Sequence[Document]) -> bytes:
        opened = await self.work.store.audit_log.opened(entries)
        rows = lines([_cells(entry) for entry in seen_by(self.work, opened)])
        # Half of a pair from before names were looked at shall not end the file there.
        return rows.encode("utf-8", "replace")


@requires(Permission.VIEW)
async def begin(work: Work, filters: Filters, form: Form) -> Export:
    """Note in the log of each organization concerned that it is exported, by whom and with which filters.

    JSON Lines hold entries as they are hashed, addresses too, so they take `people.view`. Raises NotFound, Forbidden,
    Invalid."""
    if form == "jsonl":
        work = work.narrowed(Permission.PEOPLE_VIEW)
        if filters.org_id is not None:
            await work.store.organizations.get(filters.org_id)
    wanted = await wanted_by(work, filters)
    actor = work.actor
    concerned = [filters.org_id] if filters.org_id else sorted(actor.roles) if isinstance(actor, UserActor) else []
    for org_id in concerned:
        said = {"format": form, **_told(filters)}
        entry = work.entry(
            "audit.exported",
            org_id=org_id,
            resource="audit_log",
            resource_id=org_id,
            name="",
            changes={name: {"before": None, "after": value} for name, value in said.items()},
        )
        document = {"_id": work.new_id("axp"), "org_id": org_id, "created_by": entry["actor"]["id"]}
        await work.store.audit_exports.add(document, entry)
    await work.parts.store.logged()
    return Export(work, wanted, form, work.clock.now())


def _told(filters: Filters) -> dict[str, str]:
    """The filters as the log tells of them: of words that somebody may be found by, only that there were some. The
    log keeps its entries, and nothing in them may bring back who was erased."""
    return {
        name: value if name in _CHOSEN or looks_like(value.partition("_")[0], value) or f"{value}.*" in NOUNS else "set"
        for name, value in filters.said().items()
    }


def _json_lines(entries: Sequence[Document]) -> bytes:
    return b"".join([canonical({**shown(entry), "hash": entry.get("hash")}) + b"\n" for entry in entries])


def _cells(entry: AuditEntry) -> tuple[Cell, ...]:
    actor, resource = entry.actor.get, entry.resource.get
    return (
        entry.sequence,
        # Times of the store are in UTC.
        f"{entry.at.isoformat(timespec='milliseconds')[:23]}Z",
        actor("type"),
        actor("id"),
        actor("name"),
        actor("email"),
        entry.action,
        resource("type"),
        resource("id"),
        resource("name"),
        entry.status,
        entry.ip,
        entry.user_agent,
        entry.request_id,
        canonical(entry.changes).decode() if entry.changes else None,
        entry.id,
        entry.org_id,
        entry.hash,
    )
