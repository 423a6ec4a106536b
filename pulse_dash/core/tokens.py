"""Media tokens: what is granted, to whom, in which room, and what a pasted token is worth.

How one is signed is told by media_token, what its `pulse` attribute holds by minting, what is denied by revocations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

import orjson

from pulse_dash.core import bans, minting, revocations
from pulse_dash.core.access import KeyActor, Permission, PublicKeyActor, UserActor, requires
from pulse_dash.core.errors import FieldError, Invalid, NotFound, Unavailable
from pulse_dash.core.grants import Allowed, Permissions, grant_of, in_words, permissions_of
from pulse_dash.core.media_servers import MediaServer, installations, livekit_of, place_of, server_of
from pulse_dash.core.minting import PULSE_ATTRIBUTE
from pulse_dash.core.names import text_errors
from pulse_dash.core.room_names import livekit_name
from pulse_dash.core.tallying import TOKENS
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project

DEFAULT_SECONDS = 4 * 3600
SHORTEST_SECONDS = 10
LONGEST_SECONDS = 24 * 3600
LONGEST_METADATA = 16 * 1024
_KEYS = (KeyActor, PublicKeyActor)

Reason = Literal["expired", "signature", "revoked", "malformed", "other_project"]


class Agent(NamedTuple):
    """An agent that LiveKit dispatches into the room when it is made."""

    name: str
    metadata: str = ""


class RoomConfig(NamedTuple):
    """How the room is made if this participant is its first; timeouts in seconds."""

    max_participants: int | None = None
    empty_timeout: int | None = None
    departure_timeout: int | None = None
    agents: tuple[Agent, ...] = ()


class TokenRequest(NamedTuple):
    """What the caller asks for; lengths and types were checked at the edge, meaning is checked here."""

    room: str
    identity: str
    name: str = ""
    metadata: str | None = None
    attributes: Mapping[str, str] = MappingProxyType({})
    claims: Mapping[str, Any] | None = None
    ttl_seconds: int = DEFAULT_SECONDS
    region: str | None = None
    permissions: Permissions = Permissions()
    room_config: RoomConfig | None = None


class MintedToken(NamedTuple):
    """A signed token and where it leads."""

    token: str
    url: str
    room: str
    livekit_room: str
    identity: str
    region: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """Before when what was minted opens nothing, and how many were put out of running rooms."""

    revoked_before: datetime
    participants_removed: int


@dataclass(frozen=True, slots=True)
class Minted:
    """When a token of ours was made and with which key."""

    at: datetime
    key_id: str
    key_name: str


@dataclass(frozen=True, slots=True)
class Passport:
    """What a pasted token is worth; `permissions` is only there when it is valid, `allowed` whenever it is ours."""

    valid: bool
    reason: Reason | None = None
    minted: Minted | None = None
    expires_at: datetime | None = None
    identity: str | None = None
    room: str | None = None
    permissions: Permissions | None = None
    project_id: str | None = None
    allowed: Allowed | None = None


@requires(Permission.TOKENS_CREATE)
async def create(work: Work, request: TokenRequest, *, project_id: str | None = None) -> MintedToken:
    """Mint a LiveKit token for one identity in one room of the project.

    A key mints for its own project; a user names it.
    Raises NotFound, Forbidden, Invalid, IdentityBanned, Unavailable."""
    project = await _project(work, project_id)
    _check(work, request, project)
    await bans.refuse_banned(work, project.id, request.identity)
    return _mint(work, request, project)


@requires(Permission.TOKENS_CREATE)
def creates_at_once(work: Work) -> Callable[[TokenRequest], MintedToken] | None:
    """What does the same for a project's key without waiting for anybody; None where somebody must be asked first.

    Raises Unavailable, what it gives Invalid and IdentityBanned."""
    project = work.actor.project if isinstance(work.actor, KeyActor) else None
    banned = work.parts.known_bans.recall(project.id) if project else None
    if project is None or banned is None:
        return None

    def create(request: TokenRequest) -> MintedToken:
        _check(work, request, project)
        bans.refuse_one_of(work, banned, request.identity)
        return _mint(work, request, project)

    return create


def _mint(work: Work, request: TokenRequest, project: Project) -> MintedToken:
    parts, actor = work.parts, work.actor
    issued = int(parts.clock.time())
    ends = issued + request.ttl_seconds
    mint_id, key_id = parts.ids.make("tok"), getattr(actor, "id", "system")
    livekit, full_name = livekit_of(parts, project), livekit_name(project.id, request.room)
    room = full_name if project.livekit is None else request.room
    attribute = minting.written(parts.vault, mint_id, key_id, ends, request.identity, full_name)
    claims: dict[str, Any] = {
        "iss": livekit.api_key,
        "sub": request.identity,
        "jti": mint_id,
        "iat": issued,
        "nbf": issued,
        "exp": ends,
        "video": grant_of(room, request.permissions),
        "metadata": _metadata(project.id, request.metadata),
        "attributes": {**request.attributes, PULSE_ATTRIBUTE: attribute},
        "pulse": {"project_id": project.id},
    }
    if request.claims:
        claims["pulse"]["claims"] = request.claims
    if request.name:
        claims["name"] = request.name
    if request.room_config is not None:
        claims["roomConfig"] = _room_config(request.room_config)
    token = livekit.signer.sign(claims)
    parts.tallying.count(project.org_id, project.id, TOKENS)
    if project.first_token_at is None:
        parts.tallying.first_token(project.id)
    return MintedToken(
        token,
        livekit.url,
        request.room,
        room,
        request.identity,
        request.region or project.region,
        _second(ends),
    )


@lru_cache(maxsize=256)
def _second(since_the_epoch: int) -> datetime:
    """Most tokens of one second end in one second; it is made, and written as text, once."""
    return datetime.fromtimestamp(since_the_epoch, UTC)


@requires(Permission.TOKENS_VALIDATE)
async def validate(work: Work, token: str, *, project_id: str | None = None) -> Passport:
    """What a pasted token is worth in this project. Raises NotFound, Forbidden, Unavailable."""
    project = await _project(work, project_id)
    server, claims, reason = _read(work, project, token)
    if reason in ("malformed", "signature"):
        return Passport(False, reason)
    video, identity = _mapping(claims.get("video")), claims.get("sub")
    livekit_room = video.get("room")
    if not isinstance(identity, str) or not isinstance(livekit_room, str):
        return Passport(False, "malformed")
    if claims.get("iss") != server.livekit.api_key:
        # LiveKit finds the secret by the issuer, so it refuses a token that names another.
        return Passport(False, "signature")
    room = server.room(livekit_room)
    if room is None:
        return Passport(False, "other_project")
    minted, revoked = await _minted(work, project, claims, identity, livekit_name(project.id, room))
    if reason is None and (revoked or await bans.is_banned(work, project.id, identity)):
        reason = "revoked"
    return Passport(
        reason is None,
        reason,
        minted,
        datetime.fromtimestamp(claims["exp"], UTC),
        identity,
        room,
        permissions_of(video) if reason is None else None,
        project.id,
        in_words(claims),
    )


@requires(Permission.TOKENS_REVOKE)
async def revoke(
    work: Work,
    *,
    token: str | None = None,
    identity: str | None = None,
    room: str | None = None,
    project_id: str | None = None,
) -> Revoked:
    """Deny what was minted before now: for the token's identity in its room, or for an identity in a room or in all.

    Raises NotFound, Forbidden, Invalid; Unavailable where LiveKit is away, and then the tokens are revoked already."""
    project = await _project(work, project_id)
    if token is not None and (identity is not None or room is not None):
        raise Invalid(FieldError("token", "Name a token or an identity, not both."))
    if token is not None:
        identity, room = _named_by(work, project, token)
    if identity is None:
        raise Invalid(FieldError("identity", "Name an identity, or a token."))
    if errors := text_errors(("identity", identity), ("room", room)):
        raise Invalid(*errors)
    try:
        # Asked before, because every node puts out who is denied, and may be faster than this call.
        rooms = await revocations.rooms_with(work, project, identity, room)
    except Unavailable as away:
        await revocations.deny(work, project, identity, room)
        said = f"{away.detail} The tokens are revoked all the same: send it again to have the participants put out."
        raise Unavailable(away.part, said, retry_after=away.retry_after) from away
    before = await revocations.deny(work, project, identity, room)
    return Revoked(before, await revocations.put_out(work, project, rooms, identity))


def _named_by(work: Work, project: Project, token: str) -> tuple[str, str]:
    """Whose token it is, in which room; one that has ended counts, because its participant may still be in."""
    server, claims, reason = _read(work, project, token)
    identity, livekit_room = claims.get("sub"), _mapping(claims.get("video")).get("room")
    ours = reason in (None, "expired") and claims.get("iss") == server.livekit.api_key
    room = server.room(livekit_room) if ours and isinstance(livekit_room, str) else None
    if room is None or not isinstance(identity, str):
        raise Invalid(FieldError("token", "Is no token of this project."))
    return identity, room


def _read(work: Work, project: Project, token: str) -> tuple[MediaServer, dict[str, Any], Reason | None]:
    """What the token says, and by which server.

    Where the project's region has changed, what was minted before still opens its rooms on the LiveKit of before."""
    now_on, now = server_of(work.parts, project), work.clock.time()
    claims, reason = now_on.livekit.signer.read(token, now=now)
    if reason != "signature" or now_on.own:
        return now_on, claims, reason
    for livekit in installations(work.parts).values():
        try:
            said, wrong = livekit.signer.read(token, now=now)
        except Unavailable:
            continue
        if wrong != "signature":
            return now_on._replace(livekit=livekit), said, wrong
    return now_on, claims, reason


