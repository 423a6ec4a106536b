"""A project's own LiveKit: no prefix, its own key, its own events, and nothing of it reaches another project."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from pulse_dash.adapters.livekit import LiveKitServer
from pulse_dash.core import media_events, projects, rooms, tokens
from pulse_dash.core.connections import GivenLiveKit
from pulse_dash.core.errors import Invalid, NotFound, RateLimited, Unauthenticated
from pulse_dash.core.media_servers import OwnLiveKits
from pulse_dash.core.media_token import Signer
from pulse_dash.core.secret import Secret
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services
from tests.doubles import RunningLiveKit
from tests.people import House, Person, Town

SECRETS = {"APIours": "the-secret-of-our-own-livekit", "APItheirs": "the-secret-of-their-own-livekit"}
ASKED = TokenRequest(room="lobby", identity="ada")


@pytest.fixture
def servers() -> dict[str, RunningLiveKit]:
    """Two LiveKits of tenants and the installation's, by their keys."""
    made = {key: RunningLiveKit(key, secret) for key, secret in SECRETS.items()}
    return {**made, "testkey": RunningLiveKit()}


@pytest.fixture
def services(services: Services, servers: dict[str, RunningLiveKit]) -> Services:
    """All parts, with those LiveKits."""
    own = OwnLiveKits(lambda _, key, __: servers[key], services.parts.vault)
    return replace(services, parts=replace(services.parts, livekit=servers["testkey"], own_livekits=own))


async def with_own(town: Town, owner: Person, key: str = "APIours") -> House:
    """A project on a LiveKit of its own."""
    house = await town.project(owner)
    given = GivenLiveKit(f"wss://{key.lower()}.example.com", key, Secret(SECRETS[key]))
    await projects.change(town.work(owner), house.id, livekit=given)
    return house


async def test_a_token_is_signed_by_its_own_key_and_its_room_has_no_prefix(
    town: Town, servers: dict[str, RunningLiveKit]
) -> None:
    house = await with_own(town, await town.person())
    minted = await tokens.create(await town.by_key(house), ASKED)
    claims, wrong = servers["APIours"].signer.read(minted.token, now=0)

    assert wrong is None
    assert (claims["iss"], claims["video"]["room"], minted.livekit_room) == ("APIours", "lobby", "lobby")
    assert minted.url == servers["APIours"].url


async def test_a_token_is_good_in_its_own_project_alone(town: Town) -> None:
    owner = await town.person()
    ours, theirs, shared = await with_own(town, owner), await with_own(town, owner, "APItheirs"), await town.house()
    minted = await tokens.create(await town.by_key(ours), ASKED)
    passport = await tokens.validate(await town.by_key(ours), minted.token)

    assert (passport.valid, passport.room, passport.project_id) == (True, "lobby", ours.id)
    assert passport.minted is not None
    for house in (theirs, shared):
        assert (await tokens.validate(await town.by_key(house), minted.token)).reason == "signature"
        with pytest.raises(Invalid):
            await tokens.revoke(await town.by_key(house), token=minted.token)


async def test_who_minted_is_not_told_to_another_project_that_copies_the_attribute(
    town: Town, servers: dict[str, RunningLiveKit]
) -> None:
    owner, other = await town.person(), await town.person()
    ours, theirs = await with_own(town, owner), await with_own(town, other, "APItheirs")
    minted = await tokens.create(await town.by_key(ours), ASKED)
    claims, _ = servers["APIours"].signer.read(minted.token, now=0)

    forged = servers["APItheirs"].signer.sign({**claims, "iss": "APItheirs"})

    assert (await tokens.validate(await town.by_key(theirs), forged)).minted is None


async def test_rooms_are_those_of_its_own_server_whatever_they_are_called(
    town: Town, servers: dict[str, RunningLiveKit]
) -> None:
    shared = await town.house()
    house = await with_own(town, await town.person())
    foreign = f"{shared.id}.lobby"
    servers["APIours"].people |= {"lobby": ["ada"], foreign: ["eve"]}
    servers["testkey"].people |= {foreign: ["bob"], f"{house.id}.lobby": ["old"]}
    ours, theirs = await town.by_key(house), await town.by_key(shared)

    assert [room.name for room in await rooms.listing(ours)] == sorted(["lobby", foreign])
    assert [room.name for room in await rooms.listing(theirs)] == ["lobby"]
    assert [person.identity for person in await rooms.participants(theirs, "lobby")] == ["bob"]
    await rooms.remove_participant(ours, foreign, "eve")
    with pytest.raises(NotFound):
        await rooms.end(theirs, foreign)
    assert servers["testkey"].people[foreign] == ["bob"]


async def test_revoking_puts_out_of_its_own_rooms(town: Town, servers: dict[str, RunningLiveKit]) -> None:
    house = await with_own(town, await town.person())
    servers["APIours"].people |= {"lobby": ["ada", "bob"], "hall": ["ada"]}
    servers["testkey"].people |= {"lobby": ["ada"]}
    by_key = await town.by_key(house)
    minted = await tokens.create(by_key, ASKED)

    revoked = await tokens.revoke(by_key, identity="ada")

    assert revoked.participants_removed == 2
    assert servers["APIours"].people == {"lobby": ["bob"], "hall": []}
    assert servers["testkey"].people == {"lobby": ["ada"]}
    assert (await tokens.validate(by_key, minted.token)).reason == "revoked"


