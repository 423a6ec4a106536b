"""How fast and how well the API answered its real requests of the last minutes, from counts that are kept anyway."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from pulse_dash.core.checks import Seen
from pulse_dash.core.clock import Clock

MINUTES = 5
FEWEST = 20
_SLOW_P99 = 1.0
_SOME_FAIL, _HALF_FAIL = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Counts:
    """What was answered since the start: under each bound in seconds, in all, and with a 5xx."""

    under: dict[float, float] = field(default_factory=dict[float, float])
    answered: float = 0
    failed: float = 0


class RequestCounts(Protocol):
    """Where requests are counted."""

    def read(self) -> Counts: ...


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of the requests of the last minutes, in seconds; None where there were none."""

    p50: float | None
    p95: float | None
    p99: float | None
    requests: int
    failed: int


class Traffic:
    """Counts of now against those of five minutes ago."""

    def __init__(self, clock: Clock, counts: RequestCounts) -> None:
        self._clock, self._counts = clock, counts
        self._kept: deque[tuple[float, Counts]] = deque()

    def look(self) -> Percentiles:
        """Read the counts and compare them with the oldest that is not over."""
        counts = self._counts.read()
        return between(self._kept[0][1] if self._kept else counts, counts)

    async def check(self) -> Seen:
        """The API's own check: whether the loop turns, how long requests took, and how many failed of us. Each keeps a
        reading, which later looks are compared with."""
        began = self._clock.monotonic()
        await asyncio.sleep(0)
        turn = self._clock.monotonic() - began
        self._kept.append((began, self._counts.read()))
        while len(self._kept) > 1 and began - self._kept[0][0] > MINUTES * 60:
            self._kept.popleft()
        seen = self.look()
        share = seen.failed / seen.requests if seen.requests >= FEWEST else 0.0
        seconds = turn if seen.p50 is None else seen.p50
        if share >= _HALF_FAIL:
            return Seen("down", seconds, f"{share:.0%} of the requests of the last {MINUTES} minutes failed.")
        if share >= _SOME_FAIL:
            return Seen("degraded", seconds, f"{share:.0%} of the requests of the last {MINUTES} minutes failed.")
        if seen.requests >= FEWEST and (seen.p99 or 0) > _SLOW_P99:
            return Seen("degraded", seconds, "One request of a hundred takes longer than a second.")
        return Seen("operational", seconds)


def between(before: Counts, after: Counts) -> Percentiles:
    """What came between two readings."""
    under = {bound: count - before.under.get(bound, 0) for bound, count in sorted(after.under.items())}
    answered = max(under.values(), default=0)
    return Percentiles(
        *(_percentile(under, answered, share) for share in (0.5, 0.95, 0.99)),
        requests=int(after.answered - before.answered),
        failed=int(after.failed - before.failed),
    )


def _percentile(under: dict[float, float], answered: float, share: float) -> float | None:
    """Inside its bucket the requests are taken to lie evenly; beyond the last bound only the bound is known."""
    wanted, lower, below = answered * share, 0.0, 0.0
    if not answered:
        return None
    for bound, count in under.items():
        if count >= wanted:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / max(count - below, 1e-9)
        lower, below = bound, count
    return lower
