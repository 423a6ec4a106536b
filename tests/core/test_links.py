"""Mailed links: each works once, for its time, for what it is for, and in the account that it was mailed to."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from pulse_dash.core import accounts, links, sessions
from pulse_dash.core.errors import Invalid, RateLimited, SignedOut, Unauthenticated
from pulse_dash.core.links import LinkSpent
from pulse_dash.services import Services
from tests.core.linking import ADDRESS, NEW_PASSWORD, House
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import PASSWORD


@pytest.fixture
def house(mailing: Services, mailbox: Mailbox) -> House:
    return House(mailing, mailbox)


async def test_an_address_is_unproved_until_its_link_is_used(house: House) -> None:
    made = await house.sign_up()
    assert made.user.verified_at is None

    user = await links.verify(house.stranger, house.mailbox.token_to(ADDRESS))

    assert user.verified_at is not None
    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, house.mailbox.token_to(ADDRESS))


async def test_the_link_leads_to_the_address_of_this_installation(house: House) -> None:
    await house.sign_up()

    assert house.mailbox.link_to(ADDRESS).startswith(f"{house.services.settings.public_url}/verify?token=usr_")


async def test_a_link_is_kept_as_a_hash_and_a_mail_sealed(house: House) -> None:
    house.mailbox.gone = True
    await house.sign_up()

    (user,) = await kept(house.services.engine, "users")
    (mail,) = await kept(house.services.engine, "mails")
    house.mailbox.gone = False
    house.services.parts.clock.move(3600)  # type: ignore[attr-defined]
    await house.deliver()

    secret = house.mailbox.token_to(ADDRESS).partition(".")[2]
    assert secret not in repr(user)
    assert secret not in repr(mail)


@pytest.mark.parametrize(
    "spoil", [lambda token: token[:-1], lambda token: token + "x", lambda _: "", lambda _: "usr_x.y"]
)
async def test_what_is_no_link_proves_nothing(house: House, spoil: Any) -> None:
    await house.sign_up()

    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, spoil(house.mailbox.token_to(ADDRESS)))


async def test_a_link_of_one_kind_does_nothing_of_the_other(house: House) -> None:
    await house.sign_up()
    verifies = house.mailbox.token_to(ADDRESS)
    resets = await house.reset_token()

    with pytest.raises(LinkSpent):
        await links.reset(house.stranger, verifies, NEW_PASSWORD)
    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, resets)


@pytest.mark.parametrize(("late", "works"), [(-1, True), (1, False)])
async def test_a_link_ends_with_its_time(house: House, clock: MovableClock, late: int, works: bool) -> None:
    await house.proved()
    token = await house.reset_token()
    clock.move(links.RESET_LIFE.total_seconds() + late)

    if works:
        await links.reset(house.stranger, token, NEW_PASSWORD)
    else:
        with pytest.raises(LinkSpent):
            await links.reset(house.stranger, token, NEW_PASSWORD)


async def test_a_newer_link_takes_the_older_ones_place(house: House, clock: MovableClock) -> None:
    await house.proved()
    first = await house.reset_token()
    clock.move(links.PAUSE.total_seconds())
    second = await house.reset_token()

    with pytest.raises(LinkSpent):
        await links.reset(house.stranger, first, NEW_PASSWORD)
    await links.reset(house.stranger, second, NEW_PASSWORD)


async def test_of_one_link_used_many_times_at_once_one_use_counts(house: House) -> None:
    await house.proved()
    token = await house.reset_token()

    outcomes = await asyncio.gather(
        *[links.reset(house.stranger, token, f"{NEW_PASSWORD} {number}") for number in range(8)], return_exceptions=True
    )

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkSpent) for outcome in outcomes) == 7


async def test_a_new_password_ends_every_sign_in(house: House) -> None:
    made = await house.proved()
    browser = await accounts.log_in(house.stranger, email=ADDRESS, password=PASSWORD, kind=sessions.DASHBOARD)
    assert made.started is not None
    assert browser.started is not None
    access, _ = await sessions.access_token(house.stranger, made.started)

    await links.reset(house.stranger, await house.reset_token(), NEW_PASSWORD)

    with pytest.raises(Unauthenticated):
        await sessions.recognize(house.stranger, access.reveal())
    with pytest.raises(Unauthenticated):
        await sessions.refresh(house.stranger, made.started.secret.reveal())
    with pytest.raises(SignedOut):
        await sessions.resume(house.stranger, browser.started.secret.reveal())
    with pytest.raises(Unauthenticated):
        await house.log_in(PASSWORD)
    assert (await house.log_in(NEW_PASSWORD)).user.id == made.user.id


@pytest.mark.parametrize("password", ["short", "password123", "PASSWORD123", "qwertyuiop", "x\0yyyyyyyyyy"])
async def test_a_password_that_anybody_would_try_is_refused_and_the_link_stays(house: House, password: str) -> None:
    await house.proved()
    token = await house.reset_token()

    with pytest.raises(Invalid):
        await links.reset(house.stranger, token, password)
    await links.reset(house.stranger, token, NEW_PASSWORD)


async def test_an_address_without_an_account_gets_no_mail(house: House) -> None:
    await links.forgot(house.stranger, "nobody@example.com")
    await house.deliver()

    assert house.mailbox.mails == []


async def test_signing_up_with_a_known_address_is_answered_alike_and_its_owner_is_told(house: House) -> None:
    owner = await house.proved()
    house.mailbox.mails.clear()

    second = await house.sign_up(password=NEW_PASSWORD)

    assert second.started is not None
    assert second.user.email == owner.user.email
    (told,) = house.mailbox.mails
    assert told.to == ADDRESS
    assert "has an account already" in told.text
    assert "token=" not in told.text
    assert (await house.log_in(PASSWORD)).user.id == owner.user.id
    with pytest.raises(Unauthenticated):
        await house.log_in(NEW_PASSWORD)


async def test_who_proves_an_address_puts_out_whoever_only_claimed_it(house: House) -> None:
    claimed = await house.sign_up()
    assert claimed.started is not None
    access, _ = await sessions.access_token(house.stranger, claimed.started)
    owner = await house.sign_up(password=NEW_PASSWORD)

    await links.verify(house.stranger, house.mailbox.token_to(ADDRESS))

    with pytest.raises(Unauthenticated):
        await sessions.recognize(house.stranger, access.reveal())
    with pytest.raises(Unauthenticated):
        await house.log_in(PASSWORD)
    assert (await house.log_in(NEW_PASSWORD)).user.id == owner.user.id


async def test_two_sign_ups_with_one_address_at_once_leave_one_holder(house: House) -> None:
    await asyncio.gather(*[house.sign_up() for _ in range(5)])

    holders = [user for user in await kept(house.services.engine, "users") if user.get("login") == ADDRESS]
    assert len(holders) == 1


async def test_the_first_mail_can_be_sent_again_and_not_once_it_was_used(house: House) -> None:
    made = await house.sign_up()
    assert made.started is not None
    work = house.services.as_(made.started.actor)
    await links.send_again(work)
    await house.deliver()
    await links.verify(house.stranger, house.mailbox.token_to(ADDRESS))
    sent = len(house.mailbox.mails)

    await links.send_again(work)
    await house.deliver()

    assert len(house.mailbox.mails) == sent


async def test_links_outlive_the_hour_for_proving_an_address(house: House, clock: MovableClock) -> None:
    await house.sign_up()
    clock.move(timedelta(days=1).total_seconds())

    assert (await links.verify(house.stranger, house.mailbox.token_to(ADDRESS))).verified_at is not None


# --- another address --------------------------------------------------------------------------------------------

ELSEWHERE = "ada@elsewhere.example"


async def moving(house: House) -> tuple[accounts.SignedIn, str]:
    """Somebody who asked to move, and the link that was mailed to the new address."""
    made = await house.proved()
    assert made.started is not None
    await links.move(house.services.as_(made.started.actor), password=PASSWORD, email=f" {ELSEWHERE.upper()} ")
    await house.deliver()
    return made, house.mailbox.token_to(ELSEWHERE)


async def test_nobody_moves_an_account_without_its_password(house: House) -> None:
    made = await house.proved()
    assert made.started is not None

    with pytest.raises(Unauthenticated):
        await links.move(house.stranger, password=PASSWORD, email=ELSEWHERE)
    with pytest.raises(Invalid) as refused:
        await links.move(house.services.as_(made.started.actor), password="not it, by far", email=ELSEWHERE)
    assert [wrong.field for wrong in refused.value.errors] == ["password"]


async def test_an_account_moves_once_the_link_at_the_new_address_is_opened(house: House) -> None:
    _, token = await moving(house)
    await house.log_in(PASSWORD)

    user = await links.verify(house.stranger, token)

    assert (user.email, user.verified_at is not None) == (ELSEWHERE, True)
    assert (await accounts.log_in(house.stranger, email=ELSEWHERE, password=PASSWORD)).user.id == user.id
    with pytest.raises(Unauthenticated):
        await house.log_in(PASSWORD)
    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, token)


async def test_the_old_address_is_told_when_it_is_asked_for_and_when_it_is_done(house: House) -> None:
    _, token = await moving(house)
    asked = [mail.subject for mail in house.mailbox.mails if mail.to == ADDRESS]

    await links.verify(house.stranger, token)
    await house.deliver()

    told = [mail for mail in house.mailbox.mails if mail.to == ADDRESS]
    assert asked[-1] == "Your account is about to move to another address"
    assert told[-1].subject == "Your account moved to another address"
    assert ELSEWHERE in told[-1].text


async def test_what_was_mailed_to_the_old_address_opens_nothing_afterwards(house: House) -> None:
    _, token = await moving(house)
    reset = await house.reset_token()

    await links.verify(house.stranger, token)

    with pytest.raises(LinkSpent):
        await links.reset(house.stranger, reset, NEW_PASSWORD)


async def test_moving_to_an_address_that_has_an_account_mails_no_link_and_says_nothing(house: House) -> None:
    made = await house.proved()
    assert made.started is not None
    await house.sign_up(ELSEWHERE)
    await links.verify(house.stranger, house.mailbox.token_to(ELSEWHERE))
    before = len(house.mailbox.mails)

    await links.move(house.services.as_(made.started.actor), password=PASSWORD, email=ELSEWHERE)
    await house.deliver()

    fresh = {mail.to: mail for mail in house.mailbox.mails[before:]}
    assert fresh.keys() == {ADDRESS, ELSEWHERE}
    assert "token=" not in fresh[ELSEWHERE].text


async def test_of_two_who_move_to_one_address_one_gets_it(house: House) -> None:
    _, first = await moving(house)
    other = await house.sign_up("other@example.com")
    await links.verify(house.stranger, house.mailbox.token_to("other@example.com"))
    assert other.started is not None
    await links.move(house.services.as_(other.started.actor), password=PASSWORD, email=ELSEWHERE)
    await house.deliver()
    second = house.mailbox.token_to(ELSEWHERE)

    outcomes = await asyncio.gather(
        links.verify(house.stranger, first), links.verify(house.stranger, second), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in outcomes) == ["LinkSpent", "User"]
    assert len(await kept(house.services.engine, "users", login=ELSEWHERE)) == 1


async def test_who_only_claimed_the_address_makes_room(house: House) -> None:
    made, _ = await moving(house)
    await house.sign_up(ELSEWHERE)
    house.services.parts.clock.move(60)  # type: ignore[attr-defined]
    assert made.started is not None
    await links.move(house.services.as_(made.started.actor), password=PASSWORD, email=ELSEWHERE)
    await house.deliver()

    await links.verify(house.stranger, house.mailbox.token_to(ELSEWHERE))

    assert (await accounts.log_in(house.stranger, email=ELSEWHERE, password=PASSWORD)).user.id == made.user.id


async def test_a_newer_address_replaces_the_one_that_was_asked_for_before(house: House) -> None:
    made, first = await moving(house)
    assert made.started is not None
    with pytest.raises(RateLimited):
        await links.move(house.services.as_(made.started.actor), password=PASSWORD, email="third@example.com")
    house.services.parts.clock.move(60)  # type: ignore[attr-defined]
    await links.move(house.services.as_(made.started.actor), password=PASSWORD, email="third@example.com")
    await house.deliver()

    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, first)
    assert (
        await links.verify(house.stranger, house.mailbox.token_to("third@example.com"))
    ).email == "third@example.com"


async def test_a_move_ends_after_two_days(house: House) -> None:
    _, token = await moving(house)
    house.services.parts.clock.move(links.VERIFY_LIFE.total_seconds())  # type: ignore[attr-defined]

    with pytest.raises(LinkSpent):
        await links.verify(house.stranger, token)


async def test_a_name_brings_no_link_into_a_mail_that_is_sent_to_somebody_else(house: House) -> None:
    lure = "Your account ends, see https://evil.example/now or www.evil.example or evil。example"
    await accounts.sign_up(
        house.stranger, email=ADDRESS, password=PASSWORD, name=lure, organization_name="Visit evil.example"
    )
    await house.deliver()

    (mail,) = [mail for mail in house.mailbox.mails if mail.to == ADDRESS]
    place = house.services.settings.public_url
    assert {link.partition("?")[0] for link in re.findall(r"https?://\S+", mail.text)} <= {
        f"{place}/verify",
        f"{place},",
    }
    assert re.findall(r"\bevil\.\w", mail.text + mail.subject) == []