async def _project(work: Work, project_id: str | None) -> Project:
    actor = work.actor
    if isinstance(actor, _KEYS):
        if project_id is not None and project_id != actor.project.id:
            raise NotFound
        return actor.project
    if project_id is None:
        raise Invalid(FieldError("project_id", "Name the project: ?project_id=prj_…"))
    return await work.store.projects.get(project_id)


def _check(work: Work, request: TokenRequest, project: Project) -> None:
    errors = text_errors(("room", request.room), ("identity", request.identity))
    if PULSE_ATTRIBUTE in request.attributes:
        errors.append(FieldError("attributes.pulse", "This attribute is Pulse's own."))
    if request.region is not None:
        errors += _region_errors(work, request.region, project)
    if errors:
        raise Invalid(*errors)


def _region_errors(work: Work, region: str, project: Project) -> list[FieldError]:
    if region not in work.parts.policy.regions:
        return [FieldError("region", f"Must be one of {', '.join(work.parts.policy.regions)}.")]
    here = place_of(work.parts, project)
    if here is not None and place_of(work.parts, replace(project, region=region)) != here:
        # The people of one room are on one LiveKit.
        return [FieldError("region", f"Another LiveKit serves it; this project's rooms run in {project.region}.")]
    return []


def _metadata(project_id: str, given: str | None) -> str:
    """The project's id in the metadata, unless the caller gave a text that is no JSON object."""
    if not given:
        # An id holds nothing that JSON writes differently.
        return f'{{"project_id":"{project_id}"}}'
    if not given.lstrip().startswith("{"):
        return given
    try:
        parsed = orjson.loads(given)
    except ValueError:
        return given
    try:
        return orjson.dumps({**parsed, "project_id": project_id}).decode()
    except orjson.JSONEncodeError as error:
        raise Invalid(FieldError("metadata", "Is nested too deeply.")) from error


