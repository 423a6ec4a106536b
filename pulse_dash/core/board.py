"""What this node remembers of its checks, so that whoever asks is answered from memory.

It knows results and seconds; a node that can't write keeps them until it can.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pulse_dash.core.checks import Component, Result
from pulse_dash.core.clock import Clock
from pulse_dash.core.outages import Outage, Turn
from pulse_dash.core.traffic import Traffic
from pulse_dash.core.uptime import LONGEST_SPAN, Seconds, spans
from pulse_dash.store.incidents import Incident

RECENT = 240
KEPT = 100
Days = Mapping[tuple[str, date], Seconds]


@dataclass(frozen=True, slots=True)
class Standing:
    """One component now."""

    component: Component
    result: Result | None


class Board:
    """The newest results, the last hour, and the days."""

    def __init__(self, clock: Clock, components: tuple[Component, ...], traffic: Traffic) -> None:
        self.components, self.traffic = components, traffic
        self.active_projects = 0
        # Moves whenever something that people are told may have changed.
        self.moves = 0
        self.incidents: Sequence[Incident] = ()
        # What the rule decided and the store does not hold yet, in order.
        self.turns: deque[Turn] = deque(maxlen=KEPT)
        self._outages = {each.name: Outage(each.name) for each in components}
        self._clock, self._began = clock, clock.monotonic()
        self._results: dict[str, Result] = {}
        self._recent: dict[str, deque[Result]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._written: Days = {}
        self._unwritten: dict[tuple[str, date], Seconds] = {}

    @property
    def uptime_seconds(self) -> int:
        """How long this node runs."""
        return int(self._clock.monotonic() - self._began)

    def note(self, result: Result) -> None:
        """Remember a result and what it tells of the time since the one before."""
        self.moves += 1
        before = self._results.get(result.name)
        self._results[result.name] = result
        self._recent[result.name].append(result)
        outage = self._outages.get(result.name)
        parts = {result.name, self.cause_of(result.name)}
        maintained = any(each.covers(part, result.checked_at) for each in self.incidents for part in parts)
        if outage is not None:
            self._follow(outage, result, maintained=maintained)
        since = before.checked_at if before else None
        for day, seconds in spans(since, result, maintained=maintained).items():
            key = (result.name, day)
            self._unwritten[key] = self._unwritten.get(key, Seconds()) + seconds

    def _follow(self, outage: Outage, result: Result, *, maintained: bool) -> None:
        if maintained:
            # What happens in a maintenance window counts neither way.
            outage.forget()
        elif (turn := outage.note(result)) is not None:
            self.turns.append(turn)

    def remember(self, incidents: Sequence[Incident]) -> None:
        """What the store holds; an outage that lasts there lasts here too, also after a restart."""
        self.incidents, self.moves = incidents, self.moves + 1
        lasting = {name for each in incidents for name in each.failing}
        for name, outage in self._outages.items():
            if name in lasting and not outage.lasts and not any(turn.component == name for turn in self.turns):
                self._outages[name] = Outage(name, lasts=True)

    def title_of(self, name: str) -> str:
        """What people call a component."""
        return next((each.title for each in self.components if each.name == name), name)

    def cause_of(self, name: str) -> str:
        """Whose incident it is when a component fails."""
        return next((each.cause for each in self.components if each.name == name), name)

    def standings(self) -> list[Standing]:
        """Every component with its newest result; one that is too old says nothing of now."""
        return [Standing(each, self._current(self._results.get(each.name))) for each in self.components]

    def recent(self, name: str) -> list[Result]:
        """The last hour of one component, the oldest first."""
        return list(self._recent[name])

    def days(self, name: str) -> dict[date, Seconds]:
        """What is known of each day of a component, written or not."""
        found = {day: seconds for (component, day), seconds in self._written.items() if component == name}
        for (component, day), seconds in self._unwritten.items():
            if component == name:
                found[day] = found.get(day, Seconds()) + seconds
        return found

    def take_unwritten(self) -> dict[tuple[str, date], Seconds]:
        """What has to be written; who takes it writes it or gives it back."""
        taken, self._unwritten = self._unwritten, {}
        return taken

    def give_back(self, taken: Days) -> None:
        """It could not be written."""
        for key, seconds in taken.items():
            self._unwritten[key] = self._unwritten.get(key, Seconds()) + seconds

    def read(self, written: Days) -> None:
        """What the store holds."""
        self._written, self.moves = written, self.moves + 1

    def _current(self, result: Result | None) -> Result | None:
        if result is None or _age(self._clock.now(), result) <= LONGEST_SPAN:
            return result
        return replace(result, status="unknown", latency_ms=None, detail="It was not checked lately.")


def _age(now: datetime, result: Result) -> float:
    return (now - result.checked_at).total_seconds()
