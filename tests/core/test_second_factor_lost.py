"""A second factor that is lost: an operator helps, all owners are told, and lost keys of ours lock nobody out."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from pulse_dash.core import accounts, factor_reset, mails, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.challenges import WrongCode
from pulse_dash.core.errors import NotFound, Unauthenticated
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.second_factor import FactorIsOff
from pulse_dash.services import Services, assemble
from tests.core.authenticator import log_in, turned_on
from tests.doubles import BreakableEngine, Mailbox, MovableClock, kept
from tests.people import PASSWORD, Town


async def test_an_operator_takes_it_away_and_all_owners_are_told(
    town: Town, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    owner, elsewhere = await town.person(), await town.person()
    person = await town.member(owner.organization, Role.VIEWER)
    second = await town.member(owner.organization, Role.OWNER)
    await turned_on(town, person, clock)
    machine = mailing.system("the command line")

    _, told = await factor_reset.reset(machine, f" {person.actor.email.upper()}")
    await mails.hand_over(machine)

    assert set(told) == {person.actor.email, owner.actor.email, second.actor.email}
    assert sorted(mail.to for mail in mailbox.mails) == sorted(told)
    assert elsewhere.actor.email not in told
    assert (await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)).started is not None
    with pytest.raises(Unauthenticated):
        await sessions.recognize(town.stranger, person.access_token)


async def test_the_reset_stands_in_the_log_of_each_of_their_organizations(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    person = await town.member(owner.organization, Role.VIEWER)
    await turned_on(town, person, clock)

    await factor_reset.reset(services.system("the command line"), person.actor.email)

    entries = await kept(services.engine, "audit_log", action="second_factor.reset")
    assert {entry["org_id"] for entry in entries} == {owner.organization.id, person.organization.id}


async def test_there_is_nothing_to_reset_of_nobody_and_of_who_has_none(town: Town, services: Services) -> None:
    person, machine = await town.person(), services.system("the command line")

    with pytest.raises(NotFound):
        await factor_reset.reset(machine, "nobody@example.com")
    with pytest.raises(FactorIsOff):
        await factor_reset.reset(machine, person.actor.email)


async def test_with_its_encryption_key_gone_recovery_codes_still_open(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    person = await town.person()
    app, codes = await turned_on(town, person, clock)
    changed = services.settings.model_copy(update={"encryption_keys": SecretStr("another-key-that-is-long-enough-1")})
    poorer = Town(assemble(changed, engine, clock, Passwords(password_cost=4)))

    with pytest.raises(WrongCode):
        await log_in(poorer, person, app.next_code())
    await log_in(poorer, person, codes[0])


async def test_with_another_jwt_secret_the_app_still_opens_and_recovery_codes_do_not(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    person = await town.person()
    app, codes = await turned_on(town, person, clock)
    changed = services.settings.model_copy(update={"jwt_secret": SecretStr("another-secret-that-is-long-enough")})
    poorer = Town(assemble(changed, engine, clock, Passwords(password_cost=4)))

    with pytest.raises(WrongCode):
        await log_in(poorer, person, codes[0])
    await log_in(poorer, person, app.next_code())
