"""How many requests a minute a project, a user or an address may send. It counts; the caller refuses."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter


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
        self._windows = FixedWindowRateLimiter(self._storage)
        self._items: dict[int, RateLimitItemPerMinute] = {}

    def hit(self, policy: str, key: str, per_minute: int) -> Allowance:
        """Count one request of `key` under `policy`."""
        item = self._item(per_minute)
        allowed = self._windows.hit(item, policy, key)
        return self._allowance(policy, item, key, allowed)

    def look(self, policy: str, key: str, per_minute: int) -> Allowance:
        """What is left, without counting."""
        item = self._item(per_minute)
        return self._allowance(policy, item, key, self._windows.test(item, policy, key))

    def _item(self, per_minute: int) -> RateLimitItemPerMinute:
        item = self._items.get(per_minute)
        if item is None:
            item = self._items[per_minute] = RateLimitItemPerMinute(per_minute)
        return item

    def _allowance(self, policy: str, item: RateLimitItemPerMinute, key: str, allowed: bool) -> Allowance:
        stats = self._windows.get_window_stats(item, policy, key)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return Allowance(policy, item.amount, stats.remaining, reset, allowed)
