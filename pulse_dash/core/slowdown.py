"""Wrong passwords slow down whoever sends them: the account that is tried and the address that tries, never for good.

Counted in this node's memory: a restart forgives, and several nodes allow some tries more. That costs little, since
each try costs a slow hash; an account that is locked by strangers would cost its owner everything. So its person
is let past where they were signed in before, and whoever is signed in is counted by themselves.
"""

from __future__ import annotations

from typing import Final

from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import RateLimited

FREE: Final = 10
LONGEST: Final = 60.0
# So often the pause doubles until it is the longest; no power of two is made that a float cannot hold.
_DOUBLINGS: Final = 6
_FORGIVEN: Final = 3600.0
_MOST: Final = 50_000


class Slowdown:
    """How often each was wrong of late, and when the last time was."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def check(self, *keys: str) -> None:
        """Raises RateLimited while one of them must wait."""
        waits = [self._wait(key) for key in keys]
        if (longest := max(waits)) > 0:
            raise RateLimited(int(longest) + 1)

    def waits(self, key: str) -> bool:
        """Whether it must wait now."""
        return self._wait(key) > 0

    def wrong(self, *keys: str) -> None:
        """Each was wrong once more."""
        now = self._clock.monotonic()
        for key in keys:
            count, last = self._wrong.get(key, (0, now))
            self._wrong[key] = (1 if now - last > _FORGIVEN else count + 1, now)
        if len(self._wrong) > _MOST:
            self._wrong = {key: held for key, held in self._wrong.items() if now - held[1] <= _FORGIVEN / 10}

    def count(self, key: str) -> int:
        """How often it was wrong in a row."""
        return self._wrong.get(key, (0, 0.0))[0]

    def right(self, key: str) -> None:
        """Whoever knows the password owes nothing."""
        self._wrong.pop(key, None)

    def _wait(self, key: str) -> float:
        count, last = self._wrong.get(key, (0, 0.0))
        if count < FREE:
            return 0.0
        pause = min(LONGEST, 2.0 ** min(count - FREE, _DOUBLINGS))
        return pause - (self._clock.monotonic() - last)
