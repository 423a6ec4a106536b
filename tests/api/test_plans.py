"""Plans over HTTP: an operator gives any organization another, and nobody else does."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core import organizations
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed, Unauthenticated
from pulse_dash.core.operators import OperatorOnly
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.doubles import kept
from tests.people import Person, Town

PRO = {"plan": "pro"}


def path(of: Person) -> str:
    return f"/v1/organizations/{of.organization.id}"


async def test_an_operator_gives_any_organization_a_plan_and_it_stands_in_its_log(
    client: httpx.AsyncClient, operator: Person, owner: Person, services: Services
) -> None:
    answer = await client.put(path(owner), headers=operator.headers, json=PRO)

    assert (answer.status_code, answer.json()["plan"], answer.json()["role"]) == (200, "pro", None)
    assert (await client.get(path(owner), headers=owner.headers)).json()["plan"] == "pro"
    await services.parts.store.logged()
    (entry,) = await kept(services.engine, "audit_log", action="plan.changed")
    assert (entry["org_id"], entry["actor"]["id"]) == (owner.organization.id, operator.actor.id)
    assert entry["changes"] == {"plan": {"before": "free", "after": "pro"}}


async def test_an_operator_who_owns_it_changes_all_of_it_at_once(
    client: httpx.AsyncClient, operator: Person, services: Services
) -> None:
    answer = await client.put(path(operator), headers=operator.headers, json={**PRO, "name": "Renamed"})

    assert (answer.json()["plan"], answer.json()["name"]) == ("pro", "Renamed")
    await services.parts.store.logged()
    actions = [each["action"] for each in await kept(services.engine, "audit_log", org_id=operator.organization.id)]
    assert {"organization.updated", "plan.changed"} <= set(actions)


@pytest.mark.parametrize("role", list(Role))
async def test_no_role_changes_a_plan(client: httpx.AsyncClient, owner: Person, town: Town, role: Role) -> None:
    member = await town.member(owner.organization, role)

    refused = OperatorOnly if role is Role.OWNER else Forbidden
    assert_refused(await client.put(path(owner), headers=member.headers, json=PRO), refused)
    assert (await client.get(path(owner), headers=owner.headers)).json()["plan"] == "free"


async def test_nobody_reaches_it_who_is_neither_there_nor_an_operator(
    client: httpx.AsyncClient, operator: Person, owner: Person, town: Town
) -> None:
    stranger, house = await town.person(), await town.project(operator)
    token = await client.post("/v1/auth/tokens", headers=operator.headers, json={"name": "script"})
    script = {"Authorization": f"Bearer {token.json()['access_token']}"}

    assert_refused(await client.put(path(owner), json=PRO), Unauthenticated)
    # A personal token of an operator's is its person alone.
    for headers in (stranger.headers, dict(house.headers), script):
        assert_refused(await client.put(path(owner), headers=headers, json=PRO), NotFound)


async def test_an_operator_changes_nothing_else_of_an_organization_without_a_role_there(
    client: httpx.AsyncClient, operator: Person, owner: Person
) -> None:
    for body in ({"name": "Mine"}, {**PRO, "name": "Mine"}, {"requires_second_factor": True}, {}):
        assert_refused(await client.put(path(owner), headers=operator.headers, json=body), NotFound)
    assert_refused(await client.get(path(owner), headers=operator.headers), NotFound)


async def test_what_is_wrong_with_an_operators_request_is_told_in_order(
    client: httpx.AsyncClient, operator: Person, owner: Person
) -> None:
    nowhere = await client.put("/v1/organizations/org_nowhere", headers=operator.headers, json={"plan": "x"})
    unknown = await client.put(path(owner), headers=operator.headers, json={"plan": "x"})
    older = await client.put(path(owner), headers={**operator.headers, "If-Match": '"77"'}, json=PRO)

    assert_refused(nowhere, NotFound)
    assert unknown.status_code == 422
    assert_refused(older, PreconditionFailed)


async def test_core_asks_again_who_gives_a_plan(town: Town, owner: Person) -> None:
    for work in (town.work(owner), await town.by_key(await town.house())):
        with pytest.raises(OperatorOnly):
            await organizations.change_plan(work, owner.organization.id, "pro")
    with pytest.raises(Unauthenticated):
        await organizations.change_plan(town.stranger, owner.organization.id, "pro")


async def test_core_keeps_no_plan_that_is_none(town: Town, operator: Person) -> None:
    work, org_id = town.work(operator), operator.organization.id

    with pytest.raises(Invalid):
        await organizations.change_plan(work, org_id, "gold")
    with pytest.raises(Invalid):
        await organizations.change(work, org_id, plan="gold")
