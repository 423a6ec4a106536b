"""Counts of requests and tokens, and when keys and sign-ins were used, gathered in memory and written every second.

Counting fails open: a kill loses the last second of counts, and no caller waits for a write.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pulse_dash.core.clock import Clock, milliseconds
from pulse_dash.store.store import ScopedStore
from pulse_dash.store.tallies import Tally

API_REQUESTS = "api_requests"
TOKENS = "tokens"
DEVELOPMENT_TOKENS = "development_tokens"
# An open page shows its cookie every second; when it was used is told to the minute.
_SEEN_EVERY = timedelta(minutes=1)
_MOST_SEEN = 50_000


@dataclass(frozen=True, slots=True)
class Flushed:
    """The projects that were counted, those of them that minted their first token, and the keys that were used."""

    counted: frozenset[str] = frozenset()
    first_tokens: tuple[str, ...] = ()
    keys_used: frozenset[str] = frozenset()


class Tallying:
    """What was counted since the last flush."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By organization, project, metric and hour since the epoch.
        self._counts: defaultdict[tuple[str, str, str, int], int] = defaultdict(int)
        self._used: dict[str, float] = {}
        self._first_tokens: dict[str, datetime] = {}
        self._tokens: dict[str, datetime] = {}
        self._seen: dict[str, datetime] = {}
        self._people: dict[str, datetime] = {}
        self._seen_lately: dict[str, datetime] = {}

    def count(self, org_id: str, project_id: str, metric: str) -> None:
        """One more of this metric, in the running hour."""
        self._counts[org_id, project_id, metric, int(self._clock.time() // 3600)] += 1

    def waiting(self, project_id: str, metric: str) -> int:
        """How many of a project's were counted here and not written yet."""
        return sum(
            n for (_, project, counted, _), n in self._counts.items() if (project, counted) == (project_id, metric)
        )

    def used(self, key_id: str) -> None:
        """This key was used now."""
        self._used[key_id] = self._clock.time()

    def seen(self, session_id: str, user_id: str) -> None:
        """This sign-in was used now, by its person; noted once a minute."""
        now, last = self._clock.now(), self._seen_lately.get(session_id)
        if last is None or now - last >= _SEEN_EVERY:
            if len(self._seen_lately) >= _MOST_SEEN:
                self._seen_lately.clear()
            self._seen[session_id] = self._seen_lately[session_id] = self._people[user_id] = now

    def token_used(self, token_id: str, user_id: str) -> None:
        """This personal token was used now, for its person."""
        self._tokens[token_id] = self._people[user_id] = self._clock.now()

    def first_token(self, project_id: str) -> None:
        """This project minted a token, and is not known to have done so before."""
        self._first_tokens.setdefault(project_id, self._clock.now())

    async def flush(self, store: ScopedStore) -> Flushed:
        """Write what was gathered, and tell whose it was.

        What can't be written stays gathered. Raises Unavailable."""
        counts = self._counts
        self._counts = defaultdict(int)
        flushed = Flushed(counted=frozenset(project for _, project, _, _ in counts), keys_used=frozenset(self._used))
        used, self._used = self._used, {}
        first, self._first_tokens = self._first_tokens, {}
        seen, self._seen = self._seen, {}
        tokens, self._tokens = self._tokens, {}
        people, self._people = self._people, {}
        try:
            if counts:
                await store.tallies.add([_tally(*key, count) for key, count in counts.items()])
                counts.clear()
            if used:
                await store.keys.note_used({key_id: _moment(at) for key_id, at in used.items()})
            if tokens:
                await store.personal_tokens.note_used(tokens)
            if seen:
                await store.sessions.note_used(seen)
            if people:
                await store.users.note_seen(people)
            mark = store.projects.mark_first
            minted = [project for project, at in first.items() if await mark(project, "first_token_at", at)]
            return replace(flushed, first_tokens=tuple(minted))
        except BaseException:
            for key, count in counts.items():
                self._counts[key] += count
            self._used = {**used, **self._used}
            self._seen = {**seen, **self._seen}
            self._tokens = {**tokens, **self._tokens}
            self._people = {**people, **self._people}
            self._first_tokens = {**first, **self._first_tokens}
            raise


def _moment(seconds: float) -> datetime:
    return milliseconds(datetime.fromtimestamp(seconds, UTC))


def _tally(org_id: str, project_id: str, metric: str, hour: int, count: int) -> Tally:
    return Tally(org_id, project_id, metric, datetime.fromtimestamp(hour * 3600, UTC), count)
