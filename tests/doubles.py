"""Doubles that stand beside the real thing: a clock that moves when told, and a store that can be taken away."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pulse_dash.core.audit_signing import AuditSigning
from pulse_dash.core.clock import milliseconds
from pulse_dash.core.errors import NotFound, Unauthenticated, Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.media import LiveParticipant, LiveRoom, MediaEvent
from pulse_dash.core.media_token import Signer
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Vault
from pulse_dash.store.audit_writer import TASK
from pulse_dash.store.engine import Engine


class MovableClock:
    """Stands at the real start of the test until it is moved."""

    def __init__(self) -> None:
        self._now = milliseconds(datetime.now(UTC))

    def now(self) -> datetime:
        return self._now

    def time(self) -> float:
        return self._now.timestamp()

    def monotonic(self) -> float:
        return self._now.timestamp()

    def move(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += timedelta(seconds=seconds)


class BreakableEngine:
    """A real engine whose every operation fails as a lost database does, while `gone` is set."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.gone = False
        # After so many more operations it is gone by itself: a kill in the middle of a change.
        self.gone_after: int | None = None
        self.operations = 0

    @property
    def name(self) -> Any:
        return self._engine.name

    @property
    def where(self) -> str:
        return self._engine.where

    def collection(self, name: str) -> Any:
        return _BreakableCollection(self, self._engine.collection(name))

    async def ping(self) -> None:
        self.fail_if_gone()
        await self._engine.ping()

    async def prepare(self) -> None:
        await self._engine.prepare()

    async def close(self) -> None:
        await self._engine.close()

    def fail_if_gone(self) -> None:
        self.operations += 1
        if self.gone_after is not None:
            self.gone = self.gone or self.gone_after <= 0
            self.gone_after -= 1
        if self.gone:
            raise Unavailable("database")


class _BreakableCollection:
    def __init__(self, engine: BreakableEngine, collection: Any) -> None:
        self._engine = engine
        self._collection = collection

    def __getattr__(self, method: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._engine.fail_if_gone()
            return await getattr(self._collection, method)(*args, **kwargs)

        return call


class RunningLiveKit:
    """A LiveKit that runs the rooms it is told of, by LiveKit's own names, and signs as the real one does."""

    def __init__(self, key: str = "testkey", secret: str = "a-livekit-secret-of-the-tests-alone") -> None:
        self.url = "ws://127.0.0.1:1"
        self.api_key = key
        self.signer = Signer(secret.encode())
        self.people: dict[str, list[str]] = {}
        self.gone = False

    def signed_event(self, body: bytes, authorization: str, *, now: float) -> MediaEvent:
        raise Unauthenticated

    async def ping(self) -> None:
        if self.gone:
            raise Unavailable("livekit")

    async def rooms(self) -> list[LiveRoom]:
        await self.ping()
        return [
            LiveRoom(name, f"RM_{number}", len(people), None)
            for number, (name, people) in enumerate(self.people.items())
        ]

    async def participants(self, room: str) -> list[LiveParticipant]:
        await self.ping()
        return [
            LiveParticipant(who, f"PA_{who}", "", "active", None, True, {}, "") for who in self.people.get(room, ())
        ]

    async def remove_participant(self, room: str, identity: str) -> None:
        await self.ping()
        if identity not in self.people.get(room, ()):
            raise NotFound
        self.people[room].remove(identity)

    async def delete_room(self, room: str) -> None:
        await self.ping()
        if self.people.pop(room, None) is None:
            raise NotFound


async def logged() -> None:
    """Wait until the audit log holds what was changed by now: it is written behind the change."""
    for task in asyncio.all_tasks():
        if task.get_name() == TASK:
            await asyncio.wait({task})


async def kept(engine: Engine | BreakableEngine, noun: str, **fields: Any) -> list[dict[str, Any]]:
    """All documents of a noun with these fields, for a test that looks into the store from outside."""
    await logged()
    documents = await engine.collection(noun).find({})
    return [each for each in documents if all(each.get(name) == value for name, value in fields.items())]


class Mailbox:
    """A mail server that takes everything and shows it, until it is gone."""

    delivers = True
    kept = None

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.gone = False

    async def send(self, mail: Mail) -> None:
        if self.gone:
            raise Unavailable("mail")
        self.mails.append(mail)

    def link_to(self, address: str) -> str:
        """The newest link that was mailed to an address."""
        texts = [mail.text for mail in self.mails if mail.to == address]
        return re.findall(r"https?://\S+", texts[-1])[0]

    def token_to(self, address: str) -> str:
        """What that link holds."""
        return self.link_to(address).partition("?token=")[2]


def a_vault() -> Vault:
    """A vault of the tests alone."""
    secret = Secret("a-secret-of-the-tests-that-is-long-enough")
    return Vault(secret, secret, [secret])


def a_signing(*keys: str) -> AuditSigning:
    """The audit log's key, as a setting gives it."""
    return AuditSigning(a_vault(), [Secret(key) for key in keys or ("a-signing-key-of-tests",)])
