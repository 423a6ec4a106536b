"""Races over who belongs to an organization: all begin at one moment, on two nodes, and what must hold holds.

A few rounds in CI; PULSE_SOAK repeats each a hundred times. Each round's hurry is drawn from its number, so that one
that failed can be run again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from pulse_dash.core import accounts, invitations, joining, members, organizations, second_factor, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.accounts import SignedIn
from pulse_dash.core.challenges import WrongCode
from pulse_dash.core.errors import Forbidden, NotFound, RateLimited
from pulse_dash.core.invitations import InvitationSpent
from pulse_dash.core.joining import SignInToAccept
from pulse_dash.core.members import LastOwner, Membership
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.store.records import Moved
from tests.core.authenticator import App, challenge_of, turned_on
from tests.core.soak import examples
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import PASSWORD, Person, Town

ROUNDS = range(examples(4, 100))
Act = Callable[[], Awaitable[Any]]


@pytest.fixture
def other_node(services: Services, engine: BreakableEngine, clock: MovableClock) -> Services:
    """A second node on the same store, with a memory of its own."""
    return assemble(services.settings, engine, clock, Passwords(password_cost=4))


async def at_once(number: int, *acts: Act) -> list[Any]:
    """All from one barrier on, each after a hurry of its own; answers what became of each."""
    barrier, hurry = asyncio.Barrier(len(acts)), random.Random(number)
    pauses = [hurry.randrange(12) for _ in acts]

    async def begun(act: Act, pause: int) -> Any:
        await barrier.wait()
        for _ in range(pause):
            await asyncio.sleep(0)
        return await act()

    return await asyncio.gather(*(begun(*each) for each in zip(acts, pauses, strict=True)), return_exceptions=True)


async def roles(town: Town, org_id: str) -> dict[str, str]:
    (found,) = await kept(town.services.engine, "organizations", _id=org_id)
    return {member["user_id"]: member["role"] for member in found["members"]}


HOW: dict[str, Callable[[Any, str, Person, Person], Awaitable[Any]]] = {
    "remove each other": lambda work, org_id, _, on: members.remove(work, org_id, on.actor.id),
    "demote each other": lambda work, org_id, _, on: members.change_role(work, org_id, on.actor.id, Role.VIEWER),
    "demote themselves": lambda work, org_id, by, _: members.change_role(work, org_id, by.actor.id, Role.VIEWER),
    "leave": lambda work, org_id, _, __: members.leave(work, org_id),
    "hand over to each other": lambda work, org_id, _, on: members.transfer(work, org_id, on.actor.id),
}


@pytest.mark.parametrize("how", HOW)
async def test_two_owners_at_once_leave_an_owner(town: Town, other_node: Services, how: str) -> None:
    for number in ROUNDS:
        one = await town.person()
        other = await town.member(one.organization, Role.OWNER)
        org_id, there = one.organization.id, other_node.as_(other.actor)
        here = town.work(one)

        became = await at_once(
            number,
            partial(HOW[how], here, org_id, one, other),
            partial(HOW[how], there, org_id, other, one),
        )

        assert "owner" in (await roles(town, org_id)).values(), number
        for each in became:
            assert each is None or isinstance(each, Membership | LastOwner | NotFound | Forbidden | Moved), (
                number,
                each,
            )


async def test_an_invitation_that_is_accepted_many_times_at_once_makes_one_member(
    town: Town, other_node: Services
) -> None:
    for number in ROUNDS:
        owner = await town.person()
        org_id, email = owner.organization.id, f"race{number}@example.com"
        made = await invitations.invite(town.work(owner), org_id, email=email, role=Role.VIEWER)
        assert made.accept_url is not None
        token = made.accept_url.partition("?token=")[2]
        nodes = (town.services, other_node, town.services, other_node)
        acts = [partial(joining.accept, Town(node).stranger, token, name="Bob", password=PASSWORD) for node in nodes]

        became = await at_once(number, *acts)

        assert sum(isinstance(each, SignedIn) for each in became) == 1, (number, became)
        assert all(isinstance(each, SignedIn | InvitationSpent | SignInToAccept) for each in became), (number, became)
        assert sorted((await roles(town, org_id)).values()) == ["owner", "viewer"]
        assert len(await kept(town.services.engine, "users", email=email)) == 1


async def test_who_is_removed_while_they_are_promoted_is_a_member_or_out_and_no_ghost(
    town: Town, other_node: Services
) -> None:
    for number in ROUNDS:
        owner = await town.person()
        second = await town.member(owner.organization, Role.OWNER)
        member = await town.member(owner.organization, Role.VIEWER)
        org_id, who = owner.organization.id, member.actor.id
        here, there = town.work(owner), other_node.as_(second.actor)

        became = await at_once(
            number,
            partial(members.remove, here, org_id, who),
            partial(members.change_role, there, org_id, who, Role.ADMIN),
        )

        assert became[0] is None, (number, became)
        assert who not in await roles(town, org_id)
        await town.services.feed.read()
        work = town.services.as_(await sessions.recognize(town.stranger, member.access_token))
        with pytest.raises(NotFound):
            await organizations.read(work, org_id)


async def test_an_invitation_that_is_taken_back_while_it_is_accepted_brings_in_one_or_nobody(
    town: Town, other_node: Services
) -> None:
    for number in ROUNDS:
        owner = await town.person()
        org_id, email = owner.organization.id, f"back{number}@example.com"
        made = await invitations.invite(town.work(owner), org_id, email=email, role=Role.VIEWER)
        assert made.accept_url is not None
        token, work = made.accept_url.partition("?token=")[2], town.work(owner)

        accepted, taken_back = await at_once(
            number,
            partial(joining.accept, Town(other_node).stranger, token, name="Bob", password=PASSWORD),
            partial(invitations.revoke, work, org_id, made.invitation.id),
        )

        now = await roles(town, org_id)
        if isinstance(accepted, SignedIn):
            assert len(now) == 2, (number, taken_back)
        (invitation,) = await kept(town.services.engine, "invitations", _id=made.invitation.id)
        assert (invitation.get("accepted_at") is None) or (invitation.get("revoked_at") is None), number


async def test_of_one_code_on_two_nodes_one_counts(town: Town, other_node: Services, clock: MovableClock) -> None:
    for number in ROUNDS:
        person = await town.person()
        app, recovery = await turned_on(town, person, clock)
        challenge = await challenge_of(town, person)
        for code in (app.next_code(), recovery[0]):
            acts = [
                partial(accounts.log_in_with_code, Town(node).stranger, challenge=challenge, code=code)
                for node in (town.services, other_node, other_node)
            ]
            became = await at_once(number, *acts)

            assert sum(isinstance(each, SignedIn) for each in became) == 1, (number, became)
            assert all(isinstance(each, SignedIn | WrongCode | RateLimited) for each in became), (number, became)


async def test_of_two_who_confirm_a_second_factor_at_once_one_gets_the_codes(
    town: Town, other_node: Services, clock: MovableClock
) -> None:
    for number in ROUNDS:
        person = await town.person()
        setup = await second_factor.begin(town.work(person), password=PASSWORD)
        code = App(setup.secret.reveal(), clock).code()
        here, there = town.work(person), other_node.as_(person.actor)

        became = await at_once(
            number,
            partial(second_factor.confirm, here, code),
            partial(second_factor.confirm, there, code),
        )

        shown = [each for each in became if isinstance(each, tuple)]
        assert len(shown) == 1, (number, became)
        assert (await second_factor.standing(here)).codes_left == len(shown[0])
