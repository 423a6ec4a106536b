"""What a core function works with: the actor, the store as the actor may see it, and the parts of the house.

The parts are named here by what they can do; which concrete thing does it is told in services.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pulse_dash.core.access import Actor, KeyActor, Permission, PublicKeyActor, SystemActor, UserActor, held_back, where
from pulse_dash.core.actions import REFUSED
from pulse_dash.core.audit_readers import AuditReaders
from pulse_dash.core.board import Board
from pulse_dash.core.clock import Clock
from pulse_dash.core.known import KnownBans, KnownFigures, KnownKeys, KnownRevocations, KnownSessions
from pulse_dash.core.mail import Post
from pulse_dash.core.media import LiveKit, LiveNow
from pulse_dash.core.media_servers import OwnLiveKits
from pulse_dash.core.memory import Freshness
from pulse_dash.core.outbound import Outbound
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.rates import Rates
from pulse_dash.core.slowdown import Slowdown
from pulse_dash.core.storage import Bucket, Storage
from pulse_dash.core.tallying import Tallying
from pulse_dash.core.vault import Vault
from pulse_dash.store.ids import IdMaker
from pulse_dash.store.records import Page as Page  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.records import View
from pulse_dash.store.records import page_of as page_of  # noqa: PLC0414 - and this
from pulse_dash.store.store import ScopedStore, Store
from pulse_dash.store.users import User


class Bus(Protocol):
    """Says that something changed. It may lose a word, so each listener also asks now and then."""

    def say(self, subject: str) -> None: ...

    def listen(self, heard: Callable[[str], None]) -> Callable[[], None]:
        """Call `heard` with each subject from now on; the answer ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that rules depend on."""

    signup: str
    public_url: str
    # Where no mail is sent in development, an address counts as proved.
    proves_addresses: bool
    regions: tuple[str, ...]
    project_per_minute: int
    user_per_minute: int
    ip_per_minute: int
    # How many days the audit log is kept, by plan.
    audit_days: Mapping[str, int]
    # Seconds after each attempt of a webhook's delivery that failed; after the last there is no other.
    webhook_pauses: tuple[int, ...]
    # What starts a LiveKit beside this Pulse, for whoever runs it from a checkout.
    livekit_command: str


class Call(NamedTuple):
    """Where a request came from, for the audit log and for limits."""

    request_id: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the house that core works with; services fills it once."""

    store: Store
    clock: Clock
    ids: IdMaker
    bus: Bus
    livekit: LiveKit
    region_livekits: Mapping[str, LiveKit]
    own_livekits: OwnLiveKits
    vault: Vault
    post: Post
    slowdown: Slowdown
    # Accounts that a wrong password was given for, each with an entry that refused_sign_ins has not written yet.
    refused_sign_ins: deque[tuple[User, dict[str, Any]]]
    passwords: Passwords
    rates: Rates
    known_keys: KnownKeys
    known_sessions: KnownSessions
    known_revocations: KnownRevocations
    known_bans: KnownBans
    known_figures: KnownFigures
    tallying: Tallying
    live: LiveNow
    outbound: Outbound
    storage: Storage
    connect_storage: Callable[[Bucket], Storage]
    freshness: Freshness
    policy: Policy
    board: Board
    audit_readers: AuditReaders


class Work(NamedTuple):
    """One actor at work. `store` sees what the actor holds `permission` over."""

    parts: Parts
    actor: Actor
    call: Call = Call()
    permission: Permission = Permission.VIEW

    @property
    def store(self) -> ScopedStore:
        visible = where(self.actor, Permission.VIEW)
        held = visible if self.permission is Permission.VIEW else where(self.actor, self.permission)
        return self.parts.store.through(View(held, visible, self.permission.value, self.refused, held_back(self.actor)))

    @property
    def clock(self) -> Clock:
        return self.parts.clock

    def narrowed(self, permission: Permission) -> Work:
        """The same actor, seeing only what it holds this permission over."""
        return self if permission is self.permission else Work(self.parts, self.actor, self.call, permission)

    def as_system(self, reason: str) -> Work:
        """Pulse itself, for what no actor's scope reaches; the reason makes each use easy to find."""
        return Work(self.parts, SystemActor(reason), self.call)

    def acting_as(self, actor: Actor) -> Work:
        """The same call, once it is known who makes it."""
        return Work(self.parts, actor, self.call)

    def new_id(self, prefix: str) -> str:
        return self.parts.ids.make(prefix)

    def entry(
        self,
        action: str,
        *,
        org_id: str | None,
        resource: str,
        resource_id: str,
        name: str,
        changes: Mapping[str, Any] | None = None,
        by: Actor | None = None,
        status: str = "success",
    ) -> dict[str, Any]:
        """The audit entry of a change that this actor makes now; `changes` maps a field to its before and after."""
        return {
            "_id": self.new_id("aud"),
            "org_id": org_id,
            "at": self.clock.now(),
            "actor": _as_entry(by or self.actor),
            "action": action,
            "resource": {"type": resource, "id": resource_id, "name": name},
            "status": status,
            "ip": self.call.ip,
            "user_agent": self.call.user_agent[:256],
            "request_id": self.call.request_id,
            "changes": dict(changes or {}),
        }

    async def refused(self, noun: str, document: Mapping[str, Any]) -> None:
        """Keep that this actor asked for what its role does not hold: the action's own name, with `failure`."""
        org_id = document["_id"] if noun == "organizations" else document.get("org_id")
        entry = self.entry(
            REFUSED[self.permission],
            org_id=org_id,
            resource=noun.removesuffix("s"),
            resource_id=document["_id"],
            name=str(document.get("name") or ""),
            status="failure",
        )
        system = self.as_system("keep a refusal")
        await system.store.refusals.note(f"{entry['actor']['id']}:{self.permission.value}:{org_id}", entry)


def _as_entry(actor: Actor) -> dict[str, Any]:
    match actor:
        case UserActor():
            return {"type": "user", "id": actor.id, "name": actor.name, "email": actor.email}
        case KeyActor() | PublicKeyActor():
            return {"type": "key", "id": actor.id, "name": actor.name}
        case SystemActor():
            return {"type": "system", "id": "system", "name": actor.reason}
        case _:
            return {"type": "anonymous", "id": "", "name": ""}
