"""Sign-ins: starting, recognizing, renewing and ending them, and that the caller is there in person.

Whether somebody may sign in is told by accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import jwt

from pulse_dash.core import homes
from pulse_dash.core.access import Permission, Role, UserActor, open_because, requires
from pulse_dash.core.errors import FieldError, Forbidden, Invalid, NotFound, SignedOut, Unauthenticated
from pulse_dash.core.known import KnownSession
from pulse_dash.core.networks import network_of
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import random_secret, same
from pulse_dash.core.work import Work
from pulse_dash.store.sessions import Session as Session  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.users import User

API = "api"
DASHBOARD = "dashboard"
ACCESS_TOKEN_LIFE = timedelta(minutes=15)
SESSION_LIFE = timedelta(days=30)
_KEPT_AFTER = timedelta(days=1)
_SHOWN = 100
_LOOKED_AT = 20
_REFRESH_PREFIX = "pulse_refresh_"
_AUDIENCE = "pulse-api"
_TYPE = "pulse-access"


class NotByToken(Forbidden):
    """A personal token acts for its person everywhere but in their own account."""

    code = "not_by_token"

    def __init__(self) -> None:
        super().__init__("account")
        self.detail = "A personal token does not reach into its person's account. Sign in to do this."


@dataclass(frozen=True, slots=True)
class Started:
    """A fresh sign-in; `secret` is the cookie's value or the refresh token, shown this once."""

    session: Session
    actor: UserActor
    secret: Secret


@open_because("accounts calls it once a password was right or an account was made")
async def start(work: Work, user: User, kind: str) -> Started:
    """Begin a sign-in of one kind (API or DASHBOARD)."""
    system = work.as_system("start a session")
    session_id = system.new_id("ses")
    text = _secret(work, session_id)
    actor = await _actor(system, user, session_id)
    now = work.clock.now()
    entry = system.entry(
        "session.started",
        org_id=await homes.of(system, user),
        resource="session",
        resource_id=session_id,
        name=user.name,
        by=actor,
    )
    session = await system.store.sessions.add(
        {
            "_id": session_id,
            "user_id": user.id,
            "kind": kind,
            "secret_hash": work.parts.vault.session_hash(text),
            "last_used_at": now,
            "expires_at": now + SESSION_LIFE,
            "ended_at": None,
            "ip": work.call.ip,
            "user_agent": work.call.user_agent[:256],
            "epoch": user.epoch,
        },
        entry,
    )
    work.parts.tallying.seen(session_id, user.id)
    return Started(session, actor, Secret(_written(kind, session_id, text)))


@open_because("the cookie itself is the proof")
async def resume(work: Work, cookie: str) -> KnownSession:
    """Whose dashboard session this cookie is. Raises SignedOut for anything but a live one."""
    session_id, _, text = cookie.partition(".")
    known = await _known(work, session_id)
    if known is None or known.session.kind != DASHBOARD:
        raise SignedOut
    if not same(work.parts.vault.session_hash(text), known.session.secret_hash):
        raise SignedOut
    return known


