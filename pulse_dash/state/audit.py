"""The audit log of the organization that is worked in: what is looked for, the time it happened in, and the entries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from pulse_dash.core import accounts, audit, audit_retention
from pulse_dash.core.access import Permission, holds
from pulse_dash.core.actions import ACTIONS, said
from pulse_dash.core.audit import NOUNS, AuditEntry, Filters
from pulse_dash.core.clock import in_utc
from pulse_dash.core.errors import Invalid, NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.activity import SUBJECTS, called, who
from pulse_dash.state.audit_figure import figure_of
from pulse_dash.state.forms import initials, iso
from pulse_dash.state.lists import asked_choice, asked_search, list_at

PATH = "/audit"
PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "": timedelta(days=30),
    "quarter": timedelta(days=90),
    "year": timedelta(days=365),
}
_STATUSES = {"success": "Success", "failure": "Refused"}
_YEAR = 365
_BARS = 48
_PAGE = 50
_MOST_ROWS = 1_000
_SHORTEST = timedelta(minutes=1)
_LONGEST_VALUE = 300
_NAMED = ("user", "key", "resource")


@dataclass(frozen=True)
class ChangeRow:
    """One field before and after; an empty text is one that had nothing to say."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class EntryRow:
    """One entry as it is read, and what stands in it once it is opened."""

    id: str
    at: str
    who: str
    initials: str
    before: str
    thing: str
    after: str
    action: str
    ip: str
    status: str
    tone: str
    changes: list[ChangeRow]
    request_id: str
    user_agent: str
    place: str
    hash: str
    short_hash: str


