"""What a page offers each role is what the one table of roles says."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from pulse_dash.core.access import ROLES, Role
from pulse_dash.state.offered import ALL_OF_IT, NEEDS, Offered, offered
from tests.people import Town


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_offered_what_it_may_do_there(town: Town, role: Role) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)

    found = asdict(offered(member.actor, owner.organization.id))

    assert found == {name: permission in ROLES[role] for name, permission in NEEDS.items()}


async def test_elsewhere_nothing_is_offered(town: Town) -> None:
    owner, other = await town.person(), await town.person()

    assert offered(owner.actor, other.organization.id) == Offered()
    assert offered(owner.actor, "") == Offered()


def test_each_thing_that_is_offered_has_its_permission() -> None:
    assert {each.name for each in fields(Offered)} == set(NEEDS)
    assert all(asdict(ALL_OF_IT).values())
