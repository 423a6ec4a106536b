"""What a media token grants, what ties it to its minting, and what a pasted one is worth."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.api import TokenVerifier

from pulse_dash.api import tokens as api_tokens
from pulse_dash.core import keys, tokens
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.grants import PUBLISH_SOURCES, Permissions
from pulse_dash.core.names import has_controls
from pulse_dash.core.tokens import Agent, RoomConfig, TokenRequest
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.core.soak import examples
from tests.doubles import MovableClock
from tests.people import House, Town

LIVEKIT_KEY, LIVEKIT_SECRET = "testkey", "a-livekit-secret-of-the-tests-alone"
REQUEST = TokenRequest(room="lobby", identity="ada")
UNBOUND = {"roomRecord", "roomCreate", "roomList", "ingressAdmin", "agent", "recorder", "destinationRoom"}


def claims_of(token: str) -> dict[str, Any]:
    """What PyJWT reads, once it believes the token."""
    options: Any = {"verify_exp": False, "verify_nbf": False}
    claims: dict[str, Any] = jwt.decode(token, LIVEKIT_SECRET, ["HS256"], options=options)
    return claims


def resigned(services: Services, claims: dict[str, Any]) -> str:
    """A token that LiveKit's own secret signed, as LiveKit itself signs refreshed ones."""
    return services.parts.livekit.signer.sign(claims)


# --- who may ----------------------------------------------------------------------------------------------------


async def test_a_stranger_mints_and_validates_nothing(town: Town) -> None:
    house = await town.house()

    with pytest.raises(Unauthenticated):
        await tokens.create(town.stranger, REQUEST, project_id=house.id)
    with pytest.raises(Unauthenticated):
        await tokens.validate(town.stranger, "x", project_id=house.id)


async def test_a_key_mints_for_its_own_project_only(town: Town) -> None:
    mine, other = await town.house(), await town.house()

    with pytest.raises(NotFound):
        await tokens.create(await town.by_key(mine), REQUEST, project_id=other.id)
    minted = await tokens.create(await town.by_key(mine), REQUEST)
    assert minted.livekit_room == f"{mine.id}.lobby"


async def test_a_viewer_mints_nothing_and_a_developer_does(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    developer = await town.member(
        await town.services.system("test").store.organizations.get(owner.organization.id), Role.DEVELOPER
    )

    with pytest.raises(Forbidden):
        await tokens.create(town.work(viewer), REQUEST, project_id=house.id)
    assert (await tokens.create(town.work(developer), REQUEST, project_id=house.id)).identity == "ada"


# --- what is signed ---------------------------------------------------------------------------------------------

_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50)
_PERMISSIONS = st.builds(
    Permissions,
    *[st.booleans()] * 4,
    st.none() | st.lists(st.sampled_from(PUBLISH_SOURCES), unique=True).map(tuple),
    *[st.booleans()] * 3,
)
_CONFIGS = st.builds(
    RoomConfig,
    st.none() | st.integers(1, 100_000),
    st.none() | st.integers(1, 86_400),
    st.none() | st.integers(1, 86_400),
    st.lists(st.builds(Agent, _NAMES, st.text(max_size=20)), max_size=3).map(tuple),
)
_REQUESTS = st.builds(
    TokenRequest,
    room=_NAMES,
    identity=_NAMES,
    name=st.just("") | _NAMES,
    metadata=st.none() | st.text(max_size=40),
    attributes=st.dictionaries(_NAMES.filter(lambda name: name != "pulse"), st.text(max_size=20), max_size=3),
    claims=st.none() | st.dictionaries(st.text(max_size=10), st.none() | st.booleans() | st.text(), max_size=3),
    ttl_seconds=st.integers(10, 86_400),
    region=st.none(),
    permissions=_PERMISSIONS,
    room_config=st.none() | _CONFIGS,
)


