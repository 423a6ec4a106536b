"""The one source of time. Everything that asks what time it is asks a `Clock`, so a test can run a year."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic, time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; `now` is aware UTC with millisecond precision, which is what BSON keeps."""

    def now(self) -> datetime: ...

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back, for measuring how old something is."""
        ...


class SystemClock:
    """The machine's clock."""

    time = staticmethod(time)
    monotonic = staticmethod(monotonic)

    def now(self) -> datetime:
        return milliseconds(datetime.now(UTC))


def in_utc(moment: datetime) -> str:
    """A moment as whoever is outside reads it: UTC, ISO 8601, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: datetime) -> datetime:
    """The same moment without its microseconds below a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
