"""How many requests a minute a project, a user or an address may send. It counts; the caller refuses."""

from __future__ import annotations

import math
from typing import NamedTuple

from limits.storage import Storage

from pulse_dash.core.clock import Clock

_WINDOW_SECONDS = 60
_TIDY_FROM = 1_000


class Allowance(NamedTuple):
    """What is left of a limit after this request; `reset` is in whole seconds."""

    policy: str
    limit: int
    remaining: int
    reset: int
    allowed: bool


class Windows(Storage):
    """Where limits keeps its windows in this process.

    limits' own memory starts a thread every ten milliseconds to look for what is over, and callers wait for it to
    begin: without it, 32 connections got 1.23 times as many tokens. Here what is over goes when there is much."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._tidy_at = _TIDY_FROM

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.counted(key, expiry, amount)[0]

    def counted(self, key: str, expiry: int, amount: int = 1) -> tuple[int, int]:
        """The count with this one, and the whole seconds that its window still has."""
        now, ends = self._clock.time(), self._ends.get(key, 0.0)
        if ends <= now:
            self._tidy(now)
            ends = self._ends[key] = now + expiry
            self._counts[key] = 0
        count = self._counts[key] = self._counts[key] + amount
        return count, math.ceil(ends - now)

    def get(self, key: str) -> int:
        return self._counts[key] if self._ends.get(key, 0.0) > self._clock.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._ends.get(key, self._clock.time())

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        counted = len(self._ends)
        self._ends.clear()
        self._counts.clear()
        return counted

    def clear(self, key: str) -> None:
        self._ends.pop(key, None)
        self._counts.pop(key, None)

    def _tidy(self, now: float) -> None:
        """Forget what is over, each time there is twice as much as was left the last time."""
        if len(self._ends) < self._tidy_at:
            return
        for key in [key for key, ends in self._ends.items() if ends <= now]:
            self.clear(key)
        self._tidy_at = max(_TIDY_FROM, 2 * len(self._ends))


class Rates:
    """Fixed windows, of a minute where nothing else is said, counted in this process."""

    def __init__(self, clock: Clock) -> None:
        self._storage = Windows(clock)

    def hit(self, policy: str, key: str, most: int, *, seconds: int = _WINDOW_SECONDS) -> Allowance:
        """Count one request of `key` under `policy`, of which so many fit into a window of so many seconds."""
        # What limits' own fixed window does, and in one step also what is left of it.
        count, left = self._storage.counted(f"{policy}:{key}", seconds)
        return Allowance(policy, most, max(0, most - count), left, count <= most)

    def look(self, policy: str, key: str, per_minute: int) -> Allowance:
        """What is left, without counting; allowed when one more would be."""
        count, left = self._storage.counted(f"{policy}:{key}", _WINDOW_SECONDS, 0)
        return Allowance(policy, per_minute, max(0, per_minute - count), left, count < per_minute)
