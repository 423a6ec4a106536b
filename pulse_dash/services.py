"""The one place that names the concrete parts of the house and puts them together.

A part that is not configured is an object that raises Unavailable with words, never None.
"""

from __future__ import annotations

import secrets
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from pulse_dash.adapters.audit_process import AuditProcesses, Place
from pulse_dash.adapters.helper import Helper
from pulse_dash.adapters.livekit import LiveKitServer, NoLiveKit
from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.adapters.request_counts import PrometheusCounts
from pulse_dash.adapters.s3 import NoStorage, S3Bucket
from pulse_dash.adapters.smtp import BadAddress, NoPost, Outbox, Server, SmtpPost
from pulse_dash.core.access import Actor, SystemActor
from pulse_dash.core.accountability import Accountability
from pulse_dash.core.audit_readers import AuditReaders, Here
from pulse_dash.core.audit_signing import AuditSigning
from pulse_dash.core.board import Board
from pulse_dash.core.bus import MemoryBus
from pulse_dash.core.checks import Component, Seen
from pulse_dash.core.clock import Clock, SystemClock
from pulse_dash.core.errors import NotFound, PulseError
from pulse_dash.core.feed import Feed
from pulse_dash.core.known import KnownBans, KnownFigures, KnownKeys, KnownRevocations, KnownSessions
from pulse_dash.core.live import Live
from pulse_dash.core.media_servers import OwnLiveKits
from pulse_dash.core.media_token import claims_of_a_check
from pulse_dash.core.memory import Freshness
from pulse_dash.core.outbound import Allowed, Purpose, target_of
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.person_ciphers import PersonCiphers
from pulse_dash.core.randomness import Randomness
from pulse_dash.core.rates import Rates
from pulse_dash.core.regions import component_of
from pulse_dash.core.secret import Secret
from pulse_dash.core.slowdown import Slowdown
from pulse_dash.core.storage import Bucket, Storage
from pulse_dash.core.tallying import Tallying
from pulse_dash.core.traffic import Traffic
from pulse_dash.core.vault import Vault
from pulse_dash.core.webhook_deliveries import Sending
from pulse_dash.core.work import Call, Parts, Policy, Work
from pulse_dash.settings import Settings, SettingsError, regions_of
from pulse_dash.store.connect import connect
from pulse_dash.store.engine import Engine
from pulse_dash.store.ids import IdMaker
from pulse_dash.store.migrations import migrate
from pulse_dash.store.store import Store

JOIN_SECONDS = 5.0
JOIN_SLOW_SECONDS = 2.0
JOIN_AFTER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Services:
    """All parts of a running node. `as_` gives an actor's work, `system` Pulse's own."""

    settings: Settings
    engine: Engine
    parts: Parts
    feed: Feed
    live: Live
    accountability: Accountability
    livekit: LiveKitServer | NoLiveKit
    # Those of regions that have one of their own.
    far_livekits: tuple[LiveKitServer, ...]
    helper: Helper
    # Of a node that serves, which reads the audit log in processes beside it.
    audit_processes: AuditProcesses | None
    webhooks: Sending
    node: str

    def as_(self, actor: Actor, call: Call | None = None) -> Work:
        """What this actor works with."""
        return Work(self.parts, actor, call or Call())

    def system(self, reason: str) -> Work:
        """What Pulse itself works with, unscoped; the reason makes each use easy to find."""
        return Work(self.parts, SystemActor(reason))

    async def close(self) -> None:
        """Close the parts that hold connections, files or threads."""
        await self.webhooks.end()
        await self.helper.close()
        if self.audit_processes is not None:
            await self.audit_processes.close()
        for livekit in (self.livekit, *self.far_livekits):
            await livekit.close()
        self.parts.passwords.close()
        await self.parts.store.logged()
        await self.engine.close()


async def open_services(settings: Settings, *, serves: bool = False) -> Services:
    """Open the store and put the parts together; with `serves` for a node that others wait for.

    Raises Unavailable with a sentence for the one who starts Pulse."""
    uri = settings.mongo_uri.get_secret_value() if settings.mongo_uri else None
    engine = await connect(
        mongo_uri=uri,
        database=settings.mongo_db_name,
        data_dir=settings.data_dir,
        pool_size=settings.mongo_pool_size,
        timeout_seconds=settings.mongo_timeout_seconds,
    )
    try:
        await engine.prepare()
        await migrate(engine, SystemClock(), secrets.token_hex(8))
        return assemble(settings, engine, SystemClock(), Passwords(), joins=settings.real_join, apart=serves)
    except (PulseError, SettingsError):
        await engine.close()
        raise


