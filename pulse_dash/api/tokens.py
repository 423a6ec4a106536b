"""Media tokens over HTTP, in the fast lane."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue

from pulse_dash.api.bodies import ONE_LINE, Answer, Body, Moment, Text, shown
from pulse_dash.api.hot import hot
from pulse_dash.core import development, tokens
from pulse_dash.core.clock import in_utc
from pulse_dash.core.grants import PUBLISH_SOURCES, Permissions
from pulse_dash.core.media_token import LONGEST_TOKEN
from pulse_dash.core.tokens import (
    DEFAULT_SECONDS,
    LONGEST_METADATA,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    Agent,
    MintedToken,
    Passport,
    RoomConfig,
    TokenRequest,
)
from pulse_dash.core.work import Work

Source = Literal["camera", "microphone", "screen_share", "screen_share_audio"]


def _at_most_16_kib(text: str) -> str:
    if len(text.encode()) > LONGEST_METADATA:
        raise ValueError("Must be at most 16 KiB.")
    return text


def _together_at_most_16_kib(value: dict[str, Any]) -> dict[str, Any]:
    if len(str(value).encode()) > LONGEST_METADATA:
        raise ValueError("Must be at most 16 KiB together.")
    return value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


Metadata = Annotated[str, AfterValidator(_at_most_16_kib)]
RoomName = Annotated[
    str, Field(min_length=1, max_length=128, description="At most 200 bytes of UTF-8."), shown(pattern=ONE_LINE)
]
AttributeName = Annotated[str, Field(min_length=1, max_length=128)]
Attributes = Annotated[dict[AttributeName, str], AfterValidator(_together_at_most_16_kib)]
Claims = Annotated[dict[str, JsonValue], AfterValidator(_together_at_most_16_kib)]


class PermissionsBody(Body):
    """What the participant may do. LiveKit's grants that no room binds are not among them."""

    model_config = ConfigDict(frozen=True)

    join: bool = True
    publish: bool = True
    subscribe: bool = True
    publish_data: bool = False
    publish_sources: (
        Annotated[tuple[Source, ...], BeforeValidator(_as_tuple), Field(max_length=len(PUBLISH_SOURCES))] | None
    ) = None
    update_metadata: bool = False
    hidden: bool = False
    room_admin: bool = False


_USUAL = PermissionsBody()


class AgentBody(Body):
    name: Annotated[Text, Field(min_length=1, max_length=128)]
    metadata: Metadata = ""


def _agents_at_most_16_kib(agents: tuple[AgentBody, ...]) -> tuple[AgentBody, ...]:
    if sum(len(agent.metadata.encode()) for agent in agents) > LONGEST_METADATA:
        raise ValueError("Must be at most 16 KiB together.")
    return agents


class RoomConfigBody(Body):
    """How the room is made if this participant is its first; timeouts in seconds."""

    max_participants: int | None = Field(None, ge=1, le=100_000)
    empty_timeout: int | None = Field(None, ge=1, le=86_400)
    departure_timeout: int | None = Field(None, ge=1, le=86_400)
    agents: Annotated[
        tuple[AgentBody, ...], BeforeValidator(_as_tuple), Field(max_length=10), AfterValidator(_agents_at_most_16_kib)
    ] = ()


class TokenBody(Body):
    room: RoomName
    identity: RoomName
    name: Annotated[Text, Field(max_length=128)] = ""
    metadata: Metadata | None = None
    attributes: Attributes = Field(default_factory=dict)
    claims: Claims | None = None
    ttl_seconds: int = Field(DEFAULT_SECONDS, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)
    region: str | None = None
    # Frozen, so that the default is one and the same and not made for each request.
    permissions: PermissionsBody = _USUAL
    room_config: RoomConfigBody | None = None


class DevelopmentTokenBody(Body):
    """What a project's key asks for without its secret; identity, permissions and length are given."""

    room: RoomName
    name: Annotated[Text, Field(max_length=128)] = ""


class TokenAnswer(Answer):
    token: str
    url: str
    room: str
    livekit_room: str
    identity: str
    region: str
    expires_at: Moment


class ValidateBody(Body):
    token: Annotated[str, Field(max_length=LONGEST_TOKEN)]


class RevokeBody(Body):
    """A token, or an identity with or without a room."""

    token: Annotated[str, Field(max_length=LONGEST_TOKEN)] | None = None
    identity: RoomName | None = None
    room: RoomName | None = None


class RevokedAnswer(Answer):
    revoked_before: Moment
    participants_removed: int


