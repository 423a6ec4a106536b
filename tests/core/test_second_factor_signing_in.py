"""Signing in with a second factor: a password alone opens nothing, and a code counts once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from pulse_dash.core import accounts, audit, challenges, links, mails, second_factor, sessions
from pulse_dash.core.audit import Filters
from pulse_dash.core.challenges import ChallengeOver, SecondFactorRequired, WrongCode
from pulse_dash.core.errors import Invalid, RateLimited, Unauthenticated
from pulse_dash.services import Services
from tests.core.authenticator import challenge_of, log_in, turned_on
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import PASSWORD, Town


async def test_a_password_alone_opens_nothing(town: Town, services: Services, clock: MovableClock) -> None:
    person = await town.person()
    await turned_on(town, person, clock)
    before = len(await kept(services.engine, "sessions"))

    challenge = await challenge_of(town, person)

    assert len(await kept(services.engine, "sessions")) == before
    with pytest.raises(Unauthenticated):
        await sessions.recognize(town.stranger, challenge)


async def test_password_and_code_sign_in(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)

    signed_in = await log_in(town, person, app.next_code())

    assert signed_in.user.id == person.actor.id
    assert signed_in.started is not None


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_clock_may_differ_by_half_a_minute(town: Town, clock: MovableClock, steps: int) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)
    clock.move(120)

    await log_in(town, person, f" {app.code(steps)[:3]} {app.code(steps)[3:]} ")


@pytest.mark.parametrize("steps", [-2, 2])
async def test_an_older_or_later_code_is_none(town: Town, clock: MovableClock, steps: int) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)
    clock.move(120)

    with pytest.raises(WrongCode):
        await log_in(town, person, app.code(steps))


async def test_a_code_counts_once_and_so_does_the_one_that_turned_it_on(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)
    with pytest.raises(WrongCode):
        await log_in(town, person, app.code())
    code = app.next_code()
    await log_in(town, person, code)

    for replayed in (code, app.code(-1)):
        with pytest.raises(WrongCode):
            await log_in(town, person, replayed)


async def test_of_one_code_sent_many_times_at_once_one_counts(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, recovery = await turned_on(town, person, clock)
    challenge = await challenge_of(town, person)
    for code in (app.next_code(), recovery[0]):
        outcomes = await asyncio.gather(
            *[accounts.log_in_with_code(town.stranger, challenge=challenge, code=code) for _ in range(8)],
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, accounts.SignedIn) for outcome in outcomes) == 1
        assert all(isinstance(outcome, accounts.SignedIn | WrongCode | RateLimited) for outcome in outcomes)


async def test_two_recovery_codes_at_once_both_count_and_both_are_gone(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    _, codes = await turned_on(town, person, clock)
    challenge = await challenge_of(town, person)

    await asyncio.gather(
        *[accounts.log_in_with_code(town.stranger, challenge=challenge, code=code) for code in codes[:2]]
    )

    assert (await second_factor.standing(town.work(person))).codes_left == 8


async def test_a_recovery_code_is_read_as_people_write_it(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    _, codes = await turned_on(town, person, clock)

    await log_in(town, person, codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "L"))
    with pytest.raises(WrongCode):
        await log_in(town, person, codes[0])


async def test_a_recovery_code_of_somebody_else_opens_nothing(town: Town, clock: MovableClock) -> None:
    person, other = await town.person(), await town.person()
    await turned_on(town, person, clock)
    _, theirs = await turned_on(town, other, clock)

    with pytest.raises(WrongCode):
        await log_in(town, person, theirs[0])


async def test_ten_wrong_codes_slow_the_account_down_and_nobody_else(town: Town, clock: MovableClock) -> None:
    person, other = await town.person(), await town.person()
    app, _ = await turned_on(town, person, clock)
    other_app, _ = await turned_on(town, other, clock)
    challenge = await challenge_of(town, person)
    for _ in range(10):
        with suppress(WrongCode):
            await accounts.log_in_with_code(town.stranger, challenge=challenge, code="000000")

    with pytest.raises(RateLimited):
        await accounts.log_in_with_code(town.stranger, challenge=challenge, code=app.code())
    await log_in(town, other, other_app.next_code())
    await log_in(town, person, app.next_code())


async def test_wrong_codes_stand_in_the_log_the_first_at_once_and_the_rest_of_a_minute_as_one(
    town: Town, services: Services, clock: MovableClock
) -> None:
    person, other = await town.person(), await town.person()
    await turned_on(town, person, clock)
    challenge = await challenge_of(town, person)
    for _ in range(4):
        with pytest.raises(WrongCode):
            await accounts.log_in_with_code(town.stranger, challenge=challenge, code="000000")
    before = await kept(services.engine, "audit_log", action="second_factor.code_wrong")

    clock.move(61)
    await services.system("a test").store.refusals.close(clock.now())

    first, rest = await kept(services.engine, "audit_log", action="second_factor.code_wrong")
    assert [first] == before
    assert {(each["status"], each["actor"]["id"], each["org_id"]) for each in (first, rest)} == {
        ("failure", person.actor.id, person.organization.id)
    }
    assert (first["changes"], rest["changes"]) == ({}, {"again": {"before": None, "after": 3}})
    seen = await audit.listing(town.work(other), Filters(action="second_factor.code_wrong"))
    assert seen.items == []


async def test_a_wrong_code_of_somebody_who_is_signed_in_stands_there_too(
    town: Town, services: Services, clock: MovableClock
) -> None:
    person = await town.person()
    await turned_on(town, person, clock)

    with pytest.raises(Invalid):
        await second_factor.turn_off(town.work(person), "000000")

    assert len(await kept(services.engine, "audit_log", action="second_factor.code_wrong")) == 1


async def test_at_the_tenth_wrong_code_in_a_row_the_person_is_told_once(
    town: Town, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    person, here = await town.person(), Town(mailing)
    app, _ = await turned_on(town, person, clock)
    told: list[int] = []
    for wrong in (9, 10, 5):
        await log_in(here, person, app.next_code())
        challenge = await challenge_of(here, person)
        for _ in range(wrong):
            with pytest.raises(WrongCode):
                await accounts.log_in_with_code(here.stranger, challenge=challenge, code="000000")
        await mails.hand_over(here.stranger)
        told.append(len([mail for mail in mailbox.mails if mail.to == person.actor.email]))

    assert told == [0, 1, 1]
    assert "10 wrong codes" in mailbox.mails[-1].text


async def test_many_wrong_codes_at_once_are_slowed_down_too(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    await turned_on(town, person, clock)
    challenge = await challenge_of(town, person)

    outcomes = await asyncio.gather(
        *[accounts.log_in_with_code(town.stranger, challenge=challenge, code="000000") for _ in range(50)],
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, WrongCode) for outcome in outcomes) == 10


async def test_a_challenge_ends_after_five_minutes(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)
    challenge = await challenge_of(town, person)
    clock.move(challenges.LIFE.total_seconds())

    with pytest.raises(ChallengeOver):
        await accounts.log_in_with_code(town.stranger, challenge=challenge, code=app.code())


async def test_a_challenge_is_over_once_the_password_is_another_or_the_factor_is_gone(
    town: Town, clock: MovableClock
) -> None:
    person, other = await town.person(), await town.person()
    app, _ = await turned_on(town, person, clock)
    other_app, _ = await turned_on(town, other, clock)
    changed, gone = await challenge_of(town, person), await challenge_of(town, other)
    await accounts.change_password(town.work(person), present=PASSWORD, password="another sentence")
    await second_factor.turn_off(town.work(other), other_app.next_code())

    for challenge, one in ((changed, app), (gone, other_app)):
        with pytest.raises(ChallengeOver):
            await accounts.log_in_with_code(town.stranger, challenge=challenge, code=one.next_code())


async def test_what_is_no_challenge_of_this_kind_opens_nothing(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, _ = await turned_on(town, person, clock)
    of_a_form = await challenge_of(town, person, sessions.DASHBOARD)
    for text in ("", "x", "a.b.c", person.access_token, of_a_form, of_a_form[:-2]):
        with pytest.raises(ChallengeOver):
            await accounts.log_in_with_code(town.stranger, challenge=text, code=app.next_code())


async def test_a_new_password_by_mail_takes_no_second_factor_away(
    town: Town, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    person = await town.person()
    await turned_on(town, person, clock)
    mailed = Town(mailing)
    await links.forgot(mailed.stranger, person.actor.email)
    await mails.hand_over(mailed.stranger)

    await links.reset(mailed.stranger, mailbox.token_to(person.actor.email), "another sentence")

    with pytest.raises(SecondFactorRequired):
        await accounts.log_in(town.stranger, email=person.actor.email, password="another sentence")
