"""Uptime from what checks found: seconds of each kind a day, and the one formula over them.

Time that nothing was checked in is unknown: it is never counted as good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from pulse_dash.core.checks import EVERY, Result, Status

BarStatus = Status | Literal["maintenance"]
DAYS = 90
DAY = 86_400.0
FORMULA = "uptime = (good + slow) / (good + slow + failed)"
# A check that comes later than this after the one before leaves a gap behind it.
LONGEST_SPAN = 3 * EVERY


@dataclass(frozen=True, slots=True)
class Seconds:
    """How many seconds of each kind were seen, in milliseconds so that sums stay exact."""

    good: int = 0
    slow: int = 0
    failed: int = 0
    # Seen in a maintenance window, whatever was seen: it counts neither way.
    maintained: int = 0

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(
            self.good + other.good,
            self.slow + other.slow,
            self.failed + other.failed,
            self.maintained + other.maintained,
        )

    @property
    def known(self) -> int:
        """All that was checked and counts."""
        return self.good + self.slow + self.failed

    @property
    def uptime(self) -> float | None:
        """The share of what was checked in which it worked; None where nothing was checked."""
        return (self.good + self.slow) / self.known if self.known else None


_KINDS: dict[Status, str] = {"operational": "good", "degraded": "slow", "down": "failed"}


def spans(before: datetime | None, result: Result, *, maintained: bool = False) -> dict[date, Seconds]:
    """What a result tells of the time since the one before it, by day.

    Of a span that is too long only what one interval covers is known; of an unknown result nothing."""
    kind = "maintained" if maintained else _KINDS.get(result.status)
    if before is None or kind is None or result.checked_at <= before:
        return {}
    until = result.checked_at
    began = before if (until - before).total_seconds() <= LONGEST_SPAN else until - timedelta(seconds=EVERY)
    midnight = datetime.combine(until.date(), time(), UTC)
    parts = [(began.date(), began, midnight), (until.date(), midnight, until)] if began < midnight else []
    return {
        day: Seconds(**{kind: round((end - start).total_seconds() * 1000)})
        for day, start, end in parts or [(until.date(), began, until)]
    }


@dataclass(frozen=True, slots=True)
class Bar:
    """One day as it is drawn."""

    day: date
    seconds: Seconds
    elapsed: float

    @property
    def status(self) -> BarStatus:
        """The worst that takes a visible part of the day, then maintenance; a day that is mostly a gap is unknown."""
        known, seen = self.seconds.known / 1000, self.seconds.maintained / 1000 + self.seconds.known / 1000
        if self.seconds.failed > 60_000 or (known and self.seconds.failed >= self.seconds.known / 2):
            return "down"
        if self.seconds.failed or self.seconds.slow > self.seconds.known / 100:
            return "degraded"
        if not seen or seen < self.elapsed / 2:
            return "unknown"
        return "maintenance" if self.seconds.maintained else "operational"

    @property
    def unknown_seconds(self) -> float:
        """What of the day nothing was checked in."""
        return max(0.0, self.elapsed - (self.seconds.known + self.seconds.maintained) / 1000)


def bars(seconds_of: dict[date, Seconds], now: datetime) -> list[Bar]:
    """The last 90 days, the oldest first; a day without any check is there too."""
    today = now.date()
    gone = (now - datetime.combine(today, time(), UTC)).total_seconds()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    return [Bar(day, seconds_of.get(day, Seconds()), gone if day == today else DAY) for day in days]


def total(bars: Iterable[Bar]) -> Seconds:
    """All days together."""
    return sum((bar.seconds for bar in bars), Seconds())
