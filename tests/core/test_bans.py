"""Bans: who is banned gets no token and is put out, on every node within a second, in this project alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pulse_dash.core import bans, tokens
from pulse_dash.core.access import Role
from pulse_dash.core.bans import IdentityBanned, TooManyBans
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.tokens import MintedToken, TokenRequest
from pulse_dash.core.work import Work
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from tests.doubles import BreakableEngine, MovableClock, RunningLiveKit, logged
from tests.people import HOSTILE, House, Town


@pytest.fixture
def livekit() -> RunningLiveKit:
    return RunningLiveKit()


@pytest.fixture
def services(services: Services, livekit: RunningLiveKit) -> Services:
    """All parts, with that LiveKit."""
    return replace(services, parts=replace(services.parts, livekit=livekit))


async def minted(town: Town, house: House, identity: str = "ada") -> MintedToken:
    return await tokens.create(await town.by_key(house), TokenRequest(room="lobby", identity=identity))


async def banned(town: Town, house: House, identity: str = "ada") -> bool:
    try:
        await minted(town, house, identity)
    except IdentityBanned:
        return True
    return False


async def test_strangers_and_viewers_ban_see_and_lift_nothing(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    house, other = await town.project(owner), await town.project(owner)
    viewer = town.work(await town.member(owner.organization, Role.VIEWER))
    made = await bans.ban(town.work(owner), house.id, identity="ada", reason="spam")
    calls: list[Callable[[Work], Awaitable[object]]] = [
        lambda work: bans.ban(work, house.id, identity="bob", reason="x"),
        lambda work: bans.listing(work, house.id),
        lambda work: bans.lift(work, house.id, made.id),
    ]
    for call in calls:
        for work, error in (
            (town.stranger, Unauthenticated),
            (town.work(stranger), NotFound),
            (await town.by_key(other), NotFound),
            (viewer, Forbidden),
        ):
            with pytest.raises(error):
                await call(work)
    with pytest.raises(NotFound):
        await bans.lift(town.work(owner), other.id, made.id)
    assert await banned(town, house)


async def test_who_is_banned_gets_no_token_here_and_one_elsewhere(town: Town) -> None:
    owner = await town.person()
    house, other = await town.project(owner), await town.project(owner)
    await minted(town, house)
    await bans.ban(await town.by_key(house), house.id, identity="ada", reason="spam")

    assert [await banned(town, house), await banned(town, other), await banned(town, house, "ada ")] == [
        True,
        False,
        False,
    ]


async def test_a_token_from_before_is_no_good_while_the_ban_holds(town: Town) -> None:
    house = await town.house()
    by_key = await town.by_key(house)
    token = (await minted(town, house)).token
    made = await bans.ban(by_key, house.id, identity="ada", reason="spam")

    assert (await tokens.validate(by_key, token)).reason == "revoked"
    await bans.lift(by_key, house.id, made.id)
    assert (await tokens.validate(by_key, token)).valid
    assert not await banned(town, house)
    with pytest.raises(NotFound):
        await bans.lift(by_key, house.id, made.id)


async def test_a_ban_ends_by_itself(town: Town, clock: MovableClock) -> None:
    house = await town.house()
    await bans.ban(
        await town.by_key(house), house.id, identity="ada", reason="x", until=clock.now() + timedelta(hours=1)
    )
    before = await banned(town, house)
    clock.move(3600)
    town.services.parts.freshness.read()

    assert (before, await banned(town, house)) == (True, False)


async def test_a_second_ban_of_the_same_identity_changes_the_first(town: Town) -> None:
    house = await town.house()
    work = await town.by_key(house)
    first = await bans.ban(work, house.id, identity="ada", reason="spam")
    second = await bans.ban(work, house.id, identity="ada", reason=HOSTILE)

    assert [(each.id, each.reason) for each in (await bans.listing(work, house.id)).items] == [(first.id, HOSTILE)]
    assert second.id == first.id


async def test_it_is_put_out_of_every_room_of_the_project(town: Town, livekit: RunningLiveKit) -> None:
    owner = await town.person()
    house, other = await town.project(owner), await town.project(owner)
    livekit.people |= {f"{house.id}.a": ["ada", "bob"], f"{house.id}.b": ["ada"], f"{other.id}.a": ["ada"]}

    await bans.ban(town.work(owner), house.id, identity="ada", reason="spam")

    assert livekit.people == {f"{house.id}.a": ["bob"], f"{house.id}.b": [], f"{other.id}.a": ["ada"]}


async def test_livekit_away_does_not_keep_a_ban_from_holding(town: Town, livekit: RunningLiveKit) -> None:
    house = await town.house()
    livekit.gone = True
    await bans.ban(await town.by_key(house), house.id, identity="ada", reason="spam")

    assert await banned(town, house)


async def test_another_node_refuses_once_it_has_read_the_feed(
    town: Town, settings: Settings, engine: BreakableEngine, clock: MovableClock
) -> None:
    elsewhere = assemble(settings, engine, clock, Passwords(password_cost=4))
    there = Town(elsewhere)
    house, other = await town.house(), await town.house()
    await elsewhere.feed.read()
    for each in (house, other):
        assert not await banned(there, each)
    made = await bans.ban(await town.by_key(house), house.id, identity="ada", reason="spam")
    await elsewhere.feed.read()
    refused = await banned(there, house)
    await logged()
    operations = engine.operations
    untouched = await banned(there, other)

    # Whose set is still true is not read again.
    assert (refused, untouched, engine.operations) == (True, False, operations)
    await bans.lift(await town.by_key(house), house.id, made.id)
    await elsewhere.feed.read()
    assert not await banned(there, house)
    elsewhere.parts.passwords.close()


async def test_a_known_project_costs_no_look_into_the_database(town: Town, engine: BreakableEngine) -> None:
    house = await town.house()
    await minted(town, house)
    await logged()
    before = engine.operations
    for number in range(20):
        await minted(town, house, f"guest {number}")

    assert engine.operations == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"identity": "a\x00"}, "identity"),
        ({"identity": "ü" * 101}, "identity"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\nb"}, "reason"),
    ],
)
async def test_what_can_not_be_a_ban_is_named(town: Town, given: dict[str, str], field: str) -> None:
    house = await town.house()
    with pytest.raises(Invalid) as refused:
        await bans.ban(await town.by_key(house), house.id, **{"identity": "ada", "reason": "spam", **given})
    assert [wrong.field for wrong in refused.value.errors] == [field]


async def test_an_end_in_the_past_is_refused(town: Town, clock: MovableClock) -> None:
    house = await town.house()
    with pytest.raises(Invalid):
        await bans.ban(await town.by_key(house), house.id, identity="ada", reason="x", until=clock.now())


async def test_their_number_has_an_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bans, "MOST_BANS", 2)
    house = await town.house()
    work = await town.by_key(house)
    for identity in ("ada", "bob"):
        await bans.ban(work, house.id, identity=identity, reason="spam")
    with pytest.raises(TooManyBans):
        await bans.ban(work, house.id, identity="eve", reason="spam")

    changed = await bans.ban(work, house.id, identity="ada", reason="worse")
    assert changed.reason == "worse"
