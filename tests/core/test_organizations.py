"""Organizations: whose they are, how they are renamed, and what ends with them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pulse_dash.core import joining, organizations, projects, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed, Unauthenticated
from pulse_dash.core.invitations import AlreadyThere, Unverified
from pulse_dash.core.operators import OperatorOnly
from pulse_dash.services import Services
from pulse_dash.store.records import Moved
from tests.doubles import kept
from tests.people import HOSTILE, Town


async def test_strangers_make_and_see_none(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()

    with pytest.raises(Unauthenticated):
        await organizations.create(town.stranger, name="x")
    with pytest.raises(NotFound):
        await organizations.read(town.work(stranger), owner.organization.id)
    assert owner.organization not in (await organizations.listing(town.work(stranger))).items


async def test_a_projects_key_makes_none_and_lists_none(town: Town) -> None:
    work = await town.by_key(await town.house())

    with pytest.raises(Unauthenticated):
        await organizations.create(work, name="x")
    assert (await organizations.listing(work)).items == []


async def test_who_makes_one_owns_it_from_the_next_request_on(town: Town) -> None:
    person = await town.person()

    made = (await organizations.create(town.work(person), name=f"  {HOSTILE}  ")).organization

    assert (made.name, made.role_of(person.actor.id)) == (HOSTILE, Role.OWNER.value)


async def test_an_address_that_is_named_is_invited_as_admin_with_it(town: Town, services: Services) -> None:
    person, email = await town.person(), "grace@example.com"

    made = await organizations.create(town.work(person), name="Acme", admin_email=f" {email.upper()} ")

    assert made.invited is not None
    assert made.invited.accept_url is not None
    invitation, organization = await joining.look(town.stranger, made.invited.accept_url.partition("token=")[2])
    assert organization.id == made.organization.id
    assert (invitation, invitation.email, invitation.role) == (made.invited.invitation, email, "admin")
    await services.parts.store.logged()
    entries = await kept(services.engine, "audit_log", org_id=organization.id)
    assert {each["action"] for each in entries} == {"organization.created", "member.invited"}


async def test_who_may_not_invite_makes_none_with_an_admin(town: Town, services: Services) -> None:
    person = await town.person()
    work, before = town.work(person), len(await kept(services.engine, "organizations"))
    unproved = services.as_(replace(person.actor, verified=False))

    for caller, email, refusal in (
        (work, "no address", Invalid),
        (work, person.actor.email, AlreadyThere),
        (unproved, "grace@example.com", Unverified),
    ):
        with pytest.raises(refusal):
            await organizations.create(caller, name="Acme", admin_email=email)
    assert len(await kept(services.engine, "organizations")) == before


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
async def test_only_an_owner_changes_or_deletes_one(town: Town, role: Role) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)

    with pytest.raises(Forbidden):
        await organizations.change(town.work(member), owner.organization.id, name="x")
    with pytest.raises(Forbidden):
        await organizations.delete(town.work(member), owner.organization.id)


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\x00b", "\n"])
async def test_what_is_no_name_names_nothing(town: Town, name: str) -> None:
    owner = await town.person()

    with pytest.raises(Invalid):
        await organizations.create(town.work(owner), name=name)
    with pytest.raises(Invalid):
        await organizations.change(town.work(owner), owner.organization.id, name=name)


async def test_a_plan_is_not_the_owners_to_change_where_nothing_is_sold(town: Town) -> None:
    # The first account of an installation is an operator.
    _, owner = await town.person(), await town.person()

    with pytest.raises(OperatorOnly):
        await organizations.change(town.work(owner), owner.organization.id, plan="enterprise")
    assert await organizations.change(town.work(owner), owner.organization.id, plan="free")


async def test_who_read_an_older_version_changes_nothing(town: Town) -> None:
    owner = await town.person()
    read = await organizations.read(town.work(owner), owner.organization.id)
    await organizations.change(town.work(owner), read.id, name="first", version=read.version)

    with pytest.raises(PreconditionFailed):
        await organizations.change(town.work(owner), read.id, name="second", version=read.version)
    assert (await organizations.read(town.work(owner), read.id)).name == "first"


async def test_of_changes_at_once_none_is_lost_unseen(town: Town, services: Services) -> None:
    owner = await town.person()
    changes = [organizations.change(town.work(owner), owner.organization.id, name=f"name {n}") for n in range(5)]

    outcomes = await asyncio.gather(*changes, return_exceptions=True)

    done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert all(isinstance(outcome, Moved) for outcome in outcomes if isinstance(outcome, BaseException))
    entries = len(await kept(services.engine, "audit_log", action="organization.updated"))
    assert entries == len(done) >= 1


async def test_a_deleted_one_is_gone_with_its_projects_and_kept_in_the_store(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await organizations.delete(town.work(owner), owner.organization.id)

    # Roles are looked up with each request.
    work = town.services.as_(await sessions.recognize(town.stranger, owner.access_token))
    with pytest.raises(NotFound):
        await organizations.read(work, owner.organization.id)
    with pytest.raises(NotFound):
        await projects.read(work, house.id)
    assert await services.engine.collection("organizations").find_one({"_id": owner.organization.id})


async def test_lists_come_in_pages_oldest_first_and_are_searched_by_part_of_the_name(town: Town) -> None:
    owner = await town.person()
    for number in range(5):
        await organizations.create(town.work(owner), name=f"Team {number}")
    work = town.services.as_(await sessions.recognize(town.stranger, owner.access_token))

    second = await organizations.listing(work, page=2, limit=2, search="tEAM")
    beyond = await organizations.listing(work, page=9, limit=2)

    assert ([each.name for each in second.items], second.total) == (["Team 2", "Team 3"], 5)
    assert (beyond.items, beyond.total) == ([], 6)
    by_id = await organizations.listing(work, search=owner.organization.id)
    assert [each.id for each in by_id.items] == [owner.organization.id]
