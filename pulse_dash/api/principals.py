"""Who is calling: reads credentials and addresses off a request, and counts it against the caller's limit.

Whether credentials are good is told by core; this knows only where they stand in a request.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import Depends, Request

from pulse_dash.core import development, keys, personal_tokens, sessions
from pulse_dash.core.access import Anonymous, KeyActor, PublicKeyActor, UserActor
from pulse_dash.core.errors import RateLimited, Unauthenticated
from pulse_dash.core.key_text import USER_PREFIX
from pulse_dash.core.networks import network_of, plain
from pulse_dash.core.rates import Allowance
from pulse_dash.core.tallying import API_REQUESTS
from pulse_dash.core.work import Call, Work
from pulse_dash.services import Services
from pulse_dash.settings import Settings

Headers = dict[bytes, bytes]
_NOBODY = Anonymous()


def headers_of(scope: Any) -> Headers:
    """The request's headers; of a repeated one the first counts."""
    return dict(reversed(scope["headers"]))


def client_ip(scope: Any, settings: Settings) -> str:
    """The caller's address: the socket's, or behind trusted proxies the rightmost one outside of them."""
    client = scope.get("client")
    nearest: str = client[0] if client else ""
    if settings.trusted_proxies:
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = [*(hop.strip() for line in forwarded for hop in line.split(",")), *([nearest] if nearest else [])]
        while len(hops) > 1 and _trusted(hops[-1], settings):
            hops.pop()
        nearest = hops[-1] if hops else ""
    return plain(nearest)


def call_of(scope: Any, settings: Settings, headers: Headers) -> Call:
    """Where the request came from."""
    agent = headers.get(b"user-agent", b"").decode("latin-1")
    return Call(scope["state"].get("request_id", ""), client_ip(scope, settings), agent)


async def authenticate(services: Services, scope: Any, *, key_alone: bool = False) -> Work:
    """The caller's work, counted against its limit. A request without credentials is Anonymous.

    With `key_alone` a project's key without its secret counts too, where the project switched that on.

    Raises Unauthenticated, RateLimited, Unavailable."""
    work = remembered(services, scope)
    if work is None:
        headers = headers_of(scope)
        work = services.as_(_NOBODY, call_of(scope, services.settings, headers))
        try:
            if key_alone and b"x-pulse-key" in headers and b"x-pulse-secret" not in headers:
                work = work.acting_as(await development.recognize(work, headers[b"x-pulse-key"].decode("latin-1")))
            else:
                work = await _recognized(work, scope, headers)
        except Unauthenticated:
            count_address(work, scope)
            raise
    count(work, scope)
    return work


def remembered(services: Services, scope: Any) -> Work | None:
    """The work of the pair of key and secret that was sent, not counted yet, where this node knows it without asking.

    Raises RateLimited, Unavailable; Unauthenticated for a pair of which this node knows that it opens nothing."""
    headers = headers_of(scope)
    public, secret = headers.get(b"x-pulse-key"), headers.get(b"x-pulse-secret")
    if public is None or secret is None:
        return None
    pair = public.decode("latin-1"), secret.decode("latin-1")
    known, call = keys.remembered(services.parts, *pair), call_of(scope, services.settings, headers)
    if known is not None:
        return services.as_(known.actor, call)
    work = services.as_(_NOBODY, call)
    _refuse_spent_address(work, scope)
    if keys.is_known_wrong(services.parts, *pair):
        count_address(work, scope)
        raise Unauthenticated
    return None


async def _recognized(work: Work, scope: Any, headers: Headers) -> Work:
    if b"x-pulse-key" in headers or b"x-pulse-secret" in headers:
        pair = headers.get(b"x-pulse-key", b"").decode("latin-1"), headers.get(b"x-pulse-secret", b"").decode("latin-1")
        return work.acting_as((await keys.recognize(work, *pair)).actor)
    scheme, _, credentials = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    match scheme.lower():
        case "":
            return work
        case "bearer":
            credentials = credentials.strip()
            if credentials.startswith(USER_PREFIX):
                return work.acting_as(await personal_tokens.recognize(work, credentials))
            return work.acting_as(await sessions.recognize(work, credentials))
        case "basic":
            pair = _basic(credentials.strip())
            known = keys.remembered(work.parts, *pair)
            if known is None:
                _refuse_spent_address(work, scope)
                known = await keys.recognize(work, *pair)
            return work.acting_as(known.actor)
        case _:
            raise Unauthenticated


