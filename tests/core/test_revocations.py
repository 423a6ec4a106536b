"""Revoked tokens: earlier mints are denied on every node, later ones work, and who is in a room is put out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from pulse_dash.core import tokens
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.tokens import MintedToken, TokenRequest
from pulse_dash.jobs import schedule
from pulse_dash.services import Services, assemble
from tests.doubles import BreakableEngine, MovableClock, RunningLiveKit, kept, logged
from tests.people import HOSTILE, House, Town


@pytest.fixture
def livekit() -> RunningLiveKit:
    return RunningLiveKit()


@pytest.fixture
def services(services: Services, livekit: RunningLiveKit) -> Services:
    """All parts, with a LiveKit that runs what a test tells it."""
    return replace(services, parts=replace(services.parts, livekit=livekit))


@pytest.fixture
def other_node(services: Services, engine: BreakableEngine, clock: MovableClock, livekit: RunningLiveKit) -> Town:
    """A second node on the same store."""
    node = assemble(services.settings, engine, clock, Passwords(password_cost=4))
    return Town(replace(node, parts=replace(node.parts, livekit=livekit)))


async def minted(town: Town, house: House, identity: str = "ada", room: str = "lobby") -> MintedToken:
    return await tokens.create(await town.by_key(house), TokenRequest(room=room, identity=identity))


async def worth(town: Town, house: House, token: MintedToken) -> str:
    """What a token is worth in its project, in one word."""
    return (await tokens.validate(await town.by_key(house), token.token)).reason or "good"


async def test_a_stranger_revokes_nothing(town: Town) -> None:
    house, other = await town.house(), await town.person()

    with pytest.raises(Unauthenticated):
        await tokens.revoke(town.stranger, identity="ada", project_id=house.id)
    with pytest.raises(NotFound):
        await tokens.revoke(town.work(other), identity="ada", project_id=house.id)


async def test_a_viewer_revokes_nothing(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)

    with pytest.raises(Forbidden) as refused:
        await tokens.revoke(town.work(viewer), identity="ada", project_id=house.id)
    assert refused.value.permission == "tokens.revoke"


async def test_another_projects_participant_of_the_same_name_is_not_touched(
    town: Town, livekit: RunningLiveKit
) -> None:
    mine, other = await town.house(), await town.house()
    theirs = await minted(town, other)
    livekit.people |= {f"{other.id}.lobby": ["ada"]}

    revoked = await tokens.revoke(await town.by_key(mine), identity="ada")

    assert revoked.participants_removed == 0
    assert await worth(town, other, theirs) == "good"
    assert livekit.people == {f"{other.id}.lobby": ["ada"]}


async def test_what_was_minted_before_is_revoked_and_what_is_minted_after_works(town: Town) -> None:
    house = await town.house()
    # All in one millisecond: the clock stands still.
    before = await minted(town, house)
    await tokens.revoke(await town.by_key(house), identity="ada")
    after = await minted(town, house)
    again = await tokens.revoke(await town.by_key(house), identity="ada")
    last = await minted(town, house)

    assert again.revoked_before == town.services.parts.clock.now()
    assert [await worth(town, house, token) for token in (before, after, last)] == ["revoked", "revoked", "good"]


async def test_a_revocation_of_one_room_leaves_the_others_and_everybody_else(
    town: Town, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    lobby, studio, bob = (
        await minted(town, house),
        await minted(town, house, room="studio"),
        await minted(town, house, identity="bob"),
    )
    livekit.people |= {f"{house.id}.lobby": ["ada", "bob"], f"{house.id}.studio": ["ada"]}

    revoked = await tokens.revoke(await town.by_key(house), identity="ada", room="lobby")

    assert revoked.participants_removed == 1
    assert [await worth(town, house, token) for token in (lobby, studio, bob)] == ["revoked", "good", "good"]
    assert livekit.people == {f"{house.id}.lobby": ["bob"], f"{house.id}.studio": ["ada"]}


async def test_without_a_room_somebody_is_put_out_of_all_rooms_of_the_project(
    town: Town, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    livekit.people |= {f"{house.id}.room {number}": ["ada", "bob"] for number in range(20)} | {"elsewhere": ["ada"]}

    revoked = await tokens.revoke(await town.by_key(house), identity="ada")

    assert revoked.participants_removed == 20
    assert [room for room, people in livekit.people.items() if "ada" in people] == ["elsewhere"]


async def test_a_token_names_its_identity_and_room_even_after_its_end(
    town: Town, clock: MovableClock, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    name = f"Ada {HOSTILE}"
    token = await minted(town, house, identity=name, room=name)
    livekit.people |= {f"{house.id}.{name}": [name]}
    clock.move(5 * 3600)
    await town.services.feed.read()

    revoked = await tokens.revoke(await town.by_key(house), token=token.token)

    assert revoked.participants_removed == 1


async def test_what_names_nobody_of_the_project_is_invalid(town: Town) -> None:
    house, other = await town.house(), await town.house()
    theirs = (await minted(town, other)).token
    own = (await minted(town, house)).token
    work = await town.by_key(house)
    asked: list[dict[str, str]] = [
        {},
        {"room": "lobby"},
        {"token": "x"},
        {"token": theirs},
        {"token": own[:-2] + "AA"},
        {"token": own, "identity": "ada"},
        {"token": own, "room": "lobby"},
        {"identity": "a\nb"},
        {"identity": "ada", "room": "ü" * 101},
    ]
    for fields in asked:
        with pytest.raises(Invalid):
            await tokens.revoke(work, **fields)  # type: ignore[arg-type]


async def test_livekit_away_revokes_all_the_same_and_says_so(town: Town, livekit: RunningLiveKit) -> None:
    house = await town.house()
    token = await minted(town, house)
    livekit.gone = True

    with pytest.raises(Unavailable):
        await tokens.revoke(await town.by_key(house), identity="ada")
    assert await worth(town, house, token) == "revoked"


async def test_what_one_node_revokes_another_denies_at_its_next_look(town: Town, other_node: Town) -> None:
    house = await town.house()
    token = await minted(town, house)
    assert await worth(other_node, house, token) == "good"

    await tokens.revoke(await town.by_key(house), identity="ada")
    await other_node.services.feed.read()

    assert await worth(other_node, house, token) == "revoked"


async def test_a_remembered_answer_asks_for_no_revocations_again(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    house = await town.house()
    token = await minted(town, house)
    counted: list[int] = []
    for _ in range(2):
        await logged()
        before = engine.operations
        await worth(town, house, token)
        counted.append(engine.operations - before)

    assert counted[0] - counted[1] == 1


async def test_nothing_is_believed_for_long_without_the_database(
    town: Town, engine: BreakableEngine, clock: MovableClock
) -> None:
    house = await town.house()
    token = await minted(town, house)
    await worth(town, house, token)
    work = await town.by_key(house)
    engine.gone = True
    clock.move(7)

    with pytest.raises(Unavailable):
        await tokens.validate(work, token.token)


async def test_many_revocations_of_one_participant_are_one_document(town: Town, services: Services) -> None:
    house = await town.house()
    work = await town.by_key(house)

    await asyncio.gather(*[tokens.revoke(work, identity="ada", room="lobby") for _ in range(20)])
    await tokens.revoke(work, identity="ada")

    assert await services.engine.collection("revocations").count_documents({}) == 2
    assert len(await kept(services.engine, "audit_log", action="token.revoked")) == 21


async def test_a_revocation_is_forgotten_when_all_that_it_denied_has_ended(
    town: Town, services: Services, clock: MovableClock
) -> None:
    house = await town.house()
    longest = TokenRequest(room="lobby", identity="ada", ttl_seconds=86_400)
    token = await tokens.create(await town.by_key(house), longest)
    await tokens.revoke(await town.by_key(house), identity="ada")
    await services.parts.store.logged()

    clock.move(timedelta(days=1).total_seconds())
    await schedule._forget(services)
    kept = await services.engine.collection("revocations").count_documents({})
    clock.move(61)
    await schedule._forget(services)
    await services.feed.read()

    assert kept == 1
    assert await services.engine.collection("revocations").count_documents({}) == 0
    assert await worth(town, house, token) == "expired"


async def test_the_log_says_who_was_revoked_where(town: Town, services: Services) -> None:
    house = await town.house()

    await tokens.revoke(await town.by_key(house), identity="ada", room="lobby")

    (entry,) = await kept(services.engine, "audit_log", action="token.revoked")
    assert (entry["org_id"], entry["actor"]["id"]) == (house.project.org_id, house.key.id)
    assert entry["resource"] == {"type": "project", "id": house.id, "name": house.project.name}
    assert {field: change["after"] for field, change in entry["changes"].items()} == {
        "identity": "ada",
        "room": "lobby",
    }
