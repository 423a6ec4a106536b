"""Whether the installation works, as the dashboard shows it: parts, their last hour and 90 days, incidents, answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import reflex as rx

from pulse_dash.core import incidents, operators, status
from pulse_dash.core.checks import Result, Status
from pulse_dash.core.incidents import OVER, Incident
from pulse_dash.core.status import History, StatusNow
from pulse_dash.core.traffic import Percentiles
from pulse_dash.core.uptime import Bar, BarStatus
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import iso
from pulse_dash.state.plots import time_plot

_SHOWN = 20
_HOUR = timedelta(hours=1)

WORDS: dict[Status, str] = {
    "operational": "Operational",
    "degraded": "Degraded",
    "down": "Down",
    "unknown": "Unknown",
}
DAY_WORDS: dict[BarStatus, str] = {**WORDS, "maintenance": "Maintenance"}
TONES: dict[Status, str] = {"operational": "good", "degraded": "warn", "down": "bad", "unknown": ""}
_WHOLE: dict[Status, str] = {
    "operational": "Everything is operational.",
    "degraded": "Something works less well than it should.",
    "down": "Pulse is down.",
    "unknown": "Nothing was checked lately, so nothing is known.",
}


@dataclass(frozen=True)
class PartRow:
    """One part that is checked, now; `why` is told to operators alone, because it may name hosts."""

    name: str
    title: str
    word: str
    tone: str
    took: str
    checked_at: str
    why: str


@dataclass(frozen=True)
class DayBar:
    """One day of a part; `left` is where its bar stands."""

    status: str
    left: int
    says: str


@dataclass(frozen=True)
class DaysRow:
    """The 90 days of one part."""

    title: str
    uptime: str
    bars: list[DayBar]


@dataclass(frozen=True)
class ToldRow:
    """One word on how an incident goes."""

    word: str
    body: str
    at: str


@dataclass(frozen=True)
class IncidentRow:
    """An incident or a maintenance window."""

    id: str
    kind: str
    state: str
    over: bool
    title: str
    affects: str
    word: str
    tone: str
    began: str
    ended: str
    told: list[ToldRow]
    afterwards: str


class ServiceStatusState(PulseState):
    """What the page Status shows; all of it comes from memory, so it stands while everything else hangs."""

    loaded: bool = False
    operator: bool = False
    word: str = ""
    tone: str = ""
    sentence: str = ""
    parts: list[PartRow] = []
    days: list[DaysRow] = []
    lines: list[str] = []
    figure: dict[str, Any] = {}
    chart_says: str = ""
    incidents: list[IncidentRow] = []
    requests: str = ""
    p50: str = ""
    p95: str = ""
    p99: str = ""

    @rx.event
    async def load(self) -> None:
        """Read what is remembered."""
        self._fill(await self._work())

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep it true: a word comes with each round of checks."""
        async for work in self._listen("status:"):
            async with self:
                self._fill(work)

    def _fill(self, work: Work) -> None:
        now, board = status.now(work), work.parts.board
        self.word, self.tone = WORDS[now.status], TONES[now.status]
        self.sentence = _WHOLE[now.status]
        self.operator = operators.is_one(work.actor)
        self.parts = _parts(now, operator=self.operator)
        days = [_days(each) for each in status.history(work)]
        if days != self.days:
            # Ninety days of every part: sent again only when one of them looks different.
            self.days = days
        recent = {each.component.title: _by_minute(board.recent(each.component.name)) for each in now.standings}
        drawn = {title: points for title, points in recent.items() if points}
        self.lines, self.figure = list(drawn), time_plot(drawn, unit="ms", until=work.clock.now(), span=_HOUR)
        self.chart_says = _spoken(now)
        self.incidents = _incidents(work)
        self._fill_requests(board.traffic.look())
        self.loaded = True

    def _fill_requests(self, seen: Percentiles) -> None:
        self.requests = f"{seen.requests:,}"
        self.p50, self.p95, self.p99 = (
            "–" if seconds is None else f"{seconds * 1000:.1f} ms" for seconds in (seen.p50, seen.p95, seen.p99)
        )


def _parts(now: StatusNow, *, operator: bool) -> list[PartRow]:
    rows: list[PartRow] = []
    for each in now.standings:
        result = each.result
        name: Status = result.status if result else "unknown"
        rows.append(
            PartRow(
                each.component.name,
                each.component.title,
                WORDS[name],
                TONES[name],
                _took(result),
                iso(result.checked_at) if result else "",
                result.detail if result and operator else "",
            )
        )
    return rows


def _took(result: Result | None) -> str:
    if result is None:
        return "not checked yet"
    return "no answer" if result.latency_ms is None else f"{result.latency_ms:,.1f} ms"


def _days(history: History) -> DaysRow:
    bars = [
        DayBar(
            f"status-{bar.status}",
            number * 10,
            _told(bar),
        )
        for number, bar in enumerate(history.bars)
    ]
    return DaysRow(history.standing.component.title, history.uptime_in_words, bars)


def _told(bar: Bar) -> str:
    kept = bar.seconds.maintained
    minutes = f", {max(1, round(kept / 60_000)):,} min maintenance" if kept else ""
    word, seconds = DAY_WORDS[bar.status], bar.seconds
    return f"{bar.day:%-d %B %Y}: {word}; {seconds.failed // 1000:,} s failed, {seconds.slow // 1000:,} s slow{minutes}"


def _by_minute(results: Sequence[Result]) -> list[tuple[datetime, float | None]]:
    """The slowest answer of each minute; None where one failed, so that the line has a gap there."""
    found: dict[datetime, float | None] = {}
    for result in results:
        if result.status == "unknown":
            continue
        minute = result.checked_at.replace(second=0, microsecond=0)
        before = found.get(minute, 0.0)
        failed = before is None or result.latency_ms is None
        found[minute] = None if failed else max(before or 0.0, result.latency_ms or 0.0)
    return sorted(found.items())


def _spoken(now: StatusNow) -> str:
    newest = ", ".join(f"{each.component.title} {_took(each.result)}" for each in now.standings)
    return f"How long each part took to answer over the last hour. Now: {newest}."


def _incidents(work: Work) -> list[IncidentRow]:
    """What goes on first, then the newest."""
    now, known = work.clock.now(), incidents.listing(work)[:_SHOWN]
    return [_incident(work, each, now) for each in sorted(known, key=lambda each: each.status_at(now) in OVER)]


def _incident(work: Work, incident: Incident, now: datetime) -> IncidentRow:
    state = incident.status_at(now)
    return IncidentRow(
        id=incident.id,
        kind=incident.kind,
        state=state,
        over=state in OVER,
        title=incident.title,
        affects=", ".join(work.parts.board.title_of(name) for name in incident.components),
        word=state.replace("_", " ").capitalize(),
        tone="good" if state in OVER else "" if incident.kind == "maintenance" else "bad",
        began=iso(incident.started_at),
        ended=iso(incident.resolved_at or incident.ends_at),
        told=[
            ToldRow(each.status.replace("_", " ").capitalize(), each.body, iso(each.at))
            for each in reversed(incident.updates)
        ],
        afterwards=incident.postmortem,
    )
