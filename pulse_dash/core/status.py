"""Whether this installation works: checked in the background, told to everybody from memory."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from pulse_dash.core import checks, incident_rule, incidents
from pulse_dash.core.access import open_because
from pulse_dash.core.board import Standing
from pulse_dash.core.checks import Component, Status
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.regions import component_of
from pulse_dash.core.uptime import DAYS, Bar, Seconds, bars, total
from pulse_dash.core.work import Work
from pulse_dash.store.checks import CheckedDay

# Without these nothing works; what else fails leaves Pulse degraded.
_VITAL = frozenset({"database", "api"})


@dataclass(frozen=True, slots=True)
class StatusNow:
    """The installation at this moment."""

    status: Status
    standings: Sequence[Standing]
    uptime_seconds: int
    active_projects: int


@dataclass(frozen=True, slots=True)
class History:
    """One component over the last 90 days."""

    standing: Standing
    bars: Sequence[Bar]
    seconds: Seconds

    @property
    def unknown_seconds(self) -> float:
        """What of all these days nothing was checked in."""
        return sum(bar.unknown_seconds for bar in self.bars)

    @property
    def uptime_in_words(self) -> str:
        """A share where there is a day of which most was checked, or something failed."""
        share = self.seconds.uptime
        if share is None or all(bar.status == "unknown" for bar in self.bars):
            return "no full day known yet"
        # Down, so that a failure is never told as nothing.
        return f"{math.floor(share * 100_000) / 100_000:.3%} uptime"


@open_because("anybody may see whether the service works")
def now(work: Work) -> StatusNow:
    """From memory, whatever hangs."""
    board = work.parts.board
    standings = board.standings()
    return StatusNow(_whole(standings), standings, board.uptime_seconds, board.active_projects)


@open_because("anybody may see whether the service worked")
def history(work: Work) -> list[History]:
    """Every component's days, from memory."""
    board, moment = work.parts.board, work.clock.now()
    found: list[History] = []
    for standing in board.standings():
        days = bars(board.days(standing.component.name), moment)
        found.append(History(standing, days, total(days)))
    return found


@dataclass(frozen=True, slots=True)
class Region:
    """One region, as well as the LiveKit that serves it: its own, or the installation's."""

    name: str
    status: Status
    latency_ms: float | None


@open_because("anybody may see whether the service works")
def regions(work: Work) -> list[Region]:
    """From memory."""
    of = {each.component.name: each.result for each in work.parts.board.standings()}
    found: list[Region] = []
    for name in work.parts.policy.regions:
        own = component_of(name)
        result = of.get(own if own in of else "livekit")
        found.append(Region(name, result.status if result else "unknown", result.latency_ms if result else None))
    return found


@open_because("a job of the house")
async def check(work: Work) -> None:
    """Check every component at once; each is noted when it is through, and none waits for another."""

    async def one(component: Component) -> None:
        work.parts.board.note(await checks.run(component, work.clock))

    await asyncio.gather(*map(one, work.parts.board.components))
    work.parts.bus.say("status:")


@open_because("a job of the house")
async def keep(work: Work, *, writes: bool) -> None:
    """Write what was found, on the one node that writes, and read what is kept. Raises Unavailable."""
    board, store = work.parts.board, work.store
    taken = board.take_unwritten()
    if taken and writes:
        try:
            await store.checks.add(
                [
                    CheckedDay(name, day, each.good, each.slow, each.failed, each.maintained)
                    for (name, day), each in taken.items()
                ]
            )
        except Unavailable:
            board.give_back(taken)
            raise
    while board.turns:
        if writes:
            await incident_rule.follow(work, board.turns[0])
        board.turns.popleft()
    await incidents.read(work)
    first = datetime.combine(work.clock.now().date(), time(), UTC) - timedelta(days=DAYS)
    kept = await store.checks.since(first)
    board.read(
        {(each.component, each.day): Seconds(each.good, each.slow, each.failed, each.maintained) for each in kept}
    )
    board.active_projects = await store.projects.count({})


def _whole(standings: Sequence[Standing]) -> Status:
    """The worst counts; a part that is down takes the whole down only where nothing works without it."""
    of = {each.component.name: each.result.status if each.result else "unknown" for each in standings}
    down = {name for name, status in of.items() if status == "down"}
    if down & _VITAL:
        return "down"
    if down or "degraded" in of.values():
        return "degraded"
    # A part that nobody configured says nothing of those that are there.
    return "unknown" if any(of.get(name) == "unknown" for name in _VITAL) else "operational"
