"""Counts of requests and tokens, and when a key was last used, gathered in memory and written every second.

Counting fails open: a kill loses the last second of counts, and no caller waits for a write.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from pulse_dash.core.clock import Clock
from pulse_dash.store.store import ScopedStore
from pulse_dash.store.tallies import Tally

API_REQUESTS = "api_requests"
TOKENS = "tokens"


class Tallying:
    """What was counted since the last flush."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By organization, project, metric and hour since the epoch.
        self._counts: Counter[tuple[str, str, str, int]] = Counter()
        self._used: dict[str, datetime] = {}
        self._first_tokens: dict[str, datetime] = {}

    def count(self, org_id: str, project_id: str, metric: str) -> None:
        """One more of this metric, in the running hour."""
        self._counts[org_id, project_id, metric, int(self._clock.time()) // 3600] += 1

    def request(self, org_id: str, project_id: str) -> None:
        """One more API request of a project."""
        self.count(org_id, project_id, API_REQUESTS)

    def used(self, key_id: str) -> None:
        """This key was used now."""
        self._used[key_id] = self._clock.now()

    def first_token(self, project_id: str) -> None:
        """This project minted a token, and is not known to have done so before."""
        self._first_tokens.setdefault(project_id, self._clock.now())

    async def flush(self, store: ScopedStore) -> list[str]:
        """Write what was gathered; answers the projects that minted their first token.

        What can't be written stays gathered. Raises Unavailable."""
        counts = self._counts
        self._counts = Counter()
        used, self._used = self._used, {}
        first, self._first_tokens = self._first_tokens, {}
        try:
            if counts:
                await store.tallies.add([_tally(*key, count) for key, count in counts.items()])
                counts.clear()
            if used:
                await store.keys.note_used(used)
            mark = store.projects.mark_first
            return [project for project, at in first.items() if await mark(project, "first_token_at", at)]
        except BaseException:
            self._counts.update(counts)
            self._used = {**used, **self._used}
            self._first_tokens = {**first, **self._first_tokens}
            raise


def _tally(org_id: str, project_id: str, metric: str, hour: int, count: int) -> Tally:
    return Tally(org_id, project_id, metric, datetime.fromtimestamp(hour * 3600, UTC), count)
