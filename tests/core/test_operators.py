"""Operators are made on the machine; the first account is one, and nobody is who has not proved the address."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, operators, sessions
from pulse_dash.core.errors import Conflict, Invalid, NotFound
from pulse_dash.services import Services
from tests.doubles import kept
from tests.people import Person, Town


async def _now(town: Town, person: Person) -> bool:
    return (await sessions.recognize(town.stranger, person.access_token)).operator


async def test_the_first_account_runs_the_installation_and_the_second_does_not(town: Town) -> None:
    first, second = await town.person(), await town.person()

    assert (await _now(town, first), await _now(town, second)) == (True, False)


async def test_who_is_appointed_is_one_at_once_and_who_is_dismissed_no_longer(town: Town, services: Services) -> None:
    await town.person()
    person = await town.person()
    machine = services.system("the machine")

    await operators.appoint(machine, person.actor.email.upper())
    assert await _now(town, person)
    assert person.actor.email in [user.email for user in await operators.listing(machine)]

    await operators.dismiss(machine, person.actor.email)
    assert not await _now(town, person)


async def test_an_address_without_an_account_is_said_so(services: Services) -> None:
    with pytest.raises(NotFound, match=r"nobody@example\.com"):
        await operators.appoint(services.system("the machine"), "nobody@example.com")


async def test_an_address_that_nobody_has_proved_takes_the_word_of_whoever_appoints(mailing: Services) -> None:
    town = Town(mailing)
    await town.person()
    person, machine = await town.person(), mailing.system("the machine")

    with pytest.raises(Conflict, match="--vouch"):
        await operators.appoint(machine, person.actor.email)
    appointed = await operators.appoint(machine, person.actor.email, vouched=True)

    assert appointed.operator
    assert appointed.verified_at is not None
    told = {entry["action"] for entry in await kept(mailing.engine, "audit_log")}
    assert {"operator.added", "user.verified"} <= told


async def test_no_address_is_said_so(services: Services) -> None:
    with pytest.raises(Invalid):
        await operators.appoint(services.system("the machine"), " ")


async def test_who_has_not_proved_the_address_is_none(mailing: Services) -> None:
    town = Town(mailing)
    made = await accounts.sign_up(
        town.stranger, email="ada@example.com", password="a sentence is fine", name="Ada", organization_name="Acme"
    )
    assert made.started is not None

    assert made.user.operator
    assert not made.started.actor.operator
