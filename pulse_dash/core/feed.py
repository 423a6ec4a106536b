"""The changes feed: what other nodes changed reaches this one's bus within half a second.

It reads and says; who forgets what is told by the listeners.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pulse_dash.core.clock import Clock
from pulse_dash.core.memory import Freshness
from pulse_dash.core.work import Bus
from pulse_dash.store.store import Store

KEPT = timedelta(hours=1)


class Feed:
    """Where this node stands in the feed."""

    def __init__(self, store: Store, bus: Bus, clock: Clock, freshness: Freshness) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._freshness = freshness
        # Nothing is remembered yet, so reading the feed from its beginning costs little and misses nothing.
        self._read_to = datetime.fromtimestamp(0, UTC)
        self._asked_at = clock.now()
        self._seen: dict[str, datetime] = {}

    async def read(self) -> int:
        """Say what changed since the last time; answers how many changes were new. Raises Unavailable."""
        asked_at = self._clock.now()
        changes = await self._store.changes_since(self._read_to)
        if asked_at - self._asked_at > KEPT:
            # Away for longer than changes are kept: anything may have changed.
            self._bus.say("*:")
        self._asked_at = asked_at
        fresh = [change for change in changes if change[0] not in self._seen]
        for change_id, subject, at in fresh:
            self._seen[change_id] = at
            self._bus.say(subject)
        # The order is the server's: this node's clock never moves the mark when there is something to read.
        self._read_to = max((at for _, _, at in changes), default=self._read_to)
        horizon = self._read_to - timedelta(minutes=1)
        self._seen = {change_id: at for change_id, at in self._seen.items() if at >= horizon}
        self._freshness.read()
        return len(fresh)
