"""An organization that asks a second factor of everybody: who has none is held back until they do."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, organizations, personal_tokens, second_factor, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import NotFound, SecondFactorNeeded
from pulse_dash.core.organizations import FactorFirst
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from tests.core.authenticator import turned_on
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import Person, Town


async def asking(town: Town, clock: MovableClock) -> Person:
    """An owner whose organization asks everybody for a second factor."""
    owner = await town.person()
    await turned_on(town, owner, clock)
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)
    return owner


async def now(town: Town, person: Person) -> Person:
    """The person with the roles of this moment."""
    actor = await sessions.recognize(town.stranger, person.access_token)
    return Person(actor, person.organization, person.access_token, person.refresh_token)


async def test_an_owner_without_one_does_not_ask_it_of_others(town: Town) -> None:
    owner = await town.person()

    with pytest.raises(FactorFirst):
        await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)


async def test_whoever_has_none_is_held_back_at_once_with_their_tokens_and_nowhere_else(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    member = await town.member(owner.organization, Role.ADMIN)
    token = await personal_tokens.create(town.work(member), name="script", expires_in_days=1)
    await turned_on(town, owner, clock)
    await organizations.read(town.work(await now(town, member)), owner.organization.id)

    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)

    script = services.as_(await personal_tokens.recognize(town.stranger, token.secret.reveal()))
    for work in (town.work(await now(town, member)), script):
        with pytest.raises(SecondFactorNeeded):
            await organizations.read(work, owner.organization.id)
        with pytest.raises(SecondFactorNeeded):
            await work.store.projects.get(house.id)
        await organizations.read(work, member.organization.id)
        assert [each.id for each in (await organizations.listing(work)).items] == [member.organization.id]


async def test_a_stranger_learns_nothing_of_what_an_organization_asks(town: Town, clock: MovableClock) -> None:
    owner, stranger = await asking(town, clock), await town.person()

    with pytest.raises(NotFound):
        await organizations.read(town.work(stranger), owner.organization.id)


async def test_who_sets_one_up_is_in_again(town: Town, clock: MovableClock) -> None:
    owner = await asking(town, clock)
    member = await town.member(owner.organization, Role.VIEWER)
    held = next(each for each in (await accounts.me(town.work(member))).memberships if each.held_back)
    assert held.organization.id == owner.organization.id

    await turned_on(town, member, clock)

    work = town.work(await now(town, member))
    await organizations.read(work, owner.organization.id)
    assert not any(each.held_back for each in (await accounts.me(work)).memberships)


async def test_an_owner_without_one_restores_nothing_that_asks_for_it(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    org_id = owner.organization.id
    _, codes = await turned_on(town, owner, clock)
    await organizations.change(town.work(owner), org_id, requires_second_factor=True)
    await organizations.delete(town.work(owner), org_id)
    await second_factor.turn_off(town.work(owner), codes[0])

    with pytest.raises(SecondFactorNeeded):
        await organizations.restore(town.work(owner), org_id)

    await turned_on(town, owner, clock)
    assert (await organizations.restore(town.work(owner), org_id)).id == org_id


async def test_a_projects_key_goes_on_working(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await turned_on(town, owner, clock)
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)

    await (await town.by_key(house)).store.projects.get(house.id)


async def test_what_an_organization_asks_is_in_the_log_with_before_and_after(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await asking(town, clock)

    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=False)

    changes = [entry["changes"] for entry in await kept(services.engine, "audit_log", action="organization.updated")]
    asked, not_asked = {"before": False, "after": True}, {"before": True, "after": False}
    assert changes == [{"requires_second_factor": asked}, {"requires_second_factor": not_asked}]


async def test_another_node_holds_back_and_lets_in_as_soon_as_it_reads_of_it(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.VIEWER)
    await turned_on(town, owner, clock)
    node = assemble(services.settings, engine, clock, Passwords(password_cost=4))
    await node.feed.read()

    async def there() -> str:
        actor = await sessions.recognize(Town(node).stranger, member.access_token)
        try:
            await organizations.read(node.as_(actor), owner.organization.id)
        except SecondFactorNeeded:
            return "held back"
        return "in"

    assert await there() == "in"
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)
    await node.feed.read()
    assert await there() == "held back"
    await turned_on(town, member, clock)
    await node.feed.read()
    assert await there() == "in"