@open_because("the token itself is the proof")
async def recognize(work: Work, access_token: str) -> UserActor:
    """Who sent this access token. Raises Unauthenticated for anything but a live one of ours."""
    try:
        claims = jwt.decode(
            access_token,
            work.parts.vault.access_key,
            algorithms=["HS256"],
            audience=_AUDIENCE,
            options={"require": ["exp", "sub", "sid"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise Unauthenticated from error
    if claims.get("typ") != _TYPE or not isinstance(claims["exp"], int) or claims["exp"] <= work.clock.time():
        raise Unauthenticated
    known = await _known(work, str(claims["sid"]))
    if known is None or known.actor.id != claims["sub"]:
        raise Unauthenticated
    return known.actor


@open_because("the refresh token itself is the proof")
async def refresh(work: Work, refresh_token: str) -> Started:
    """Swap a refresh token for the next one. One that was used before ends its family: somebody else has it.

    Raises Unauthenticated."""
    session_id, _, text = refresh_token.removeprefix(_REFRESH_PREFIX).partition(".")
    system = work.as_system("refresh a session")
    known = await _known(work, session_id) if refresh_token.startswith(_REFRESH_PREFIX) else None
    if known is None or known.session.kind != API:
        raise Unauthenticated
    vault = work.parts.vault
    random, _, stamp = text.partition(".")
    if not same(stamp, vault.session_stamp(session_id, random)):
        # Ids stand in logs: who knows one and makes up the rest must not be able to sign somebody out.
        raise Unauthenticated
    fresh = _secret(work, session_id)
    rotated = await system.store.sessions.rotate(
        session_id, vault.session_hash(text), vault.session_hash(fresh), work.clock.now()
    )
    if not rotated:
        await _end(work.acting_as(known.actor), known.session, reason="refresh token used twice")
        raise Unauthenticated
    return Started(known.session, known.actor, Secret(_written(API, session_id, fresh)))


@requires(Permission.VIEW)
async def end(work: Work) -> None:
    """Sign out: the caller's own session ends everywhere within a second."""
    if not isinstance(work.actor, UserActor):
        raise NotFound
    await in_person(work)
    session = await work.as_system("end the caller's own session").store.sessions.get(work.actor.session_id)
    await _end(work, session, reason="signed out")


@requires(Permission.VIEW)
async def listing(work: Work) -> list[Session]:
    """The caller's own sign-ins that are not over, the last begun first. Raises Unauthenticated for a key."""
    me = await in_person(work)
    system = work.as_system("the caller's own sign-ins")
    user = await system.store.users.get(me.id)
    living = await system.store.sessions.living_of(me.id, user.epoch, work.clock.now(), _SHOWN)
    spared = await system.store.sessions.list({"_id": user.spared_session_id}, sort=[("_id", 1)])
    now = work.clock.now()
    kept = [each for each in spared if each.ended_at is None and each.epoch != user.epoch and each.expires_at > now]
    return [*living, *kept]


@requires(Permission.VIEW)
async def end_one(work: Work, session_id: str) -> None:
    """End one of the caller's own sign-ins; within a second it opens nothing and its pages sign out.

    Raises NotFound, for a project's key too."""
    if not isinstance(work.actor, UserActor):
        raise NotFound
    mine = next((each for each in await listing(work) if each.id == session_id), None)
    if mine is None:
        raise NotFound
    await _end(work, mine, reason="signed out from elsewhere")


@requires(Permission.VIEW)
async def end_others(work: Work) -> None:
    """End every sign-in of the caller's but the one that asks. Raises Unauthenticated for a key."""
    me = await in_person(work)
    system = work.as_system("end the caller's other sign-ins")
    user = await system.store.users.get(me.id)
    entry = work.entry(
        "session.others_ended",
        org_id=await homes.of(system, user),
        resource="user",
        resource_id=user.id,
        name=user.name,
    )
    await system.store.users.change(user.id, only_this(user, me), entry, expect={"epoch": user.epoch})


def only_this(user: User, me: UserActor) -> dict[str, int | str]:
    """What is set in the account so that of all its sign-ins the caller's alone goes on."""
    return {"epoch": user.epoch + 1, "spared_session_id": me.session_id}


@open_because("functions about the caller's own account ask it, each with a rule of its own")
async def in_person(work: Work) -> UserActor:
    """The caller, who signed in. Raises NotByToken; Unauthenticated for a project's key: it is nobody."""
    if not isinstance(work.actor, UserActor):
        raise Unauthenticated("A project's key is nobody. Sign in as a user.")
    if work.actor.token_id:
        raise NotByToken
    return work.actor


@open_because("functions about the caller's own account ask it, each with a rule of its own")
async def with_password(work: Work, password: str, *, field: str) -> User:
    """The caller's account, once they said its password again.

    Raises Invalid, NotByToken; RateLimited after ten wrong ones, as signing in does."""
    me = await in_person(work)
    user = await work.as_system("the caller's own account").store.users.get(me.id)
    # Their own count: strangers who try their address at the log-in must not keep them from their own account.
    tried = f"own:{user.id}"
    work.parts.slowdown.check(tried)
    if not await work.parts.passwords.check(password, user.password_hash):
        work.parts.slowdown.wrong(tried)
        raise Invalid(FieldError(field, "Is not your password."))
    work.parts.slowdown.right(tried)
    return user


@open_because("the log-in asks it of an account that strangers try")
async def signed_in_from(work: Work, user: User | None) -> bool:
    """Whether this person has a sign-in from the network that asks now. An unknown address costs the same question."""
    user_id, epoch = (user.id, user.epoch) if user is not None else ("", 0)
    living = await work.as_system("an account that is tried").store.sessions.living_of(
        user_id, epoch, work.clock.now(), _LOOKED_AT
    )
    here = network_of(work.call.ip)
    return any(each.ip and network_of(each.ip) == here for each in living)


@open_because("signs only what `start` or `refresh` just proved")
async def access_token(work: Work, started: Started) -> tuple[Secret, datetime]:
    """A signed access token of 15 minutes, and when it ends."""
    expires_at = work.clock.now() + ACCESS_TOKEN_LIFE
    claims = {
        "sub": started.actor.id,
        "sid": started.session.id,
        "aud": _AUDIENCE,
        "typ": _TYPE,
        "iat": int(work.clock.time()),
        "exp": int(expires_at.timestamp()),
    }
    return Secret(jwt.encode(claims, work.parts.vault.access_key, algorithm="HS256")), expires_at


@open_because("personal_tokens calls it once a token was right")
async def by_token(work: Work, user: User, token_id: str) -> UserActor:
    """The person as their token acts for them: with the roles of this moment, and never as an operator."""
    person = await _actor(work.as_system("a personal token's person"), user, "")
    return replace(person, operator=False, token_id=token_id)


@open_because("a job of Pulse's own, which no caller reaches")
async def forget(work: Work) -> int:
    """Forget sign-ins that ran out a day ago: they open nothing, and the audit log tells of them. Says how many."""
    return await work.as_system("forget sign-ins").store.sessions.forget(work.clock.now() - _KEPT_AFTER)


async def _end(work: Work, session: Session, *, reason: str) -> None:
    system = work.as_system(reason)
    user = await system.store.users.get(session.user_id)
    home = await homes.of(system, user)
    entry = work.entry("session.ended", org_id=home, resource="session", resource_id=session.id, name=user.name)
    await system.store.sessions.change(session.id, {"ended_at": work.clock.now()}, entry)


async def _known(work: Work, session_id: str) -> KnownSession | None:
    """The live sign-in under this id, from memory or from the store."""
    known = await work.parts.known_sessions.sessions.get(session_id, lambda: _load(work, session_id))
    if known is None or known.session.expires_at <= work.clock.now():
        return None
    work.parts.tallying.seen(session_id, known.actor.id)
    return known


async def _load(work: Work, session_id: str) -> KnownSession | None:
    system = work.as_system("recognize a session")
    try:
        session = await system.store.sessions.get(session_id)
        user = await system.store.users.get(session.user_id)
    except NotFound:
        return None
    if session.ended_at is not None or not user.lets_in(session_id, session.epoch):
        return None
    return KnownSession(session, await _actor(system, user, session_id))


async def _actor(system: Work, user: User, session_id: str) -> UserActor:
    organizations = await system.store.organizations.of_member(user.id)
    held_back = {each.id for each in organizations if each.requires_second_factor and user.factor is None}
    roles = {
        organization.id: Role(role)
        for organization in organizations
        if organization.id not in held_back and (role := organization.role_of(user.id))
    }
    verified = user.verified_at is not None
    return UserActor(
        user.id,
        user.name,
        user.email,
        session_id,
        roles,
        verified,
        user.operator and verified,
        held_back=frozenset(held_back),
    )


def _secret(work: Work, session_id: str) -> str:
    """256 random bits, and a stamp that tells a secret of ours from an invented one for good."""
    random = random_secret()
    return f"{random}.{work.parts.vault.session_stamp(session_id, random)}"


def _written(kind: str, session_id: str, text: str) -> str:
    return f"{_REFRESH_PREFIX if kind == API else ''}{session_id}.{text}"