class AuditState(PulseState):
    """The log; `fresh` counts what came since it was read, which waits until somebody asks for it."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    items: list[EntryRow] = []
    search: str = ""
    action: str = ""
    status: str = ""
    period: str = ""
    narrowed: bool = False
    filtered: bool = False
    more: bool = False
    fresh: int = 0
    figure: dict[str, Any] = {}
    figure_says: str = ""
    begins: str = ""
    ends: str = ""
    totals: str = ""
    download: str = ""
    download_lines: str = ""
    sees_people: bool = False
    # As it is without a setting, so that the sentence seldom changes once it is read.
    kept: str = "a year"
    _asked: dict[str, str] = {}
    _filters: Filters = Filters()
    _edges: list[datetime] = []
    _cursor: str = ""

    @rx.event
    async def load(self) -> None:
        """Read what the address names."""
        asked = self.router.url.query_parameters
        self.search = asked_search(asked)
        self.action = asked.get("action", "")[:64]
        self.status = asked_choice(asked, "status", _STATUSES)
        self.period = asked_choice(asked, "period", PERIODS)
        self._asked = {name: asked.get(name, "")[:128] for name in (*_NAMED, "from", "to")}
        await self._read(await self._work())

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Count what comes while the page is looked at; what is read stays where it is."""
        async for work in self._listen(*SUBJECTS):
            async with self:
                filters, first = self._filters, self.items[0].id if self.items else ""
                if not self.loaded or filters.org_id is None or self.narrowed:
                    # What was chosen lies in the past.
                    continue
            try:
                newest = (await audit.listing(work, filters_until_now(filters), limit=_PAGE)).items
            except (Invalid, NotFound, SecondFactorNeeded, Unavailable):
                continue
            ids = [entry.id for entry in newest]
            async with self:
                if filters is self._filters or filters == self._filters:
                    self.fresh = ids.index(first) if first in ids else len(ids)

    @rx.event
    async def show_fresh(self) -> None:
        """Read what came meanwhile."""
        await self._read(await self._work())

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search."""
        return self._at(search=search[:128])

    @rx.event
    async def set_action(self, action: str) -> object:
        """Chose an action, or all of a noun."""
        return self._at(action=action[:64])

    @rx.event
    async def set_status(self, status: str) -> object:
        """Chose what was done or what was refused."""
        return self._at(status=status if status in _STATUSES else "")

    @rx.event
    async def set_period(self, period: str) -> object:
        """Chose how far back; whatever was brushed is given up."""
        self._asked = self._asked | {"from": "", "to": ""}
        return self._at(period=period if period in PERIODS else "")

    @rx.event
    async def brush(self, points: list[Any]) -> object:
        """Chose some of the bars, with the mouse or a finger."""
        places = [each.get("pointIndex") for each in points if isinstance(each, Mapping)]
        found = [place for place in places if isinstance(place, int) and 0 <= place < len(self._edges) - 1]
        if not found:
            return None
        since, before = self._edges[min(found)], self._edges[max(found) + 1]
        if before - since < _SHORTEST:
            return None
        asked = self._said() | {"from": in_utc(since), "to": in_utc(before)}
        return rx.redirect(f"{PATH}?{urlencode(asked)}")

    @rx.event
    async def clear(self) -> object:
        """Everything of the last thirty days again."""
        return list_at(PATH)

    @rx.event
    async def older(self) -> None:
        """The next page, beneath what is shown."""
        work = await self._work()
        if not self._cursor or len(self.items) >= _MOST_ROWS:
            return
        try:
            found = await audit.listing(work, self._filters, limit=_PAGE, cursor=self._cursor)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.items = [*self.items, *(_row(entry) for entry in found.items)]
        self._note_more(found.next_cursor)

    def _at(self, **changed: str) -> object:
        return list_at(PATH, page=None, **(self._said() | changed))

    def _said(self) -> dict[str, str]:
        """The filters as they stand in the address."""
        said = {"search": self.search, "action": self.action, "status": self.status, "period": self.period}
        return {name: value for name, value in {**said, **self._asked}.items() if value}

    async def _read(self, work: Work) -> None:
        try:
            here = (await accounts.me(work)).organization
            if here is None:
                self.items, self.loaded = [], True
                return
            days = audit_retention.kept_days(work, here.plan)
            self.kept = "a year" if days == _YEAR else f"{days:,} days"
            self._fill_filters(work, here.id)
            found = await audit.listing(work, self._filters, limit=_PAGE)
            bars = await audit.histogram(work, self._filters, _BARS)
        except Invalid:
            # An address that somebody wrote by hand: nothing can be found by it.
            self.items, self.figure, self.totals, self.loaded = [], {}, "", True
            self.filtered, self.problem = True, ""
            return
        except (NotFound, SecondFactorNeeded):
            # Put out, or held back, a moment ago; the shell says so with its next word.
            self.items, self.loaded = [], True
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.items = [_row(entry) for entry in found.items]
        self._note_more(found.next_cursor)
        self._edges = [*(bar.at for bar in bars), self._filters.before or work.clock.now()]
        self.figure = figure_of(bars, self._edges[-1])
        total, refused = sum(bar.total for bar in bars), sum(bar.failures for bar in bars)
        self.totals = f"{total:,} {'entry' if total == 1 else 'entries'} · {refused:,} refused"
        self.begins, self.ends = _edge(self._edges[0], self._edges), _edge(self._edges[-1], self._edges)
        self.figure_says = f"{self.totals}, from {self.begins} to {self.ends}. The table below has them one by one."
        self.fresh = 0
        self.problem = self.reference = ""
        self.loaded = True

    def _fill_filters(self, work: Work, org_id: str) -> None:
        since, before = _given(self._asked.get("from", "")), _given(self._asked.get("to", ""))
        self.narrowed = since is not None and before is not None
        ends = before if self.narrowed and before else work.clock.now() + timedelta(seconds=1)
        named = {name: self._asked.get(name) or None for name in _NAMED}
        self._filters = Filters(
            org_id=org_id,
            since=since if self.narrowed else ends - PERIODS[self.period],
            before=ends,
            action=self.action or None,
            status=self.status or None,
            search=self.search or None,
            **named,
        )
        self.filtered = bool(self.search or self.action or self.status or self.narrowed or any(named.values()))
        self.sees_people = holds(work.actor, Permission.PEOPLE_VIEW, org_id)
        address = {"org_id": org_id, **self._filters.said()}
        self.download = f"/v1/audit-logs/export?{urlencode(address)}"
        self.download_lines = f"/v1/audit-logs/export?{urlencode({'org_id': org_id, 'format': 'jsonl'})}"

    def _note_more(self, cursor: str | None) -> None:
        self._cursor = cursor or ""
        self.more = bool(cursor) and len(self.items) < _MOST_ROWS


def filters_until_now(filters: Filters) -> Filters:
    """The same without an end, so that what comes is found too."""
    return Filters(
        org_id=filters.org_id,
        since=filters.since,
        user=filters.user,
        key=filters.key,
        action=filters.action,
        resource=filters.resource,
        status=filters.status,
        search=filters.search,
    )


def _row(entry: AuditEntry) -> EntryRow:
    name = who(entry)
    sentence = said(entry.action, entry.status, called(entry))
    refused = entry.status != "success"
    return EntryRow(
        id=entry.id,
        at=iso(entry.at),
        who=name,
        initials=initials(name),
        before=sentence.before,
        thing=sentence.thing,
        after=sentence.after,
        action=entry.action,
        ip=entry.ip,
        status=_STATUSES["failure" if refused else "success"],
        tone="bad" if refused else "good",
        changes=[_change(field, change) for field, change in entry.changes.items()],
        request_id=entry.request_id,
        user_agent=entry.user_agent,
        place="" if entry.sequence is None else f"entry {entry.sequence:,}",
        hash=entry.hash or "",
        short_hash=f"{entry.hash[:4]}…{entry.hash[-4:]}" if entry.hash else "",
    )


def _change(field: str, change: Any) -> ChangeRow:
    both: Mapping[str, Any] = change if isinstance(change, Mapping) else {"before": None, "after": change}
    return ChangeRow(field, _value(both.get("before")), _value(both.get("after")))


def _value(value: Any) -> str:
    """A value as people read it, and not longer than they would."""
    if value is None:
        return "nothing"
    if isinstance(value, datetime):
        return in_utc(value)
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return words if len(words) <= _LONGEST_VALUE else f"{words[:_LONGEST_VALUE]}…"


def _given(text: str) -> datetime | None:
    """A moment of the address; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _edge(moment: datetime, edges: list[datetime]) -> str:
    """The beginning or end of the chart, as exact as its length asks for."""
    if edges[-1] - edges[0] > timedelta(days=3):
        return f"{moment:%-d %b %Y}" if moment.year != edges[-1].year else f"{moment:%-d %b}"
    return f"{moment:%-d %b, %H:%M} UTC"


def actions_by_noun() -> dict[str, list[str]]:
    """Each noun with its actions, as they are chosen from."""
    nouns = sorted(each.removesuffix(".*") for each in NOUNS)
    return {noun: sorted(action for action in ACTIONS if action.startswith(f"{noun}.")) for noun in nouns}
