"""However often strangers ask for links, nobody's mailbox is filled and no link gets worse."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, links
from pulse_dash.core.work import Call
from pulse_dash.services import Services
from tests.core.linking import ADDRESS, NEW_PASSWORD, House
from tests.doubles import Mailbox, MovableClock
from tests.people import PASSWORD


@pytest.fixture
def house(mailing: Services, mailbox: Mailbox) -> House:
    return House(mailing, mailbox)


async def test_strangers_who_ask_again_make_a_link_that_was_just_mailed_no_worse(house: House) -> None:
    await house.proved()
    token, mailed = await house.reset_token(), len(house.mailbox.mails)
    for _ in range(20):
        await links.forgot(house.stranger, ADDRESS)
    await house.deliver()

    assert len(house.mailbox.mails) == mailed
    await links.reset(house.stranger, token, NEW_PASSWORD)


async def test_who_used_a_link_may_ask_for_another_at_once(house: House) -> None:
    await house.proved()
    await links.reset(house.stranger, await house.reset_token(), NEW_PASSWORD)

    await links.reset(house.stranger, await house.reset_token(), PASSWORD)

    assert (await house.log_in(PASSWORD)).user.email == ADDRESS


async def test_signing_up_again_and_again_under_an_address_fills_nobodys_mailbox(
    house: House, clock: MovableClock
) -> None:
    await house.proved()
    before = len(house.mailbox.mails)
    for _ in range(20):
        await house.sign_up()

    assert len(house.mailbox.mails) == before + 1
    clock.move(links.PAUSE.total_seconds())
    await house.sign_up()
    assert len(house.mailbox.mails) == before + 2


async def test_links_to_an_address_that_nobody_proved_are_few_for_each_network(house: House) -> None:
    before = len(house.mailbox.mails)
    for _ in range(10):
        await house.sign_up()
    assert len(house.mailbox.mails) == before + 3

    elsewhere = house.stranger._replace(call=Call(ip="198.51.100.9"))
    await accounts.sign_up(elsewhere, email=ADDRESS, password=PASSWORD, name="Ada", organization_name="Acme")
    await house.deliver()
    assert len(house.mailbox.mails) == before + 4