class MintedAnswer(Answer):
    at: Moment
    key_id: str
    key_name: str


class GrantedAnswer(Answer):
    join: bool
    publish: bool
    subscribe: bool
    publish_data: bool
    publish_sources: tuple[str, ...] | None
    update_metadata: bool
    hidden: bool
    room_admin: bool


class PassportAnswer(Answer):
    valid: bool
    reason: Literal["expired", "signature", "revoked", "malformed", "other_project"] | None = None
    expires_at: Moment | None = None
    identity: str | None = None
    room: str | None = None
    permissions: GrantedAnswer | None = None
    project_id: str | None = None
    minted: MintedAnswer | None = None


async def create(work: Work, body: TokenBody, project_id: str | None) -> dict[str, Any]:
    """Mint a LiveKit token for one identity in one room.

    A project's key without its secret sends `{room, name?}` alone, where the project switched development tokens on."""
    return _minted(await tokens.create(work, _request(body), project_id=project_id))


def create_at_once(work: Work) -> Callable[[TokenBody], dict[str, Any]] | None:
    """The same from memory, where it knows all that is needed."""
    create = tokens.creates_at_once(work)
    return None if create is None else lambda body: _minted(create(_request(body)))


async def create_alone(work: Work, body: DevelopmentTokenBody, _: str | None) -> dict[str, Any]:
    """Mint a development token."""
    return _minted(await development.create(work, room=body.room, name=body.name))


_end = lru_cache(maxsize=256)(in_utc)


def _minted(minted: MintedToken) -> dict[str, Any]:
    return {
        "token": minted.token,
        "url": minted.url,
        "room": minted.room,
        "livekit_room": minted.livekit_room,
        "identity": minted.identity,
        "region": minted.region,
        "expires_at": _end(minted.expires_at),
    }


async def validate(work: Work, body: ValidateBody, project_id: str | None) -> dict[str, Any]:
    """Tell what a LiveKit token is worth in this project."""
    return _passport(await tokens.validate(work, body.token, project_id=project_id))


async def revoke(work: Work, body: RevokeBody, project_id: str | None) -> dict[str, Any]:
    """Deny what was minted before now for somebody, and put them out of running rooms."""
    revoked = await tokens.revoke(work, token=body.token, identity=body.identity, room=body.room, project_id=project_id)
    return {"revoked_before": in_utc(revoked.revoked_before), "participants_removed": revoked.participants_removed}


def _permissions(granted: PermissionsBody) -> Permissions:
    return Permissions(
        granted.join,
        granted.publish,
        granted.subscribe,
        granted.publish_data,
        granted.publish_sources,
        granted.update_metadata,
        granted.hidden,
        granted.room_admin,
    )


_USUAL_PERMISSIONS = _permissions(_USUAL)


def _request(body: TokenBody) -> TokenRequest:
    granted, config = body.permissions, body.room_config
    return TokenRequest(
        body.room,
        body.identity,
        body.name,
        body.metadata,
        body.attributes,
        body.claims,
        body.ttl_seconds,
        body.region,
        _USUAL_PERMISSIONS if granted is _USUAL else _permissions(granted),
        config
        and RoomConfig(
            config.max_participants,
            config.empty_timeout,
            config.departure_timeout,
            tuple(Agent(agent.name, agent.metadata) for agent in config.agents),
        ),
    )


def _passport(passport: Passport) -> dict[str, Any]:
    minted = passport.minted
    known: dict[str, Any] = {"valid": passport.valid}
    if minted is not None:
        known["minted"] = {"at": in_utc(minted.at), "key_id": minted.key_id, "key_name": minted.key_name}
    if passport.permissions is None:
        return {**known, "reason": passport.reason}
    granted = {name: getattr(passport.permissions, name) for name in GrantedAnswer.model_fields}
    return {
        **known,
        "expires_at": passport.expires_at and in_utc(passport.expires_at),
        "identity": passport.identity,
        "room": passport.room,
        "permissions": granted,
        "project_id": passport.project_id,
    }


HOT = (
    hot(
        "/v1/tokens/create",
        TokenBody,
        TokenAnswer,
        create,
        tokens.create,
        alone=(DevelopmentTokenBody, create_alone),
        at_once=create_at_once,
    ),
    hot("/v1/tokens/validate", ValidateBody, PassportAnswer, validate, tokens.validate),
    hot("/v1/tokens/revoke", RevokeBody, RevokedAnswer, revoke, tokens.revoke),
)
