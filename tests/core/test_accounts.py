"""Accounts: who may have one, what it takes, and that two never share an address."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from pulse_dash.core import accounts, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.accounts import EmailTaken, SignupClosed
from pulse_dash.core.errors import Invalid, NotFound, PulseError, RateLimited, Unauthenticated
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import PASSWORD, Town

FORM: dict[str, Any] = {
    "email": "new@example.com",
    "password": PASSWORD,
    "name": "New",
    "organization_name": "New & Co",
}


async def sign_up(town: Town, **changed: Any) -> accounts.SignedIn:
    return await accounts.sign_up(town.stranger, **{**FORM, **changed})


def governed(services: Services, engine: BreakableEngine, clock: MovableClock, policy: str) -> Town:
    """A town on the same store, under another sign-up policy."""
    changed = services.settings.model_copy(update={"signup": policy})
    return Town(assemble(changed, engine, clock, Passwords(password_cost=4)))


async def test_nobody_is_nobody(town: Town) -> None:
    with pytest.raises(Unauthenticated):
        await accounts.me(town.stranger)


async def test_a_projects_key_is_nobody_either(town: Town) -> None:
    with pytest.raises(Unauthenticated):
        await accounts.me(await town.by_key(await town.house()))


async def test_who_signs_up_owns_an_organization(town: Town) -> None:
    signed_in = await sign_up(town, name="  New  ", email=" New@Example.COM ")

    assert (signed_in.user.email, signed_in.user.name) == ("new@example.com", "New")
    assert [(held.organization.name, held.role) for held in signed_in.memberships] == [("New & Co", Role.OWNER)]
    assert signed_in.organization is not None
    assert signed_in.organization.plan == "free"


@pytest.mark.parametrize("email", ["new@example.com", "NEW@example.com", " new@EXAMPLE.com\t"])
async def test_an_address_has_one_account_however_it_is_written(town: Town, email: str) -> None:
    await sign_up(town)

    with pytest.raises(EmailTaken):
        await sign_up(town, email=email)


async def test_of_two_sign_ups_at_once_one_is_refused(town: Town, services: Services) -> None:
    outcomes = await asyncio.gather(*[sign_up(town) for _ in range(5)], return_exceptions=True)

    assert sum(isinstance(outcome, accounts.SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, EmailTaken) for outcome in outcomes) == 4
    assert await services.engine.collection("organizations").count_documents({}) == 1


WRONG: dict[str, dict[str, list[str]]] = {
    "email": {"email": ["", "x", "a@", "@b.c", "a@b@c.de", "a b@c.de", "a@b.c\x00", "x" * 400 + "@example.com"]},
    "password": {"password": ["", "x" * 9, "x" * 129, "nine\x00chars!", "line\nbreak!!"]},
    "name": {"name": ["", "  ", "x" * 129, "a\x00b", "a\nb"]},
    "organization_name": {"organization_name": ["", "\t", "x" * 129, "\x1b[2J"]},
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_can_not_be_taken_is_named(town: Town, field: str) -> None:
    for text in WRONG[field][field]:
        with pytest.raises(Invalid) as refused:
            await sign_up(town, **{field: text})
        assert [wrong.field for wrong in refused.value.errors] == [field]


@pytest.mark.parametrize("password", ["x" * 10, "x" * 128, "пароль-длинный", "𝕏" * 100])
async def test_a_password_counts_to_its_last_letter(town: Town, password: str) -> None:
    await sign_up(town, password=password)

    assert (await accounts.log_in(town.stranger, email=FORM["email"], password=password)).user.name == "New"
    for wrong in (password[:-1], password + "x", password.swapcase()):
        if wrong != password:
            with pytest.raises(Unauthenticated):
                await accounts.log_in(town.stranger, email=FORM["email"], password=wrong)


async def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(
    town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_up(town)
    checked: list[str | None] = []
    check = services.parts.passwords.check

    async def counted(password: str, hashed: str | None) -> bool:
        checked.append(hashed)
        return await check(password, hashed)

    monkeypatch.setattr(services.parts.passwords, "check", counted)
    for email in (FORM["email"], "nobody@example.com", "no address"):
        with pytest.raises(Unauthenticated):
            await accounts.log_in(town.stranger, email=email, password="wrong, and long")

    assert [hashed is None for hashed in checked] == [False, True, True]


async def test_a_closed_house_takes_nobody(services: Services, engine: BreakableEngine, clock: MovableClock) -> None:
    for policy in ("closed", "invite"):
        with pytest.raises(SignupClosed):
            await sign_up(governed(services, engine, clock, policy))


@pytest.mark.parametrize("policy", ["closed", "invite", "first"])
async def test_where_nobody_may_sign_up_nobody_learns_who_has(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock, policy: str
) -> None:
    await sign_up(town)

    with pytest.raises(SignupClosed):
        await sign_up(governed(services, engine, clock, policy))


async def test_the_first_account_is_let_in_and_no_second(
    services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    town = governed(services, engine, clock, "first")
    await sign_up(town)

    with pytest.raises(SignupClosed):
        await sign_up(town, email="second@example.com")


async def test_of_two_first_accounts_at_once_one_is_refused(
    services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    town = governed(services, engine, clock, "first")

    outcomes = await asyncio.gather(
        *[sign_up(town, email=f"{number}@example.com") for number in range(4)], return_exceptions=True
    )

    assert sum(isinstance(outcome, accounts.SignedIn) for outcome in outcomes) == 1
    assert all(isinstance(outcome, accounts.SignedIn | SignupClosed) for outcome in outcomes)


async def test_one_works_where_one_worked_last(town: Town) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.VIEWER)
    work = town.work(member)
    assert (await accounts.me(work)).organization == member.organization

    await accounts.use_organization(work, owner.organization.id)

    chosen = (await accounts.me(work)).organization
    assert chosen is not None
    assert chosen.id == owner.organization.id


async def test_nobody_works_in_an_organization_of_others(town: Town) -> None:
    owner, stranger = await town.person(), await town.person()

    with pytest.raises(NotFound):
        await accounts.use_organization(town.work(stranger), owner.organization.id)


async def test_too_many_sign_ins_at_once_are_turned_away_and_the_rest_is_served(town: Town) -> None:
    await sign_up(town)
    attempts = [accounts.log_in(town.stranger, email=FORM["email"], password=PASSWORD) for _ in range(80)]

    outcomes = await asyncio.gather(*attempts, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, PulseError)]
    assert {error.code for error in refused} <= {"unavailable"}
    assert len(outcomes) - len(refused) >= 64


async def test_a_password_is_changed_by_who_knows_the_present_one_and_ends_the_other_sign_ins(town: Town) -> None:
    person = await town.person()
    other = await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)
    assert other.started is not None

    with pytest.raises(Invalid):
        await accounts.change_password(town.work(person), present="not it, by far", password="another sentence")
    with pytest.raises(Invalid):
        await accounts.change_password(town.work(person), present=PASSWORD, password="short")
    await accounts.change_password(town.work(person), present=PASSWORD, password="another sentence")

    await sessions.recognize(town.stranger, person.access_token)
    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, other.started.secret.reveal())
    with pytest.raises(Unauthenticated):
        await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)
    await accounts.log_in(town.stranger, email=person.actor.email, password="another sentence")


async def test_ten_wrong_present_passwords_slow_down_as_signing_in_does(town: Town) -> None:
    work = town.work(await town.person())
    for _ in range(10):
        with suppress(Invalid):
            await accounts.change_password(work, present="not it, by far", password="another sentence")

    with pytest.raises(RateLimited):
        await accounts.change_password(work, present=PASSWORD, password="another sentence")


async def test_a_name_is_changed_and_the_entry_says_from_what(town: Town, services: Services) -> None:
    person = await town.person("Ada")

    await accounts.rename(town.work(person), " Grace ")

    assert (await accounts.me(town.work(person))).user.name == "Grace"
    (entry,) = await services.parts.store.people.opened(await kept(services.engine, "audit_log", action="user.renamed"))
    assert entry["changes"] == {"name": {"before": "Ada", "after": "Grace"}}