def assemble(
    settings: Settings, engine: Engine, clock: Clock, passwords: Passwords, *, joins: bool = False, apart: bool = False
) -> Services:
    """Put the parts together around an open store; a test brings a clock and a store of its own.

    With `joins` a real join is among what is checked, which takes a process of its own; with `apart` long stretches of
    the audit log are read in processes of their own, too."""
    ids, bus = IdMaker(clock, Randomness().bytes), MemoryBus()
    vault = Vault(_secret(settings.jwt_secret), _secret(settings.api_key_pepper), _keys(settings.encryption_keys))
    signing = AuditSigning(vault, _keys(settings.audit_signing_key))
    store = Store(engine, clock, ids, bus.say, signing, PersonCiphers(vault))
    freshness = Freshness(clock, settings.stale_keys_seconds)
    known_keys, known_sessions = KnownKeys(freshness, clock), KnownSessions(freshness)
    known_revocations, accountability = KnownRevocations(freshness), Accountability()
    known_bans = KnownBans(freshness)
    for listening in (known_keys, known_sessions, known_revocations, known_bans, accountability):
        bus.listen(listening.heard)
    processes = AuditProcesses(_place(settings)) if apart else None
    live, livekit = Live(), _livekit(settings)
    post, storage = _post(settings), _storage(settings)
    traffic = Traffic(clock, PrometheusCounts())
    outbound, helper = OutboundClient(frozenset(settings.outbound_allow)), Helper()
    components = _components(engine, livekit, storage, post, traffic)
    named = regions_of(settings)
    far = {
        each.name: LiveKitServer(each.url, each.api_key, each.api_secret, region=each.name)
        for each in named
        if each.url
    }
    components += tuple(_region(name, server) for name, server in far.items())
    if joins and isinstance(livekit, LiveKitServer):
        components += (_join(helper, livekit, clock),)
    parts = Parts(
        store=store,
        clock=clock,
        ids=ids,
        bus=bus,
        livekit=livekit,
        region_livekits=far,
        own_livekits=OwnLiveKits(lambda url, key, secret: LiveKitServer(url, key, secret, outbound), vault),
        vault=vault,
        post=post,
        slowdown=Slowdown(clock),
        refused_sign_ins=deque(),
        passwords=passwords,
        rates=Rates(clock),
        known_keys=known_keys,
        known_sessions=known_sessions,
        known_revocations=known_revocations,
        known_bans=known_bans,
        known_figures=KnownFigures(clock),
        tallying=Tallying(clock),
        live=live,
        outbound=outbound,
        storage=storage,
        connect_storage=lambda bucket: S3Bucket(bucket, outbound),
        freshness=freshness,
        policy=Policy(
            signup=settings.signup or "open",
            public_url=settings.public_url,
            proves_addresses=settings.production or post.delivers,
            regions=tuple(region.name for region in named),
            project_per_minute=settings.rate_limit_project_per_minute,
            user_per_minute=settings.rate_limit_user_per_minute,
            ip_per_minute=settings.rate_limit_ip_per_minute,
            audit_days=settings.audit_retention_days,
            webhook_pauses=settings.webhook_retry_schedule,
            livekit_command=settings.livekit_command,
        ),
        board=Board(clock, components, traffic),
        audit_readers=AuditReaders(Here(engine, store.people).start if processes is None else processes.start),
    )
    feed = Feed(store, bus, clock, freshness)
    far_away = tuple(far.values())
    return Services(
        *(settings, engine, parts, feed, live, accountability, livekit, far_away, helper, processes),
        webhooks=Sending(),
        node=secrets.token_hex(8),
    )


