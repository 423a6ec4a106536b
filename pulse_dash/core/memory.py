"""What a node remembers of the database, and for how long it may be believed.

Failure policy: what was verified before keeps working for `stale_seconds` while the changes feed can't be read, then
callers get Unavailable. A dead key that still answers is worse than a late answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import Unavailable

K = TypeVar("K")
V = TypeVar("V")


class Freshness:
    """When the changes feed was read last; everything remembered is only as fresh as that."""

    def __init__(self, clock: Clock, stale_seconds: float) -> None:
        self._clock = clock
        # The feed is asked every half second, so an age below a second is no failure yet.
        self._limit = stale_seconds + 1
        self._read_at = clock.monotonic()

    def read(self) -> None:
        """The feed was read just now."""
        self._read_at = self._clock.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the feed was read."""
        return self._clock.monotonic() - self._read_at

    @property
    def good(self) -> bool:
        return self.age <= self._limit

    def check(self) -> None:
        """Raises Unavailable when what is remembered can't be believed any more."""
        if self._clock.monotonic() - self._read_at > self._limit:
            raise Unavailable("database")


class Memory(Generic[K, V]):
    """Values by key. One that was loaded before a change was heard is used once and not kept."""

    def __init__(self, freshness: Freshness, most: int = 20_000) -> None:
        self._values: dict[K, V] = {}
        self._freshness = freshness
        self._generation = 0
        self._most = most

    def recall(self, key: K) -> V | None:
        """What is remembered, if it can be believed. Raises Unavailable when it can't."""
        value = self._values.get(key)
        if value is not None:
            self._freshness.check()
        return value

    async def get(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """What is remembered, or what `load` finds; a None is not remembered."""
        known = self.recall(key)
        if known is not None:
            return known
        generation = self._generation
        value = await load()
        if value is not None and generation == self._generation:
            if len(self._values) >= self._most:
                self._values.clear()
            self._values[key] = value
        return value

    def drop(self, matches: Callable[[K, V], bool]) -> None:
        """Forget what matches; loads under way are not kept either."""
        self._generation += 1
        for key in [key for key, value in self._values.items() if matches(key, value)]:
            del self._values[key]

    def clear(self) -> None:
        """Forget everything."""
        self._generation += 1
        self._values.clear()


class Lately:
    """What was seen within the last seconds. With too much of it the oldest goes first."""

    def __init__(self, clock: Clock, seconds: float, most: int = 20_000) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        # In the order of their ends, because each is seen for equally long.
        self._ends: dict[Hashable, float] = {}

    def add(self, seen: Hashable) -> None:
        """Seen now."""
        if len(self._ends) >= self._most:
            del self._ends[next(iter(self._ends))]
        self._ends[seen] = self._clock.monotonic() + self._seconds

    def __contains__(self, seen: Hashable) -> bool:
        ends = self._ends.get(seen)
        if ends is not None and ends <= self._clock.monotonic():
            del self._ends[seen]
            return False
        return ends is not None

    def clear(self) -> None:
        """Forget everything."""
        self._ends.clear()


class Together(Generic[K, V]):
    """Callers who ask the same at the same time wait for one answer."""

    def __init__(self) -> None:
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `ask` answers, asked once however many wait; a caller who goes away stops it for nobody else."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)
