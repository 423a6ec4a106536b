"""What other nodes changed is heard here: once, in time, and everything is forgotten after too long an absence."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pulse_dash.core import keys, organizations, projects, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Unauthenticated, Unavailable
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from tests.doubles import BreakableEngine, MovableClock
from tests.people import Town


@pytest.fixture
def other_node(services: Services, engine: BreakableEngine, clock: MovableClock) -> Services:
    """A second node on the same store, with a bus and a memory of its own."""
    return assemble(services.settings, engine, clock, Passwords(password_cost=4))


@pytest.fixture
def heard(services: Services) -> list[str]:
    """What this node's bus said."""
    subjects: list[str] = []
    services.parts.bus.listen(subjects.append)
    return subjects


async def change(services: Services, subject: str, at: datetime, change_id: str = "") -> None:
    """A change as another node writes it."""
    document = {"_id": change_id or f"aud_{subject}_{at.timestamp()}", "subject": subject, "at": at}
    await services.engine.collection("changes").insert_one(document)


async def test_a_change_of_another_node_is_heard_once(services: Services, heard: list[str]) -> None:
    await services.feed.read()
    await change(services, "keys:key_1", services.parts.clock.now())

    assert [await services.feed.read() for _ in range(3)] == [1, 0, 0]
    assert heard == ["keys:key_1"]


async def test_changes_written_late_or_by_a_slow_clock_are_heard_too(services: Services, heard: list[str]) -> None:
    now = services.parts.clock.now()
    await change(services, "keys:newest", now)
    await services.feed.read()

    await change(services, "keys:late", now - timedelta(seconds=9))
    await change(services, "keys:same", now)
    await services.feed.read()

    assert heard == ["keys:newest", "keys:late", "keys:same"]


async def test_a_clock_of_this_node_that_runs_ahead_misses_nothing(
    services: Services, clock: MovableClock, heard: list[str]
) -> None:
    true_now = services.parts.clock.now()
    clock.move(30 * 60)
    await services.feed.read()

    await change(services, "keys:key_1", true_now)
    await services.feed.read()

    assert heard == ["keys:key_1"]


async def test_who_was_away_for_over_an_hour_forgets_everything(
    town: Town, services: Services, clock: MovableClock, heard: list[str]
) -> None:
    house = await town.house()
    await town.by_key(house)
    # The log is written behind the change, and says so too.
    await services.parts.store.logged()
    await services.feed.read()
    heard.clear()

    clock.move(3_600)
    await services.feed.read()
    assert heard == []
    clock.move(3_601)
    await services.feed.read()

    assert heard == ["*:"]
    assert keys.remembered(town.stranger.parts, house.key.public, house.key.secret.reveal()) is None


async def test_a_feed_that_can_not_be_read_does_not_count_as_read(
    services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    await services.feed.read()
    engine.gone = True
    clock.move(10)

    with pytest.raises(Unavailable):
        await services.feed.read()
    assert not services.parts.freshness.good

    engine.gone = False
    await services.feed.read()
    assert services.parts.freshness.good


async def test_what_one_node_revokes_the_other_refuses_at_its_next_look(
    town: Town, services: Services, other_node: Services
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    there = Town(other_node)
    await there.by_key(house)
    await other_node.feed.read()

    await keys.revoke(town.work(owner), house.id, house.key.id)
    await other_node.feed.read()

    with pytest.raises(Unauthenticated):
        await there.by_key(house)


WHAT_ENDS_A_KEY = {
    "project deleted": lambda town, owner, house: projects.delete(town.work(owner), house.id),
    "organization deleted": lambda town, owner, house: organizations.delete(town.work(owner), owner.organization.id),
    "key regenerated": lambda town, owner, house: keys.regenerate(town.work(owner), house.id),
}


@pytest.mark.parametrize("what", WHAT_ENDS_A_KEY)
async def test_whatever_ends_a_key_ends_it_on_every_node(town: Town, other_node: Services, what: str) -> None:
    owner = await town.person()
    house = await town.project(owner)
    there = Town(other_node)
    await there.by_key(house)

    await WHAT_ENDS_A_KEY[what](town, owner, house)
    await other_node.feed.read()

    with pytest.raises(Unauthenticated):
        await there.by_key(house)


async def test_a_sign_out_is_heard_on_every_node(town: Town, other_node: Services) -> None:
    person = await town.person()
    there = Town(other_node)
    await sessions.recognize(there.stranger, person.access_token)

    await sessions.end(town.work(person))
    await other_node.feed.read()

    with pytest.raises(Unauthenticated):
        await sessions.recognize(there.stranger, person.access_token)


async def test_a_new_role_counts_on_every_node(town: Town, other_node: Services) -> None:
    owner = await town.person()
    there = Town(other_node)
    person = await town.person()
    await sessions.recognize(there.stranger, person.access_token)

    member = await town.member(owner.organization, Role.VIEWER)
    await other_node.feed.read()

    actor = await sessions.recognize(there.stranger, member.access_token)
    assert actor.roles[owner.organization.id] is Role.VIEWER