def _room_config(config: RoomConfig) -> dict[str, Any]:
    named = {
        "maxParticipants": config.max_participants,
        "emptyTimeout": config.empty_timeout,
        "departureTimeout": config.departure_timeout,
    }
    known: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if config.agents:
        known["agents"] = [{"agentName": agent.name, "metadata": agent.metadata} for agent in config.agents]
    return known


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


async def _minted(
    work: Work, project: Project, claims: Mapping[str, Any], identity: str, room: str
) -> tuple[Minted | None, bool]:
    """Who made the token, and whether that mint or its key is revoked or gone."""
    mint = minting.mint_of(work.parts.vault, _mapping(claims.get("attributes")), identity, room)
    if mint is None:
        return None, False
    revoked = await revocations.denied(work, mint.id, identity, room)
    if mint.key_id.startswith("usr_"):
        caller = work.actor
        known_name = caller.name if isinstance(caller, UserActor) and caller.id == mint.key_id else "a member"
        return Minted(mint.at, mint.key_id, known_name), revoked
    try:
        key = await work.as_system("the key that minted a token").store.keys.get(mint.key_id)
    except NotFound:
        return Minted(mint.at, mint.key_id, "a key that is gone"), True
    key_revoked = key.revoked_at is not None and project.id == key.project_id
    return Minted(mint.at, mint.key_id, key.name), revoked or key_revoked
