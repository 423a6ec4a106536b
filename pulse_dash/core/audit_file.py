"""The file of an export, written as its entries are read: CSV for spreadsheets, JSON Lines for programs.

It knows entries and what a reader may see of people in them. It runs in a process beside the node
(pulse_dash/audit_job.py), so it needs no more than an engine that reads and the keys of people.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pulse_dash.core.csv_text import Cell, line, lines
from pulse_dash.store.audit_form import canonical, shown
from pulse_dash.store.audit_log import AuditEntry, Entries, Wanted, read
from pulse_dash.store.audit_people import People
from pulse_dash.store.engine import Document, Engine
from pulse_dash.store.scope import Scope

Form = Literal["csv", "jsonl"]

COLUMNS: Final = (
    *("sequence", "at", "actor_type", "actor_id", "actor_name", "actor_email", "action"),
    *("resource_type", "resource_id", "resource_name", "status", "ip", "user_agent", "request_id", "changes"),
    *("id", "org_id", "hash"),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose addresses a reader sees: those in these organizations, and their own."""

    people: Scope
    own: str

    def seen(self, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
        """The entries without the addresses of others, where the reader sees none."""
        if self.people.everything:
            return list(entries)
        return [self._seen(entry) for entry in entries]

    def _seen(self, entry: AuditEntry) -> AuditEntry:
        if entry.org_id is None or entry.org_id in self.people.organizations:
            return entry
        actor, resource = dict(entry.actor), dict(entry.resource)
        if entry.actor.get("id") != self.own:
            actor.pop("email", None)
        if resource.get("type") == "invitation":
            # It is called by the address that was invited.
            resource["name"] = None
        changes = {name: change for name, change in entry.changes.items() if name != "email"}
        return entry._replace(actor=actor, resource=resource, changes=changes)


@dataclass(frozen=True, slots=True)
class File:
    """An export as it was asked for and allowed; `last` is what follows on the entries."""

    form: Form
    wanted: Wanted
    scope: Scope
    sight: Sight
    last: bytes


async def written(engine: Engine, people: People, file: File) -> AsyncGenerator[bytes]:
    """The file in chunks, oldest entry first. Raises Unavailable."""
    csv = file.form == "csv"
    if csv:
        yield line(COLUMNS).encode()
    async for entries in Entries(engine, file.scope).walk(file.wanted):
        yield _csv(file.sight.seen([read(each) for each in await people.opened(entries)])) if csv else _lines(entries)
    if file.last:
        yield file.last


def _csv(entries: Iterable[AuditEntry]) -> bytes:
    # Half of a pair from before names were looked at shall not end the file there.
    return lines([_cells(entry) for entry in entries]).encode("utf-8", "replace")


def _lines(entries: Iterable[Document]) -> bytes:
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
