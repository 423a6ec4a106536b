"""Development tokens: off until switched on, for rooms of one prefix, short, random, limited, off again at once."""

from __future__ import annotations

import pytest

from pulse_dash.core import development, keys, projects, tokens
from pulse_dash.core.access import Permission, PublicKeyActor, where
from pulse_dash.core.development import CapReached
from pulse_dash.core.errors import Invalid, NotFound, Unauthenticated
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.work import Work
from pulse_dash.jobs.schedule import flush_tallies
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from pulse_dash.store.scope import NOTHING
from tests.core.test_tokens import claims_of
from tests.doubles import BreakableEngine, MovableClock
from tests.people import House, Person, Town


async def switched_on(town: Town, owner: Person, prefix: str = "dev-") -> House:
    house = await town.project(owner)
    await projects.change(town.work(owner), house.id, development_prefix=prefix)
    return house


async def by_key_alone(town: Town, house: House) -> Work:
    return town.services.as_(await development.recognize(town.stranger, house.key.public))


async def opens(town: Town, house: House) -> bool:
    try:
        await by_key_alone(town, house)
    except Unauthenticated:
        return False
    return True


async def test_a_key_alone_opens_nothing_until_its_project_switches_it_on_and_after_it_is_off(town: Town) -> None:
    owner = await town.person()
    house, other = await town.project(owner), await town.project(owner)
    before = await opens(town, house)
    await projects.change(town.work(owner), house.id, development_prefix="dev-")
    on, others = await opens(town, house), await opens(town, other)
    await projects.change(town.work(owner), house.id, development_prefix=None)

    assert (before, on, others, await opens(town, house)) == (False, True, False, False)


async def test_junk_old_and_revoked_keys_open_nothing(town: Town) -> None:
    owner = await town.person()
    house = await switched_on(town, owner)
    for junk in ("", "pulse_key_x", house.key.secret.reveal(), house.key.public[:-1]):
        with pytest.raises(Unauthenticated):
            await development.recognize(town.stranger, junk)
    fresh = await keys.regenerate(town.work(owner), house.id, grace_seconds=3600)

    # The old pair has its grace; the old key alone has none.
    assert not await opens(town, house)
    await development.recognize(town.stranger, fresh.public)
    await keys.revoke(town.work(owner), house.id, house.key.id)
    with pytest.raises(Unauthenticated):
        await development.recognize(town.stranger, fresh.public)


async def test_it_holds_one_permission_and_sees_nothing(town: Town) -> None:
    house = await switched_on(town, await town.person())
    actor = (await by_key_alone(town, house)).actor
    assert isinstance(actor, PublicKeyActor)

    held = {permission for permission in Permission if where(actor, permission) != NOTHING}

    assert held == {Permission.TOKENS_CREATE}


async def test_it_mints_for_a_guest_in_a_room_of_the_prefix_for_a_quarter_of_an_hour(town: Town) -> None:
    work = await by_key_alone(town, await switched_on(town, await town.person()))
    first, second = [await development.create(work, room="dev-lobby", name="me") for _ in range(2)]
    claims = claims_of(first.token)

    assert first.identity != second.identity
    assert first.identity.startswith("guest-")
    assert claims["exp"] - claims["iat"] == 900
    assert claims["video"]["room"].endswith(".dev-lobby")
    assert "roomAdmin" not in claims["video"]


@pytest.mark.parametrize("room", ["lobby", "", "dev-", "Dev-lobby", " dev-lobby", "xdev-lobby"])
async def test_no_other_room_is_opened(town: Town, room: str) -> None:
    work = await by_key_alone(town, await switched_on(town, await town.person()))
    with pytest.raises(Invalid):
        await development.create(work, room=room)


async def test_who_has_the_secret_or_is_signed_in_does_not_come_this_way(town: Town) -> None:
    owner = await town.person()
    house = await switched_on(town, owner)
    for work in (await town.by_key(house), town.work(owner)):
        with pytest.raises(NotFound):
            await development.create(work, room="dev-lobby")


async def test_the_cap_holds_before_and_after_counts_are_written_and_for_a_day(
    town: Town, services: Services, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(development, "MOST_A_DAY", 3)
    work = await by_key_alone(town, await switched_on(town, await town.person()))
    for _ in range(2):
        await development.create(work, room="dev-a")
    await flush_tallies(services)
    await development.create(work, room="dev-a")
    with pytest.raises(CapReached):
        await development.create(work, room="dev-a")
    await flush_tallies(services)
    with pytest.raises(CapReached):
        await development.create(work, room="dev-a")
    clock.move(26 * 3600)
    services.parts.freshness.read()

    assert (await development.create(work, room="dev-a")).token


async def test_switched_off_elsewhere_is_refused_once_the_feed_was_read(
    town: Town, settings: Settings, engine: BreakableEngine, clock: MovableClock
) -> None:
    there = Town(assemble(settings, engine, clock, Passwords(password_cost=4)))
    owner = await town.person()
    house = await switched_on(town, owner)
    await there.services.feed.read()
    before = await opens(there, house)
    await projects.change(town.work(owner), house.id, development_prefix=None)
    await there.services.feed.read()

    assert (before, await opens(there, house)) == (True, False)
    there.services.parts.passwords.close()


async def test_its_token_says_who_minted_it(town: Town) -> None:
    owner = await town.person()
    house = await switched_on(town, owner)
    minted = await development.create(await by_key_alone(town, house), room="dev-lobby")
    passport = await tokens.validate(await town.by_key(house), minted.token)

    assert passport.valid
    assert passport.minted is not None
    assert passport.minted.key_id == house.key.id