def _components(
    engine: Engine,
    livekit: LiveKitServer | NoLiveKit,
    storage: Storage,
    post: SmtpPost | Outbox | NoPost,
    traffic: Traffic,
) -> tuple[Component, ...]:
    """What is checked: the three that every installation has, and of the rest what is configured."""
    found = [
        Component("database", "Database", engine.ping, timeout=3.0, slow=0.5),
        Component("api", "API", traffic.check, timeout=3.0),
        Component("livekit", "LiveKit", None if isinstance(livekit, NoLiveKit) else livekit.ping, timeout=5.0),
    ]
    if isinstance(storage, S3Bucket):
        found.append(Component("storage", "Object storage", lambda: _answers(storage), timeout=8.0, slow=2.0))
    if isinstance(post, SmtpPost):
        found.append(Component("mail", "Mail", post.ping, timeout=8.0, slow=3.0))
    return tuple(found)


def _region(name: str, server: LiveKitServer) -> Component:
    """A region's own LiveKit, asked as the installation's is."""
    return Component(component_of(name), f"LiveKit in {name}", server.ping, timeout=5.0)


def _join(helper: Helper, livekit: LiveKitServer, clock: Clock) -> Component:
    """LiveKit has no answer to "can one join now?", so two participants of our own join and talk."""
    room, started = f"pulse-status-{secrets.token_hex(4)}", clock.monotonic()

    async def ask() -> Seen:
        began = clock.monotonic()
        if began - started < JOIN_AFTER_SECONDS:
            # Another process would take its time from a node that starts.
            return Seen("unknown", None, "It is not tried yet.")
        speaker, listener = (
            livekit.signer.sign(claims_of_a_check(livekit.api_key, room, who, now=int(clock.time())))
            for who in ("speaker", "listener")
        )
        found = await helper.real_join(livekit.url, speaker=speaker, listener=listener, seconds=JOIN_SECONDS)
        seconds = clock.monotonic() - began
        told = ", ".join(f"{step} {took * 1000:.0f} ms" for step, took in found.items())
        return Seen("degraded" if seconds > JOIN_SLOW_SECONDS else "operational", seconds, told)

    return Component("join", "Joining a room", ask, timeout=JOIN_SECONDS + 6, needs="livekit")


async def _answers(storage: S3Bucket) -> None:
    """A read costs next to nothing, and that nothing lies there is an answer. Raises Unavailable."""
    with suppress(NotFound):
        await storage.read("pulse-status-check")


def _livekit(settings: Settings) -> LiveKitServer | NoLiveKit:
    secret = settings.livekit_api_secret
    if not (settings.livekit_host and settings.livekit_api_key and secret.get_secret_value()):
        return NoLiveKit()
    return LiveKitServer(settings.livekit_host, settings.livekit_api_key, _secret(secret))


def _storage(settings: Settings) -> Storage:
    """The installation's bucket. Its address is the operator's word, so it may be private."""
    if not settings.r2_bucket_name:
        return NoStorage()
    endpoint = settings.r2_endpoint
    bucket = Bucket(
        settings.r2_bucket_name,
        endpoint,
        settings.r2_region,
        settings.r2_access_key_id,
        _secret(settings.r2_secret_access_key),
    )
    target = target_of(Purpose.STORAGE, endpoint)
    own = () if isinstance(target, str) else (Allowed(Purpose.STORAGE, target.host, target.port),)
    return S3Bucket(bucket, OutboundClient(frozenset(own)))


def _post(settings: Settings) -> SmtpPost | Outbox | NoPost:
    """The mail server; `sender` is what SMTP_URL does not say otherwise."""
    if settings.smtp_url is None:
        return NoPost() if settings.production else Outbox()
    host = urlsplit(settings.public_url).hostname or "localhost"
    try:
        return SmtpPost(Server.read(_secret(settings.smtp_url), sender=f"Pulse <pulse@{host}>"))
    except BadAddress as error:
        raise SettingsError(f"SMTP_URL is not usable: {error}.") from None


def _place(settings: Settings) -> Place:
    """What a process beside this one needs to read the same store."""
    return Place(
        mongo_uri=settings.mongo_uri.get_secret_value() if settings.mongo_uri else None,
        database=settings.mongo_db_name,
        data_dir=settings.data_dir,
        timeout_seconds=settings.mongo_timeout_seconds,
        encryption_keys=tuple(key.reveal() for key in _keys(settings.encryption_keys)),
    )


def _keys(listed: SecretStr) -> tuple[Secret, ...]:
    """Keys that stand in one setting, comma separated."""
    return tuple(Secret(key.strip()) for key in listed.get_secret_value().split(",") if key.strip())


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())
