"""Keys, projects, sessions and revocations that this node has looked up, and when each of them must be forgotten.

Finding them in the database is told by keys, sessions and revocations; this remembers and forgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pulse_dash.core.access import KeyActor, UserActor
from pulse_dash.core.memory import Freshness, Memory
from pulse_dash.store.sessions import Session


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


class KnownKeys:
    """Verified pairs by their public key."""

    def __init__(self, freshness: Freshness) -> None:
        self.pairs: Memory[str, KnownKey] = Memory(freshness)

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue."""
        noun, _, changed = subject.partition(":")
        match noun:
            case "keys":
                self.pairs.drop(lambda _, known: known.actor.id == changed)
            case "projects":
                self.pairs.drop(lambda _, known: known.actor.project_id == changed)
            case "organizations":
                self.pairs.drop(lambda _, known: known.actor.org_id == changed)
            case "*":
                self.pairs.clear()
            case _:
                pass


class KnownSessions:
    """Sign-ins by their id."""

    def __init__(self, freshness: Freshness) -> None:
        self.sessions: Memory[str, KnownSession] = Memory(freshness)

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue."""
        noun, _, changed = subject.partition(":")
        match noun:
            case "sessions":
                self.sessions.drop(lambda session_id, _: session_id == changed)
            case "users":
                self.sessions.drop(lambda _, known: known.actor.id == changed)
            case "organizations" | "*":
                # Somebody may have become a member, whose session does not name the organization yet.
                self.sessions.clear()
            case _:
                pass


class KnownRevocations:
    """By LiveKit's room and identity, the id before which a mint is denied; "" where none is."""

    def __init__(self, freshness: Freshness) -> None:
        self.boundaries: Memory[tuple[str, str], str] = Memory(freshness)

    def heard(self, subject: str) -> None:
        """Forget what a change may have made untrue; which participant one speaks of does not stand in its id."""
        if subject.partition(":")[0] in ("revocations", "*"):
            self.boundaries.clear()
