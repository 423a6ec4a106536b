"""A lost second factor over HTTP: operators alone take it away, and each organization concerned reads of it."""

from __future__ import annotations

import httpx

from pulse_dash.core.access import Role
from pulse_dash.core.errors import NotFound
from pulse_dash.core.factor_reset import OwnFactor
from pulse_dash.core.operators import OperatorOnly
from pulse_dash.core.second_factor import FactorIsOff
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.core.authenticator import turned_on
from tests.doubles import MovableClock, kept
from tests.people import Person, Town

PATH = "/v1/auth/second-factor/reset"


async def test_an_operator_takes_it_away_and_it_stands_in_every_log_concerned(
    client: httpx.AsyncClient, operator: Person, owner: Person, town: Town, services: Services, clock: MovableClock
) -> None:
    lost = await town.member(owner.organization, Role.DEVELOPER)
    await turned_on(town, lost, clock)

    answer = await client.post(PATH, headers=operator.headers, json={"email": lost.actor.email.upper()})

    await services.parts.store.logged()
    entries = await kept(services.engine, "audit_log", action="second_factor.reset")
    assert (answer.status_code, answer.json()) == (200, {"id": lost.actor.id, "told": 2})
    assert (await client.get("/v1/auth/me", headers=lost.headers)).status_code == 401
    assert {entry["org_id"] for entry in entries} == {lost.organization.id, owner.organization.id}
    assert {entry["actor"]["id"] for entry in entries} == {operator.actor.id}


async def test_nobody_else_does_whatever_they_send(
    client: httpx.AsyncClient, owner: Person, town: Town, services: Services, clock: MovableClock
) -> None:
    lost = await town.member(owner.organization, Role.DEVELOPER)
    await turned_on(town, lost, clock)

    for body in ({"email": lost.actor.email}, {"nonsense": True}):
        assert_refused(await client.post(PATH, headers=owner.headers, json=body), OperatorOnly)

    (user,) = await kept(services.engine, "users", _id=lost.actor.id)
    assert user["totp_secret"]


async def test_of_nobody_and_of_who_has_none_there_is_nothing_to_take(
    client: httpx.AsyncClient, operator: Person, owner: Person
) -> None:
    for email, refusal in (("nobody@example.com", NotFound), (owner.actor.email, FactorIsOff)):
        assert_refused(await client.post(PATH, headers=operator.headers, json={"email": email}), refusal)


async def test_an_operators_own_takes_a_code(
    client: httpx.AsyncClient, operator: Person, town: Town, clock: MovableClock
) -> None:
    await turned_on(town, operator, clock)

    answer = await client.post(PATH, headers=operator.headers, json={"email": operator.actor.email})

    assert_refused(answer, OwnFactor)
