"""The second factor: it is on once the app has shown that it knows, and off by a code."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, personal_tokens, second_factor, sessions
from pulse_dash.core.challenges import WrongCode
from pulse_dash.core.errors import Invalid, Unauthenticated
from pulse_dash.core.second_factor import FactorIsOff, FactorIsOn, SetupOver
from pulse_dash.core.sessions import NotByToken
from pulse_dash.services import Services
from tests.core.authenticator import App, log_in, turned_on
from tests.doubles import MovableClock, kept
from tests.people import PASSWORD, Town


async def test_nobody_and_no_token_reaches_anybodys_second_factor(town: Town) -> None:
    person = await town.person()
    made = await personal_tokens.create(town.work(person), name="script", expires_in_days=1)
    by_token = town.services.as_(await personal_tokens.recognize(town.stranger, made.secret.reveal()))
    for work, refusal in ((town.stranger, Unauthenticated), (by_token, NotByToken)):
        for act in (second_factor.standing, lambda w: second_factor.begin(w, password=PASSWORD)):
            with pytest.raises(refusal):
                await act(work)


async def test_setting_it_up_asks_for_the_password(town: Town) -> None:
    person = await town.person()

    with pytest.raises(Invalid) as refused:
        await second_factor.begin(town.work(person), password="not it, by far")

    assert [wrong.field for wrong in refused.value.errors] == ["password"]
    with pytest.raises(SetupOver):
        await second_factor.confirm(town.work(person), "000000")


async def test_nothing_is_on_until_the_app_has_shown_that_it_knows(town: Town) -> None:
    person = await town.person()
    await second_factor.begin(town.work(person), password=PASSWORD)

    with pytest.raises(Invalid):
        await second_factor.confirm(town.work(person), "000000")

    assert not (await second_factor.standing(town.work(person))).on
    assert (await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)).started is not None


async def test_what_an_app_reads_names_the_account_and_the_place(town: Town) -> None:
    person = await town.person()

    setup = await second_factor.begin(town.work(person), password=PASSWORD)

    uri = setup.uri.reveal()
    assert uri.startswith("otpauth://totp/Pulse%20localhost:")
    assert person.actor.email.replace("@", "%40") in uri
    assert f"secret={setup.secret.reveal()}" in uri


async def test_a_setup_ends_after_a_quarter_of_an_hour(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    setup = await second_factor.begin(town.work(person), password=PASSWORD)
    clock.move(15 * 60)

    with pytest.raises(SetupOver):
        await second_factor.confirm(town.work(person), App(setup.secret.reveal(), clock).code())


async def test_once_on_the_other_sign_ins_end_and_there_is_no_second_one(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    other = await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)
    assert other.started is not None

    await turned_on(town, person, clock)

    await sessions.recognize(town.stranger, person.access_token)
    with pytest.raises(Unauthenticated):
        await sessions.refresh(town.stranger, other.started.secret.reveal())
    with pytest.raises(FactorIsOn):
        await second_factor.begin(town.work(person), password=PASSWORD)
    standing = await second_factor.standing(town.work(person))
    assert (standing.on, standing.codes_left) == (True, 10)


async def test_turning_it_off_needs_a_code_and_then_the_password_is_enough(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, codes = await turned_on(town, person, clock)
    for wrong in ("", "000000", codes[0][:-1], app.code()):
        with pytest.raises(Invalid):
            await second_factor.turn_off(town.work(person), wrong)

    await second_factor.turn_off(town.work(person), app.next_code())

    await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)
    with pytest.raises(FactorIsOff):
        await second_factor.turn_off(town.work(person), app.next_code())


async def test_new_recovery_codes_replace_those_before(town: Town, clock: MovableClock) -> None:
    person = await town.person()
    app, old = await turned_on(town, person, clock)

    new = [code.reveal() for code in await second_factor.renew_codes(town.work(person), app.next_code())]

    assert len({*old, *new}) == 20
    with pytest.raises(WrongCode):
        await log_in(town, person, old[0])
    await log_in(town, person, new[0])


async def test_what_is_kept_shows_neither_secret_nor_codes(town: Town, services: Services, clock: MovableClock) -> None:
    person = await town.person()
    setup = await second_factor.begin(town.work(person), password=PASSWORD)
    codes = await second_factor.confirm(town.work(person), App(setup.secret.reveal(), clock).code())

    (document,) = await kept(services.engine, "users", _id=person.actor.id)
    for secret in (setup.secret, *codes):
        assert secret.reveal() not in repr(document)
        assert secret.reveal().replace("-", "") not in repr(document)


async def test_each_step_is_in_the_log(town: Town, services: Services, clock: MovableClock) -> None:
    person = await town.person()
    app, codes = await turned_on(town, person, clock)
    await log_in(town, person, codes[0])
    await second_factor.renew_codes(town.work(person), app.next_code())
    await second_factor.turn_off(town.work(person), app.next_code())

    entries = [each for each in await kept(services.engine, "audit_log") if each["action"].startswith("second_factor")]
    steps = ["enabled", "recovery_code_used", "codes_renewed", "disabled"]
    assert [entry["action"] for entry in sorted(entries, key=lambda each: each["_id"])] == [
        f"second_factor.{step}" for step in steps
    ]
    assert {entry["actor"]["id"] for entry in entries} == {person.actor.id}
