"""How many requests a minute a project, a user or an address may send. It counts; the caller refuses."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits.storage import MemoryStorage

_WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit after this request; `reset` is in whole seconds."""

    policy: str
    limit: int
    remaining: int
    reset: int
    allowed: bool


class Rates:
    """Fixed windows of a minute, counted in this process."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()

    def hit(self, policy: str, key: str, per_minute: int) -> Allowance:
        """Count one request of `key` under `policy`."""
        counter = f"{policy}:{key}"
        # What limits' own fixed window does, and in one step also what is left of it.
        return self._allowance(policy, counter, per_minute, self._storage.incr(counter, _WINDOW_SECONDS))

    def look(self, policy: str, key: str, per_minute: int) -> Allowance:
        """What is left, without counting; allowed when one more would be."""
        counter = f"{policy}:{key}"
        return self._allowance(policy, counter, per_minute, self._storage.get(counter) + 1, counted=False)

    def _allowance(self, policy: str, counter: str, limit: int, count: int, *, counted: bool = True) -> Allowance:
        reset = max(1, math.ceil(self._storage.get_expiry(counter) - time.time()))
        left = limit - count + (0 if counted else 1)
        return Allowance(policy, limit, max(0, left), reset, count <= limit)