def _basic(credentials: str) -> tuple[str, str]:
    try:
        public, _, secret = b64decode(credentials, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return public, secret


def count(work: Work, scope: Any) -> None:
    """Count one request of somebody who was recognized. Raises RateLimited."""
    policy, actor = work.parts.policy, work.actor
    if isinstance(actor, KeyActor):
        work.parts.tallying.used(actor.id)
        _hit(work, scope, "project", actor.project.id, policy.project_per_minute)
        work.parts.tallying.count(actor.project.org_id, actor.project.id, API_REQUESTS)
    elif isinstance(actor, PublicKeyActor):
        # Everybody can send it, so one address takes nobody's share of the rest.
        count_address(work, scope)
        _hit(work, scope, "development", actor.project.id, development.PER_MINUTE)
        work.parts.tallying.count(actor.project.org_id, actor.project.id, API_REQUESTS)
    elif isinstance(actor, UserActor):
        _hit(work, scope, "user", actor.id, policy.user_per_minute)
    else:
        count_address(work, scope)


def count_address(work: Work, scope: Any) -> None:
    """Count a request without good credentials by its address. Raises RateLimited."""
    _hit(work, scope, "ip", network_of(work.call.ip), work.parts.policy.ip_per_minute)


def _refuse_spent_address(work: Work, scope: Any) -> None:
    """Who has been refused often enough is not looked up again until the minute is over. Raises RateLimited."""
    key = network_of(work.call.ip)
    allowance = work.parts.rates.look("ip", key, work.parts.policy.ip_per_minute)
    if not allowance.allowed:
        _hold_to(scope, key, allowance)


def _hit(work: Work, scope: Any, policy: str, key: str, per_minute: int) -> None:
    _hold_to(scope, key, work.parts.rates.hit(policy, key, per_minute))


def _hold_to(scope: Any, key: str, allowance: Allowance) -> None:
    state = scope["state"]
    state["allowance"], state["principal"] = allowance, key
    if not allowance.allowed:
        raise RateLimited(allowance.reset)


def allowance_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11."""
    policy, _, remaining, reset, _ = allowance
    return [
        _policy_header(policy, allowance.limit),
        (b"ratelimit", f'"{policy}";r={remaining};t={reset}'.encode()),
    ]


@lru_cache(maxsize=1_000)
def _policy_header(policy: str, limit: int) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", f'"{policy}";q={limit};w=60'.encode()


def anybody(services: Services, scope: Any) -> Work:
    """Work for whoever calls, counted by address. Raises RateLimited.

    Credentials are not looked at: a refresh token often comes beside an access token that has ended."""
    work = services.as_(_NOBODY, call_of(scope, services.settings, headers_of(scope)))
    count_address(work, scope)
    return work


async def _anybody(request: Request) -> Work:
    return anybody(request.app.state.services, request.scope)


async def _somebody(request: Request) -> Work:
    work = await authenticate(request.app.state.services, request.scope)
    if isinstance(work.actor, Anonymous):
        raise Unauthenticated
    return work


async def _whoever(request: Request) -> Work:
    return await authenticate(request.app.state.services, request.scope)


Whoever = Annotated[Work, Depends(_whoever)]
"""Whoever calls, with or without credentials; ones that are sent must be good."""

Anybody = Annotated[Work, Depends(_anybody)]
"""Whoever calls; the route is open."""

Caller = Annotated[Work, Depends(_somebody)]
"""A caller with good credentials; without them 401."""


async def _in_person(request: Request) -> Work:
    work = await _somebody(request)
    await sessions.in_person(work)
    return work


InPerson = Annotated[Work, Depends(_in_person)]
"""Somebody who signed in: neither a project's key nor a personal token, also where an answer is only repeated."""


def reach(function: Callable[..., Any], noun: str, name: str, *, body: bool = False) -> Any:
    """Ask, before the body is looked at, whether the caller may do `function` to what the request names.

    So another tenant's is 404 and a missing permission 403 before any field is told to be wrong."""

    async def ask(request: Request, work: Caller) -> None:
        if body:
            sent: dict[str, Any] = request.scope["state"].get("json", {})
            record_id = sent.get(name)
        else:
            record_id = request.path_params[name]
        if isinstance(record_id, str):
            permission = function.rule.permission  # type: ignore[attr-defined]
            await getattr(work.narrowed(permission).store, noun).get(record_id)

    return Depends(ask)


def _trusted(hop: str, settings: Settings) -> bool:
    try:
        address = ip_address(plain(hop))
    except ValueError:
        return False
    return any(address in network for network in settings.trusted_proxies)
