"""The audit log on its way out: who may have which part of it as a file, and that they had it, which is in the log too.

What the file looks like is told by audit_file. It is written in a process beside the node and passed on as it comes, so
its size in memory is that of a few chunks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pulse_dash.core.access import Actor, KeyActor, Permission, UserActor, requires
from pulse_dash.core.audit import NOUNS, Filters, sight_of, wanted_by
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.audit_file import COLUMNS as COLUMNS  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.core.audit_file import File, Form
from pulse_dash.core.audit_readers import Reading
from pulse_dash.core.work import Work
from pulse_dash.store.ids import looks_like

# Filters that hold one of a few values, or a moment.
_CHOSEN: Final = frozenset({"from", "to", "action", "status"})


@dataclass(frozen=True, slots=True)
class Export:
    """What `begin` found to be allowed, and who writes it. Whoever has one reads its `chunks`, or ends it."""

    file: File
    reading: Reading
    at: datetime

    @property
    def form(self) -> Form:
        return self.file.form

    @property
    def file_name(self) -> str:
        """What it is saved as."""
        whose = self.file.wanted.org_id or "all"
        return f"audit-log-{whose}-{self.at.date().isoformat()}.{self.form}"

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The file, oldest entry first; JSON Lines of one organization end with the checkpoint of its chain.

        Raises Unavailable where it can't be read to its end."""
        async with aclosing(self.reading.chunks(self.file)) as chunks:
            async for chunk in chunks:
                yield chunk

    def end(self) -> None:
        """Nobody wants the rest; safe to repeat."""
        self.reading.end()


@requires(Permission.VIEW)
async def begin(work: Work, filters: Filters, form: Form) -> Export:
    """Note in the log of each organization concerned that it is exported, by whom and with which filters.

    JSON Lines hold entries as they are hashed, addresses too, so they take `people.view`. Raises NotFound, Forbidden,
    Invalid, RateLimited, Unavailable."""
    if form == "jsonl":
        work = work.narrowed(Permission.PEOPLE_VIEW)
        if filters.org_id is not None:
            await work.store.organizations.get(filters.org_id)
    wanted = await wanted_by(work, filters)
    # First of all: what can't be begun is not told of as if it had been.
    reading = await work.parts.audit_readers.begin(filters.org_id or _whose(work.actor))
    try:
        await _note(work, filters, form)
        await work.parts.store.logged()
        head = await work.parts.store.chains.head(filters.org_id) if filters.org_id and form == "jsonl" else None
        last = b'{"checkpoint":' + written(head).encode() + b"}\n" if head is not None else b""
        file = File(form, wanted, work.store.audit_log.scope, sight_of(work), last)
        return Export(file, reading, work.clock.now())
    except BaseException:
        reading.end()
        raise


def _whose(actor: Actor) -> str:
    return actor.id if isinstance(actor, UserActor | KeyActor) else "nobody's"


async def _note(work: Work, filters: Filters, form: Form) -> None:
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


def _told(filters: Filters) -> dict[str, str]:
    """The filters as the log tells of them: of words that somebody may be found by, only that there were some. The
    log keeps its entries, and nothing in them may bring back who was erased."""
    return {
        name: value if name in _CHOSEN or looks_like(value.partition("_")[0], value) or f"{value}.*" in NOUNS else "set"
        for name, value in filters.said().items()
    }
