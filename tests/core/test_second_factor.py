"""The second factor: a password alone opens nothing, a code counts once, and an operator helps who lost it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from pydantic import SecretStr
from pyotp.totp import TOTP

from pulse_dash.core import accounts, challenges, links, mails, organizations, personal_tokens, second_factor, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.challenges import ChallengeOver, SecondFactorRequired, WrongCode
from pulse_dash.core.errors import Invalid, NotFound, RateLimited, SecondFactorNeeded, Unauthenticated
from pulse_dash.core.organizations import FactorFirst
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.second_factor import FactorIsOff, FactorIsOn, SetupOver
from pulse_dash.core.sessions import NotByToken
from pulse_dash.services import Services, assemble
from tests.doubles import BreakableEngine, Mailbox, MovableClock, kept
from tests.people import PASSWORD, Person, Town


class App:
    """An authenticator app: it knows the secret and the time, and nothing else."""

    def __init__(self, secret: str, clock: MovableClock) -> None:
        self._totp, self._clock = TOTP(secret), clock

    def code(self, steps: int = 0) -> str:
        return self._totp.generate_otp(int(self._clock.time()) // 30 + steps)

    def next_code(self) -> str:
        """One that was never shown before."""
        self._clock.move(60)
        return self.code()


async def turned_on(town: Town, person: Person, clock: MovableClock) -> tuple[App, list[str]]:
    """Their app and their recovery codes."""
    setup = await second_factor.begin(town.work(person), password=PASSWORD)
    app = App(setup.secret.reveal(), clock)
    codes = await second_factor.confirm(town.work(person), app.code())
    return app, [code.reveal() for code in codes]


async def challenge_of(town: Town, person: Person, kind: str = sessions.API) -> str:
    """The first half of signing in."""
    with pytest.raises(SecondFactorRequired) as asked:
        await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD, kind=kind)
    return asked.value.challenge.reveal()


async def log_in(town: Town, person: Person, code: str) -> accounts.SignedIn:
    return await accounts.log_in_with_code(town.stranger, challenge=await challenge_of(town, person), code=code)


# --- turning it on and off --------------------------------------------------------------------------------------


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


# --- signing in -------------------------------------------------------------------------------------------------


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


# --- an organization that asks for it ---------------------------------------------------------------------------


async def asking(town: Town, clock: MovableClock) -> Person:
    """An owner whose organization asks everybody for a second factor."""
    owner = await town.person()
    await turned_on(town, owner, clock)
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)
    return owner


async def now(town: Town, person: Person) -> Person:
    """The person with the roles of this moment."""
    actor = await sessions.recognize(town.stranger, person.access_token)
    return Person(actor, person.organization, person.access_token, person.refresh_token)


async def test_an_owner_without_one_does_not_ask_it_of_others(town: Town) -> None:
    owner = await town.person()

    with pytest.raises(FactorFirst):
        await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)


async def test_whoever_has_none_is_held_back_at_once_with_their_tokens_and_nowhere_else(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    member = await town.member(owner.organization, Role.ADMIN)
    token = await personal_tokens.create(town.work(member), name="script", expires_in_days=1)
    await turned_on(town, owner, clock)
    await organizations.read(town.work(await now(town, member)), owner.organization.id)

    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)

    script = services.as_(await personal_tokens.recognize(town.stranger, token.secret.reveal()))
    for work in (town.work(await now(town, member)), script):
        with pytest.raises(SecondFactorNeeded):
            await organizations.read(work, owner.organization.id)
        with pytest.raises(SecondFactorNeeded):
            await work.store.projects.get(house.id)
        await organizations.read(work, member.organization.id)
        assert [each.id for each in (await organizations.listing(work)).items] == [member.organization.id]


async def test_a_stranger_learns_nothing_of_what_an_organization_asks(town: Town, clock: MovableClock) -> None:
    owner, stranger = await asking(town, clock), await town.person()

    with pytest.raises(NotFound):
        await organizations.read(town.work(stranger), owner.organization.id)


async def test_who_sets_one_up_is_in_again(town: Town, clock: MovableClock) -> None:
    owner = await asking(town, clock)
    member = await town.member(owner.organization, Role.VIEWER)
    held = next(each for each in (await accounts.me(town.work(member))).memberships if each.held_back)
    assert held.organization.id == owner.organization.id

    await turned_on(town, member, clock)

    work = town.work(await now(town, member))
    await organizations.read(work, owner.organization.id)
    assert not any(each.held_back for each in (await accounts.me(work)).memberships)


async def test_a_projects_key_goes_on_working(town: Town, clock: MovableClock) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await turned_on(town, owner, clock)
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)

    await (await town.by_key(house)).store.projects.get(house.id)


async def test_what_an_organization_asks_is_in_the_log_with_before_and_after(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await asking(town, clock)

    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=False)

    changes = [entry["changes"] for entry in await kept(services.engine, "audit_log", action="organization.updated")]
    asked, not_asked = {"before": False, "after": True}, {"before": True, "after": False}
    assert changes == [{"requires_second_factor": asked}, {"requires_second_factor": not_asked}]


# --- when it is lost --------------------------------------------------------------------------------------------


async def test_an_operator_takes_it_away_and_all_owners_are_told(
    town: Town, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    owner, elsewhere = await town.person(), await town.person()
    person = await town.member(owner.organization, Role.VIEWER)
    second = await town.member(owner.organization, Role.OWNER)
    await turned_on(town, person, clock)
    machine = mailing.system("the command line")

    _, told = await second_factor.reset(machine, f" {person.actor.email.upper()}")
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

    await second_factor.reset(services.system("the command line"), person.actor.email)

    entries = await kept(services.engine, "audit_log", action="second_factor.reset")
    assert {entry["org_id"] for entry in entries} == {owner.organization.id, person.organization.id}


async def test_there_is_nothing_to_reset_of_nobody_and_of_who_has_none(town: Town, services: Services) -> None:
    person, machine = await town.person(), services.system("the command line")

    with pytest.raises(NotFound):
        await second_factor.reset(machine, "nobody@example.com")
    with pytest.raises(FactorIsOff):
        await second_factor.reset(machine, person.actor.email)


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


async def test_another_node_holds_back_and_lets_in_as_soon_as_it_reads_of_it(
    town: Town, services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.VIEWER)
    await turned_on(town, owner, clock)
    node = assemble(services.settings, engine, clock, Passwords(password_cost=4))
    await node.feed.read()

    async def there() -> str:
        actor = await sessions.recognize(Town(node).stranger, member.access_token)
        try:
            await organizations.read(node.as_(actor), owner.organization.id)
        except SecondFactorNeeded:
            return "held back"
        return "in"

    assert await there() == "in"
    await organizations.change(town.work(owner), owner.organization.id, requires_second_factor=True)
    await node.feed.read()
    assert await there() == "held back"
    await turned_on(town, member, clock)
    await node.feed.read()
    assert await there() == "in"


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
