"""Keys, projects, sessions, revocations and bans that this node has looked up, and when each of them must be forgotten.

Finding them in the database is told by keys, sessions, revocations and bans; this remembers and forgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pulse_dash.core.access import KeyActor, PublicKeyActor, UserActor
from pulse_dash.core.clock import Clock
from pulse_dash.core.memory import Freshness, Lately, Memory, Together
from pulse_dash.store.sessions import Session
from pulse_dash.store.store import ScopedStore

Banned = Mapping[str, datetime | None]
REFUSED_SECONDS = 60
_FIGURES_SECONDS = 60.0
_MOST_FIGURES = 500


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A verified pair: who it is, the secret's fingerprint, and until when it opens (None: until revoked)."""

    actor: KeyActor
    fingerprint: bytes
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A sign-in and the person behind it with all roles."""

    session: Session
    actor: UserActor


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A verified personal token: who it is, the text's fingerprint, and until when it opens."""

    actor: UserActor
    fingerprint: bytes
    expires_at: datetime


class KnownKeys:
    """Verified pairs by their public key, and keys that mint by themselves."""

    def __init__(self, freshness: Freshness, clock: Clock) -> None:
        self.pairs: Memory[str, KnownKey] = Memory(freshness)
        self.alone: Memory[str, PublicKeyActor] = Memory(freshness)
        # A public key with a secret's fingerprint: what opened nothing is not looked up again for a while.
        self.refused = Lately(clock, REFUSED_SECONDS)
        self.asked: Together[tuple[str, bytes], KnownKey] = Together()

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue."""
        noun, _, changed = subject.partition(":")
        # Random pairs cannot be tried before they are made; one comes back only with its project or organization.
        if noun in ("projects", "organizations", "*"):
            self.refused.clear()
        match noun:
            case "keys":
                self.pairs.drop(lambda _, known: known.actor.id == changed)
                self.alone.drop(lambda _, known: known.id == changed)
            case "projects":
                self.pairs.drop(lambda _, known: known.actor.project_id == changed)
                self.alone.drop(lambda _, known: known.project.id == changed)
            case "organizations":
                self.pairs.drop(lambda _, known: known.actor.org_id == changed)
                self.alone.drop(lambda _, known: known.project.org_id == changed)
            case "*":
                self.pairs.clear()
                self.alone.clear()
            case _:
                pass


class KnownSessions:
    """Sign-ins by their id, and personal tokens by their handle."""

    def __init__(self, freshness: Freshness) -> None:
        self.sessions: Memory[str, KnownSession] = Memory(freshness)
        self.tokens: Memory[str, KnownToken] = Memory(freshness)

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue."""
        noun, _, changed = subject.partition(":")
        match noun:
            case "sessions":
                self.sessions.drop(lambda session_id, _: session_id == changed)
            case "personal_tokens":
                self.tokens.drop(lambda _, known: known.actor.token_id == changed)
            case "users":
                self.sessions.drop(lambda _, known: known.actor.id == changed)
                self.tokens.drop(lambda _, known: known.actor.id == changed)
            case "organizations" | "*":
                # Somebody may have become a member, whose session does not name the organization yet.
                self.sessions.clear()
                self.tokens.clear()
            case _:
                pass


class KnownFigures:
    """What was counted in an organization on the days before today, for a minute: past days hardly change, and pages
    that are open ask every second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: dict[str, tuple[date, float, Mapping[tuple[str, date], int]]] = {}

    def recall(self, org_id: str, today: date) -> Mapping[tuple[str, date], int] | None:
        """By metric and day; None where it must be read."""
        day, ends, counts = self._counted.get(org_id, (date.min, 0.0, {}))
        return counts if day == today and self._clock.monotonic() < ends else None

    def keep(self, org_id: str, today: date, counts: Mapping[tuple[str, date], int]) -> None:
        """It was read just now."""
        if len(self._counted) >= _MOST_FIGURES:
            self._counted.clear()
        self._counted[org_id] = today, self._clock.monotonic() + _FIGURES_SECONDS, counts


class KnownRevocations:
    """By LiveKit's room and identity, the id before which a mint is denied; "" where none is."""

    def __init__(self, freshness: Freshness) -> None:
        self.boundaries: Memory[tuple[str, str], str] = Memory(freshness)

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue; which participant one speaks of does not stand in its id."""
        if subject.partition(":")[0] in ("revocations", "*"):
            self.boundaries.clear()


class KnownBans:
    """The banned identities of each project that this node was asked about."""

    def __init__(self, freshness: Freshness) -> None:
        self._banned: Memory[str, Banned] = Memory(freshness)
        # What changed, of a project that its id does not name: it is asked before anything is believed again.
        self._changed: set[str] = set()

    def heard(self, subject: str) -> None:
        """Remember that a ban changed."""
        noun, _, changed = subject.partition(":")
        if noun == "bans":
            self._changed.add(changed)
            # What is being read at this moment is not kept.
            self._banned.drop(lambda _, __: False)
        elif noun == "*":
            self._banned.clear()

    def recall(self, project_id: str) -> Banned | None:
        """From memory alone, without waiting; None when it must be asked. Raises Unavailable."""
        return None if self._changed else self._banned.recall(project_id)

    async def of(self, store: ScopedStore, project_id: str) -> Banned:
        """The project's banned identities, each with its end. Raises Unavailable."""
        known = self.recall(project_id)
        if known is not None:
            return known
        if self._changed:
            changed = frozenset(self._changed)
            projects = await store.bans.projects_of(sorted(changed))
            self._changed -= changed
            self._banned.drop(lambda known_id, _: known_id in projects)

        async def load() -> Banned:
            return {ban.identity: ban.until for ban in await store.bans.all_of_project(project_id)}

        return await self._banned.get(project_id, load) or {}