# --- events -----------------------------------------------------------------------------------------------------


def event(room: str, key: str, secret: str, event_id: str = "EV_1") -> tuple[bytes, str]:
    """A webhook as the LiveKit with this pair sends it."""
    body = json.dumps(
        {"event": "participant_joined", "id": event_id, "createdAt": "1700000000", "room": {"name": room}}
    )
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return body.encode(), Signer(secret.encode()).sign({"iss": key, "exp": 4_000_000_000, "sha256": digest})


@pytest.fixture
def signing(services: Services) -> Services:
    """All parts, with real adapters, which check signatures; nothing is connected to."""
    parts = services.parts
    installation = LiveKitServer("ws://127.0.0.1:1", "testkey", Secret("a-livekit-secret-of-the-tests-alone"))
    return replace(
        services, parts=replace(parts, livekit=installation, own_livekits=OwnLiveKits(LiveKitServer, parts.vault))
    )


async def joined(town: Town, owner: Person, house: House) -> bool:
    """Whether somebody is known to have been in a room of the project."""
    return (await projects.read(town.work(owner), house.id)).first_participant_at is not None


async def test_an_event_speaks_only_for_the_project_of_the_livekit_that_signed_it(signing: Services) -> None:
    town = Town(signing)
    owner = await town.person()
    ours, theirs, shared = (
        await with_own(town, owner),
        await with_own(town, owner, "APItheirs"),
        await town.project(owner),
    )
    livekit = (await projects.read(town.work(owner), ours.id)).livekit
    assert livekit is not None
    body, signature = event(f"{shared.id}.lobby", "APIours", SECRETS["APIours"])

    assert await media_events.take(town.stranger, body, signature, livekit_id=livekit.id)

    assert [await joined(town, owner, house) for house in (ours, theirs, shared)] == [True, False, False]
    assert not await media_events.take(town.stranger, body, signature, livekit_id=livekit.id)


async def test_another_key_speaks_for_no_livekit_but_its_own(signing: Services) -> None:
    town = Town(signing)
    owner = await town.person()
    ours, theirs = await with_own(town, owner), await with_own(town, owner, "APItheirs")
    livekit = (await projects.read(town.work(owner), ours.id)).livekit
    assert livekit is not None
    installation = event("lobby", "testkey", "a-livekit-secret-of-the-tests-alone")
    tries = [
        (event("lobby", "APItheirs", SECRETS["APItheirs"]), livekit.id),
        (event("lobby", "APIours", SECRETS["APItheirs"]), livekit.id),
        (event("lobby", "APIours", SECRETS["APIours"]), "lkt_unknown"),
        (event(f"{ours.id}.lobby", "APIours", SECRETS["APIours"]), None),
        (installation, livekit.id),
        ((b"{}", ""), livekit.id),
    ]
    for (body, signature), livekit_id in tries:
        with pytest.raises(Unauthenticated):
            await media_events.take(town.stranger, body, signature, livekit_id=livekit_id)
    assert not await joined(town, owner, ours)
    assert not await joined(town, owner, theirs)


async def test_a_tenants_livekit_tells_only_so_much_a_minute(
    signing: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_events, "OWN_EVENTS_PER_MINUTE", 2)
    town = Town(signing)
    owner = await town.person()
    house = await with_own(town, owner)
    livekit = (await projects.read(town.work(owner), house.id)).livekit
    assert livekit is not None
    for number in range(2):
        told = event("lobby", "APIours", SECRETS["APIours"], f"EV_{number}")
        assert await media_events.take(town.stranger, *told, livekit_id=livekit.id)

    with pytest.raises(RateLimited):
        await media_events.take(town.stranger, *told, livekit_id=livekit.id)


async def test_a_livekit_that_was_given_up_speaks_no_more(signing: Services) -> None:
    town = Town(signing)
    owner = await town.person()
    house = await with_own(town, owner)
    livekit = (await projects.read(town.work(owner), house.id)).livekit
    assert livekit is not None
    await projects.change(town.work(owner), house.id, livekit=None)

    with pytest.raises(Unauthenticated):
        await media_events.take(town.stranger, *event("lobby", "APIours", SECRETS["APIours"]), livekit_id=livekit.id)


async def test_a_key_that_is_known_mints_with_the_new_livekit_once_the_feed_was_read(
    town: Town, services: Services
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    before = await tokens.create(await town.by_key(house), ASKED)
    await projects.change(
        town.work(owner), house.id, livekit=GivenLiveKit("wss://a.example.com", "APIours", Secret(SECRETS["APIours"]))
    )
    after = await tokens.create(await town.by_key(house), ASKED)

    assert (before.livekit_room, after.livekit_room) == (f"{house.id}.lobby", "lobby")