@given(request=_REQUESTS)
@settings(
    max_examples=examples(1_000, 100_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_livekits_own_verifier_reads_what_was_granted(town: Town, request: TokenRequest) -> None:
    work, house = await _kept(town)

    minted = await tokens.create(work, request)

    claims = claims_of(minted.token)
    read = TokenVerifier(LIVEKIT_KEY, LIVEKIT_SECRET).verify(minted.token)
    granted, video = request.permissions, read.video
    assert (read.identity, video.room, read.name) == (request.identity, f"{house.id}.{request.room}", request.name)
    assert (video.room_join, video.can_subscribe, video.can_publish_data) == (
        granted.join,
        granted.subscribe,
        granted.publish_data,
    )
    assert video.can_publish == (granted.publish and granted.publish_sources != ())
    assert video.can_publish_sources == (list(granted.publish_sources) if granted.publish_sources else None)
    assert (bool(video.can_update_own_metadata), bool(video.hidden), bool(video.room_admin)) == (
        granted.update_metadata,
        granted.hidden,
        granted.room_admin,
    )
    assert not UNBOUND & claims["video"].keys()
    assert claims.keys().isdisjoint({"sip", "agent", "inference", "observability", "kind"})
    assert {name: text for name, text in read.attributes.items() if name != "pulse"} == request.attributes
    assert claims["exp"] - claims["nbf"] == request.ttl_seconds
    assert claims["pulse"]["project_id"] == house.id
    assert claims["pulse"].get("claims", {}) == (request.claims or {})
    passport = await tokens.validate(work, minted.token)
    assert (passport.valid, passport.room, passport.identity) == (True, request.room, request.identity)
    assert passport.project_id == house.id


_HOUSES: dict[int, tuple[Work, House]] = {}


async def _kept(town: Town) -> tuple[Work, House]:
    """One project for all examples of a property."""
    if id(town) not in _HOUSES:
        _HOUSES.clear()
        house = await town.house()
        _HOUSES[id(town)] = (await town.by_key(house), house)
    return _HOUSES[id(town)]


async def test_a_token_says_when_it_begins_and_ends_and_who_it_is(town: Town, clock: MovableClock) -> None:
    house = await town.house()
    minted = await tokens.create(await town.by_key(house), REQUEST._replace(ttl_seconds=60))
    again = await tokens.create(await town.by_key(house), REQUEST._replace(ttl_seconds=60))

    claims = claims_of(minted.token)
    now = int(clock.time())
    assert (claims["iss"], claims["nbf"], claims["iat"], claims["exp"]) == (LIVEKIT_KEY, now, now, now + 60)
    assert minted.expires_at == datetime.fromtimestamp(now + 60, UTC)
    assert claims["jti"] != claims_of(again.token)["jti"]


OURS = "put in by Pulse"
METADATA: list[tuple[str | None, object]] = [
    (None, {"project_id": OURS}),
    ("", {"project_id": OURS}),
    ("{}", {"project_id": OURS}),
    ('{"seat": 7}', {"seat": 7, "project_id": OURS}),
    (' \n{"seat": {"row": [1, null]}} ', {"seat": {"row": [1, None]}, "project_id": OURS}),
    ('{"project_id": "prj_of_somebody"}', {"project_id": OURS}),
    ("hello", "hello"),
    ("[1, 2]", "[1, 2]"),
    ('"text"', '"text"'),
    ("null", "null"),
    ("7", "7"),
    ("{not json", "{not json"),
    ('{"a": NaN}', '{"a": NaN}'),
    ("<script>{}</script>", "<script>{}</script>"),
]


async def test_the_projects_id_stands_in_metadata_unless_it_is_a_text_of_the_callers(town: Town) -> None:
    house = await town.house()
    work = await town.by_key(house)
    for given_text, expected in METADATA:
        signed = claims_of((await tokens.create(work, REQUEST._replace(metadata=given_text))).token)["metadata"]
        if isinstance(expected, dict):
            assert json.loads(signed) == {**expected, "project_id": house.id}
        else:
            assert signed == expected


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@settings(
    max_examples=examples(100, 10_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_control_character_reaches_a_room_or_an_identity(town: Town, text: str) -> None:
    work, _ = await _kept(town)
    for request in (REQUEST._replace(room=f"x{text}"), REQUEST._replace(identity=f"x{text}")):
        if has_controls(text) or len(text.encode()) > 199:
            with pytest.raises(Invalid):
                await tokens.create(work, request)
        else:
            await tokens.create(work, request)


# --- what a pasted token is worth -------------------------------------------------------------------------------


async def test_another_projects_token_is_other_project_and_tells_nothing_about_it(town: Town) -> None:
    mine, other = await town.house(), await town.house()
    theirs = await tokens.create(await town.by_key(other), REQUEST)

    passport = await tokens.validate(await town.by_key(mine), theirs.token)

    assert passport == tokens.Passport(False, "other_project")


NOT_OURS = ["lobby", "", ".", "prj_.x", "{id}", "{id}.", "x{id}.lobby", "{id} .lobby"]


async def test_a_room_that_does_not_begin_with_the_projects_id_is_another_projects(
    town: Town, services: Services
) -> None:
    house = await town.house()
    work = await town.by_key(house)
    claims = claims_of((await tokens.create(work, REQUEST)).token)
    for room in NOT_OURS:
        claims["video"]["room"] = room.format(id=house.id)
        assert (await tokens.validate(work, resigned(services, claims))).reason == "other_project", room


async def test_a_token_of_a_revoked_key_is_revoked_and_says_which_key(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    minted = await tokens.create(await town.by_key(house), REQUEST)
    await keys.revoke(town.work(owner), house.id, house.key.id)

    passport = await tokens.validate(town.work(owner), minted.token, project_id=house.id)

    assert (passport.valid, passport.reason) == (False, "revoked")
    assert passport.minted is not None
    assert (passport.minted.key_id, passport.minted.key_name) == (house.key.id, house.key.name)


async def test_an_expired_token_still_says_who_minted_it(town: Town, clock: MovableClock) -> None:
    house = await town.house()
    work = await town.by_key(house)
    minted = await tokens.create(work, REQUEST._replace(ttl_seconds=10))

    clock.move(10)
    passport = await tokens.validate(work, minted.token)

    assert (passport.valid, passport.reason) == (False, "expired")
    assert passport.minted is not None
    assert passport.permissions is None


async def test_a_token_that_livekit_refreshed_is_still_ours(town: Town, services: Services) -> None:
    house = await town.house()
    work = await town.by_key(house)
    claims = claims_of((await tokens.create(work, REQUEST)).token)
    # LiveKit's own token for a client that stays: same grants and attributes, none of our claims, a later end.
    refreshed = {name: claims[name] for name in ("iss", "sub", "nbf", "video", "attributes", "metadata")}

    passport = await tokens.validate(work, resigned(services, {**refreshed, "exp": claims["exp"] + 600}))

    assert passport.valid
    assert passport.minted is not None
    assert passport.minted.key_id == house.key.id


PIECES = ["mint", "key", "end", "mac", "identity", "room"]


@pytest.mark.parametrize("piece", PIECES)
async def test_the_attribute_ties_every_piece_to_the_others(town: Town, services: Services, piece: str) -> None:
    owner = await town.person()
    house = await town.project(owner)
    other_key = await keys.create(town.work(owner), house.id, name="other")
    work = await town.by_key(house)
    claims = claims_of((await tokens.create(work, REQUEST)).token)
    later = claims_of((await tokens.create(work, REQUEST)).token)
    parts = claims["attributes"]["pulse"].split(".")
    swapped = {
        "mint": [later["jti"], *parts[1:]],
        "key": [parts[0], other_key.id, *parts[2:]],
        "end": [*parts[:2], str(int(parts[2]) + 1), parts[3]],
        "mac": [*parts[:3], later["attributes"]["pulse"].split(".")[3]],
    }
    claims["attributes"]["pulse"] = ".".join(swapped.get(piece, parts))
    if piece == "identity":
        claims["sub"] = "eve"
    if piece == "room":
        claims["video"]["room"] += "2"

    passport = await tokens.validate(work, resigned(services, claims))

    assert (passport.valid, passport.minted) == (True, None)


NO_ATTRIBUTES: list[Any] = [None, {}, [], "x", {"pulse": 7}, {"pulse": ""}, {"pulse": "..."}, {"pulse": "é.é.é.é"}]


async def test_a_token_of_somebody_elses_making_is_valid_and_not_minted_by_us(town: Town, services: Services) -> None:
    house = await town.house()
    work = await town.by_key(house)
    claims = {
        "iss": LIVEKIT_KEY,
        "sub": "bob",
        "exp": int(services.parts.clock.time()) + 60,
        "video": {"room": f"{house.id}.lobby", "roomJoin": True, "canPublish": False},
    }
    for attributes in NO_ATTRIBUTES:
        passport = await tokens.validate(work, resigned(services, {**claims, "attributes": attributes}))
        assert (passport.valid, passport.minted) == (True, None)
        assert passport.permissions == Permissions(publish=False, publish_data=False)


MALFORMED: dict[str, dict[str, Any]] = {
    "no identity": {"sub": None},
    "an identity that is a number": {"sub": 7},
    "no grant": {"video": None},
    "a grant that is a list": {"video": []},
    "a grant without a room": {"video": {"roomJoin": True}},
    "a room that is a number": {"video": {"room": 7}},
}


async def test_a_signed_token_that_no_client_can_join_with_is_malformed(town: Town, services: Services) -> None:
    house = await town.house()
    work = await town.by_key(house)
    claims = claims_of((await tokens.create(work, REQUEST)).token)
    for what, changed in MALFORMED.items():
        assert (await tokens.validate(work, resigned(services, claims | changed))).reason == "malformed", what


async def test_a_token_of_another_livekit_key_is_not_signed_for_ours(town: Town, services: Services) -> None:
    house = await town.house()
    work = await town.by_key(house)
    claims = claims_of((await tokens.create(work, REQUEST)).token) | {"iss": "another-key"}

    assert (await tokens.validate(work, resigned(services, claims))).reason == "signature"


# --- the fast lane ----------------------------------------------------------------------------------------------


async def test_the_answers_of_the_fast_lane_fit_the_models_that_openapi_shows(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = await town.by_key(house)
    body = api_tokens.TokenBody(room="lobby", identity="ada")

    minted = await api_tokens.create(work, body, None)
    valid = await api_tokens.validate(work, api_tokens.ValidateBody(token=minted["token"]), None)
    junk = await api_tokens.validate(work, api_tokens.ValidateBody(token="x"), None)
    await keys.revoke(town.work(owner), house.id, house.key.id)
    revoked = await api_tokens.validate(town.work(owner), api_tokens.ValidateBody(token=minted["token"]), house.id)

    for model, answer in (
        (api_tokens.TokenAnswer, minted),
        (api_tokens.PassportAnswer, valid),
        (api_tokens.PassportAnswer, junk),
        (api_tokens.PassportAnswer, revoked),
    ):
        model.model_validate(answer, extra="forbid")
    assert set(valid["permissions"]) == set(Permissions._fields)
