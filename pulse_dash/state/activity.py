"""What happened last in the organization, as sentences, kept true by the bus."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from pulse_dash.core import audit
from pulse_dash.core.actions import said
from pulse_dash.core.audit import AuditEntry, Filters
from pulse_dash.core.errors import NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import initials, iso
from pulse_dash.state.shell import ShellState

_SHOWN = 6
# Whatever an entry is made beside says its noun, on other nodes too.
SUBJECTS = (
    "audit_log:",
    "users:",
    "sessions:",
    "organizations:",
    "projects:",
    "keys:",
    "revocations:",
    "bans:",
    "webhooks:",
)


@dataclass(frozen=True)
class ActivityRow:
    """One entry as it is read: who, what they did, and the name of what they did it to."""

    id: str
    who: str
    initials: str
    before: str
    thing: str
    after: str
    at: str


class ActivityState(PulseState):
    """The newest entries of the organization that is worked in."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    rows: list[ActivityRow] = []

    @rx.event
    async def load(self) -> None:
        """Read the newest entries."""
        shell = await self.get_state(ShellState)
        work = await self._work()
        if not shell._organization_id:
            return
        try:
            self._fill(await _newest(work, shell._organization_id))
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep them the newest while the page is looked at."""
        async for work in self._listen(*SUBJECTS):
            async with self:
                shell = await self.get_state(ShellState)
                organization = shell._organization_id if self.loaded else ""
            if not organization:
                # The page's own load comes first.
                continue
            try:
                fresh = await _newest(work, organization)
            except (NotFound, SecondFactorNeeded, Unavailable):
                # What is shown stays true, if not the newest; the next round asks again.
                continue
            async with self:
                self._fill(fresh)

    def _fill(self, rows: list[ActivityRow]) -> None:
        self.problem = self.reference = ""
        self.rows = rows
        self.loaded = True


async def _newest(work: Work, organization: str) -> list[ActivityRow]:
    found = await audit.listing(work, Filters(org_id=organization), limit=_SHOWN)
    return [_row(entry) for entry in found.items]


def _row(entry: AuditEntry) -> ActivityRow:
    name = who(entry)
    sentence = said(entry.action, entry.status, called(entry))
    return ActivityRow(
        id=entry.id,
        who=name,
        initials=initials(name),
        before=sentence.before,
        thing=sentence.thing,
        after=sentence.after,
        at=iso(entry.at),
    )


def called(entry: AuditEntry) -> str:
    """What it was done to, as people call it: whoever must not be named to this reader, or was erased, is somebody."""
    resource = entry.resource
    return resource.get("name") or ("somebody" if resource["type"] in ("invitation", "user") else resource["id"])


def who(entry: AuditEntry) -> str:
    """Whoever did it, as people call them."""
    match entry.actor["type"]:
        case "system":
            return "Pulse"
        case "anonymous":
            return "Somebody"
        case _:
            return entry.actor.get("name") or entry.actor["id"]
