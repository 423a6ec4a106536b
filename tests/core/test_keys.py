"""What a project's key and secret open, and when they stop."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pulse_dash.core import key_text, keys
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from pulse_dash.core.keys import KeyAlreadyRevoked, ShownKey
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from pulse_dash.store.records import Moved
from tests.doubles import BreakableEngine, MovableClock, logged
from tests.people import Town


async def test_a_stranger_lists_no_keys(town: Town) -> None:
    house = await town.house()

    with pytest.raises(Unauthenticated):
        await keys.listing(town.stranger, house.id)


async def test_another_tenants_keys_are_not_there(town: Town) -> None:
    house, other = await town.house(), await town.person()

    with pytest.raises(NotFound):
        await keys.revoke(town.work(other), house.id, house.key.id)


async def test_a_key_never_changes_keys_not_even_its_own(town: Town) -> None:
    house = await town.house()

    with pytest.raises(Forbidden):
        await keys.regenerate(await town.by_key(house), house.id)


async def test_a_viewer_sees_keys_and_revokes_none(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)

    assert [key.id for key in await keys.listing(town.work(viewer), house.id)] == [house.key.id]
    with pytest.raises(Forbidden) as refused:
        await keys.revoke(town.work(viewer), house.id, house.key.id)
    assert refused.value.permission == "keys.revoke"


async def test_an_owner_elsewhere_is_only_a_viewer_here(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    both = await town.member(owner.organization, Role.VIEWER)

    mine = await town.project(both)
    await keys.revoke(town.work(both), mine.id, mine.key.id)
    with pytest.raises(Forbidden):
        await keys.create(town.work(both), house.id, name="mine too?")


async def test_one_tenants_key_does_not_open_with_anothers_secret(town: Town) -> None:
    house, other = await town.house(), await town.house()

    with pytest.raises(Unauthenticated):
        await keys.recognize(town.stranger, house.key.public, other.key.secret.reveal())


async def test_a_wrong_secret_stays_wrong_after_the_right_one_was_remembered(town: Town) -> None:
    house, other = await town.house(), await town.house()
    await town.by_key(house)

    with pytest.raises(Unauthenticated):
        await keys.recognize(town.stranger, house.key.public, other.key.secret.reveal())
    await town.by_key(house)


@pytest.mark.parametrize("text", ["", "pulse_key_", "pulse_key_" + "0" * 30, "\ud800", "pulse_key_é" + "a" * 29])
async def test_junk_never_reaches_the_database(town: Town, engine: BreakableEngine, text: str) -> None:
    await logged()
    before = engine.operations

    with pytest.raises(Unauthenticated):
        await keys.recognize(town.stranger, text, text)
    assert engine.operations == before


def test_a_mistyped_key_fails_its_checksum() -> None:
    key = key_text.new_key()
    swapped = key[:-8] + ("A" if key[-8] != "A" else "B") + key[-7:]

    assert key_text.is_key(key)
    assert not key_text.is_key(swapped)
    assert key_text.is_secret(key_text.new_secret())


async def test_a_remembered_pair_asks_the_database_nothing(town: Town, engine: BreakableEngine) -> None:
    house = await town.house()
    await town.by_key(house)
    await logged()
    before = engine.operations

    await town.by_key(house)

    assert engine.operations == before


async def test_a_wrong_pair_is_looked_up_once_a_minute_however_many_send_it(
    town: Town, engine: BreakableEngine, clock: MovableClock
) -> None:
    house, other = await town.house(), await town.house()

    async def refused() -> int:
        await logged()
        before = engine.operations
        with pytest.raises(Unauthenticated):
            await keys.recognize(town.stranger, house.key.public, other.key.secret.reveal())
        return engine.operations - before

    assert max(await asyncio.gather(*(refused() for _ in range(100)))) == 1
    assert await refused() == 0
    clock.move(61)
    assert await refused() == 1


async def test_callers_of_one_key_wait_for_one_look_into_the_database(town: Town, engine: BreakableEngine) -> None:
    house = await town.house()
    await logged()
    before = engine.operations

    known = await asyncio.gather(
        *(keys.recognize(town.stranger, house.key.public, house.key.secret.reveal()) for _ in range(100))
    )

    assert {each.actor.id for each in known} == {house.key.id}
    assert engine.operations - before == 3  # the key, its project, its organization


async def test_every_key_of_the_house_may_come_at_once_after_a_restart(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    made = [await keys.create(town.work(owner), house.id, name=f"key {number}") for number in range(100)]

    known = await asyncio.gather(*(keys.recognize(town.stranger, key.public, key.secret.reveal()) for key in made))

    assert [each.actor.id for each in known] == [key.id for key in made]


async def test_a_hundred_regenerations_at_once_leave_exactly_one_good_pair(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    work = town.work(owner)
    outcomes = await asyncio.gather(
        *[keys.regenerate(work, house.id, key_id=house.key.id, grace_seconds=0) for _ in range(100)],
        return_exceptions=True,
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, ShownKey)]
    good = [key for key in (house.key, *made) if await opens(town, key)]

    # Beyond a bound of hashing at once, a caller is asked to come again; nothing was changed for them.
    assert {type(outcome) for outcome in outcomes} <= {ShownKey, Moved, Unavailable}
    assert len(good) == 1
    assert good[0].public == (await keys.listing(work, house.id))[0].public


async def opens(town: Town, key: ShownKey) -> bool:
    try:
        await keys.recognize(town.stranger, key.public, key.secret.reveal())
    except Unauthenticated:
        return False
    return True


async def test_a_regenerated_pair_stops_at_once(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await town.by_key(house)

    fresh = await keys.regenerate(town.work(owner), house.id)

    with pytest.raises(Unauthenticated):
        await town.by_key(house)
    known = await keys.recognize(town.stranger, fresh.public, fresh.secret.reveal())
    assert known.actor.id == house.key.id


async def test_an_old_pair_works_through_its_grace_and_not_a_second_longer(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await keys.regenerate(town.work(owner), house.id, grace_seconds=60)

    clock.move(59)
    await town.by_key(house)
    clock.move(2)
    await town.services.feed.read()
    with pytest.raises(Unauthenticated):
        await town.by_key(house)


@pytest.mark.parametrize("seconds", [-1, 86_401])
async def test_grace_lasts_a_day_at_most(town: Town, seconds: int) -> None:
    owner = await town.person()
    house = await town.project(owner)

    with pytest.raises(Invalid):
        await keys.regenerate(town.work(owner), house.id, grace_seconds=seconds)


async def test_a_revoked_key_opens_nothing_and_cannot_be_regenerated(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await town.by_key(house)

    await keys.revoke(town.work(owner), house.id, house.key.id)

    with pytest.raises(Unauthenticated):
        await town.by_key(house)
    with pytest.raises(KeyAlreadyRevoked):
        await keys.regenerate(town.work(owner), house.id, key_id=house.key.id)


async def test_what_another_node_revoked_is_forgotten_when_the_feed_is_read(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await services.feed.read()
    await town.by_key(house)

    # Another node: the same documents, and no word on this node's bus.
    now = services.parts.clock.now()
    await services.engine.collection("keys").update_one({"_id": house.key.id}, {"$set": {"revoked_at": now}})
    await services.engine.collection("changes").insert_one(
        {"_id": "aud_other", "subject": f"keys:{house.key.id}", "at": now}
    )
    await town.by_key(house)
    await services.feed.read()

    with pytest.raises(Unauthenticated):
        await town.by_key(house)


async def test_a_pair_verified_before_works_for_five_seconds_without_the_database(
    town: Town, engine: BreakableEngine, clock: MovableClock
) -> None:
    house, unseen = await town.house(), await town.house()
    await town.by_key(house)
    engine.gone = True

    clock.move(5)
    await town.by_key(house)
    with pytest.raises(Unavailable):
        await town.by_key(unseen)
    clock.move(2)
    with pytest.raises(Unavailable):
        await town.by_key(house)


async def test_keys_work_again_by_themselves_when_the_database_is_back(
    town: Town, engine: BreakableEngine, clock: MovableClock
) -> None:
    house = await town.house()
    await town.by_key(house)
    engine.gone = True
    clock.move(60)
    with pytest.raises(Unavailable):
        await town.by_key(house)

    engine.gone = False
    await town.services.feed.read()

    await town.by_key(house)


async def test_no_stored_document_holds_a_secret(town: Town, services: Services) -> None:
    house = await town.house()

    for noun in ("keys", "projects", "audit_log", "changes"):
        for document in await services.engine.collection(noun).find({}):
            assert house.key.secret.reveal() not in repr(document)


async def test_a_key_that_nobody_used_for_thirty_days_is_pointed_out(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    house = await town.project(owner)
    (key,) = await keys.listing(town.work(owner), house.id)
    used = replace(key, last_used_at=clock.now() + timedelta(days=29))
    revoked = replace(key, revoked_at=clock.now())
    clock.move(timedelta(days=30).total_seconds())

    assert [keys.is_unused(each, clock.now()) for each in (key, used, revoked)] == [True, False, False]


async def test_an_idle_entry_in_a_nodes_memory_is_never_served_after_a_revocation(
    town: Town, settings: Settings, engine: BreakableEngine, clock: MovableClock
) -> None:
    there = Town(assemble(settings, engine, clock, Passwords(password_cost=4)))
    owner = await town.person()
    house = await town.project(owner)
    await there.services.feed.read()
    await there.by_key(house)
    # Nobody comes for hours, while the feed is read as ever; then somebody revokes it elsewhere.
    for _ in range(24):
        clock.move(3600)
        await there.services.feed.read()
    await keys.revoke(town.work(owner), house.id, house.key.id)
    await there.services.feed.read()

    with pytest.raises(Unauthenticated):
        await there.by_key(house)
    there.services.parts.passwords.close()


async def test_an_idle_entry_of_a_node_that_slept_is_not_believed(
    town: Town, settings: Settings, engine: BreakableEngine, clock: MovableClock
) -> None:
    there = Town(assemble(settings, engine, clock, Passwords(password_cost=4)))
    owner = await town.person()
    house = await town.project(owner)
    await there.services.feed.read()
    await there.by_key(house)
    await keys.revoke(town.work(owner), house.id, house.key.id)
    # The machine slept for longer than changes are kept, and they are gone.
    clock.move(7200)
    await engine.collection("changes").delete_many({})

    with pytest.raises(Unavailable):
        await there.by_key(house)
    await there.services.feed.read()
    with pytest.raises(Unauthenticated):
        await there.by_key(house)
    there.services.parts.passwords.close()


def test_the_rule_for_scanners_finds_a_secret_and_its_checksum_tells_it_from_another() -> None:
    page = (Path(__file__).parents[2] / "docs" / "API.md").read_text("utf-8")
    (rule,) = re.findall(r"^\\bpulse_secret_.*$", page, re.MULTILINE)
    secret = key_text.new_secret()
    other = secret[:-1] + ("a" if secret[-1] != "a" else "b")

    assert [re.findall(rule, f'PULSE_SECRET="{text}"') for text in (secret, other)] == [[secret], [other]]
    assert [key_text.is_secret(text) for text in (secret, other)] == [True, False]
