"""Mails are kept until they are handed over, at least once, and never by two at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from pulse_dash.adapters.smtp import BadAddress, Server, SmtpPost, message
from pulse_dash.core import mails
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.mail import Mail
from pulse_dash.core.secret import Secret
from pulse_dash.services import Services
from tests.doubles import Mailbox, MovableClock, kept
from tests.engines.process import free_port
from tests.people import HOSTILE

MAIL = Mail("ada@example.com", f"Hello {HOSTILE}\r\nBcc: everybody@example.com", "Some text.\n")


async def _post(services: Services) -> None:
    await mails.post(services.system("a test"), MAIL)


async def _hand_over(services: Services) -> int:
    return await mails.hand_over(services.system("a test"))


async def test_a_mail_arrives_once_and_what_it_said_is_forgotten(mailing: Services, mailbox: Mailbox) -> None:
    await _post(mailing)

    assert [await _hand_over(mailing), await _hand_over(mailing)] == [1, 0]
    assert [mail.text for mail in mailbox.mails] == [MAIL.text]
    (document,) = await kept(mailing.engine, "mails")
    assert "sealed" not in document
    assert "due_at" not in document


async def test_a_mail_server_that_is_away_delays_and_loses_nothing(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.gone = True
    await _post(mailing)
    assert await _hand_over(mailing) == 0
    mailbox.gone = False
    assert await _hand_over(mailing) == 0

    clock.move(mails.PAUSES[0].total_seconds())

    assert await _hand_over(mailing) == 1


async def test_a_mail_is_given_up_after_its_last_pause(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.gone = True
    await _post(mailing)

    for pause in (*mails.PAUSES, *mails.PAUSES[-1:]):
        await _hand_over(mailing)
        clock.move(pause.total_seconds())

    (document,) = await kept(mailing.engine, "mails")
    assert document["attempts"] == len(mails.PAUSES) + 1
    assert document["given_up_at"] is not None
    assert "sealed" not in document


async def test_of_many_who_hand_over_at_once_each_mail_has_one(mailing: Services, mailbox: Mailbox) -> None:
    for _ in range(20):
        await _post(mailing)

    await asyncio.gather(*(_hand_over(mailing) for _ in range(10)))

    assert len(mailbox.mails) == 20


async def test_who_claimed_a_mail_and_died_only_delays_it(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await _post(mailing)
    await mailing.system("a test").store.mails.claim(clock.now(), until=clock.now())

    assert await _hand_over(mailing) == 1


async def test_ten_thousand_that_go_to_many_delay_no_mail_for_a_person(mailing: Services, mailbox: Mailbox) -> None:
    work = mailing.system("a test")
    for number in range(10_000):
        many = Mail(f"subscriber{number}@example.com", "Down: LiveKit", "We look.\n")
        await mails.post(work, many, once=f"sub_{number}", to_many=True)
    await _hand_over(mailing)
    before = len(mailbox.mails)
    await _post(mailing)
    await _hand_over(mailing)

    assert mailbox.mails[before].to == "ada@example.com"
    # The others go on as they came, in the same round.
    assert mailbox.mails[before + 1].to == f"subscriber{before}@example.com"


async def test_one_of_many_that_is_put_off_stays_behind_the_others(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    mailbox.gone = True
    await mails.post(mailing.system("a test"), replace(MAIL, to="bob@example.com"), to_many=True)
    await _hand_over(mailing)
    mailbox.gone = False
    clock.move(mails.PAUSES[0].total_seconds())
    await _post(mailing)
    await _hand_over(mailing)

    assert [mail.to for mail in mailbox.mails] == ["ada@example.com", "bob@example.com"]


class _Taken:
    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        self.envelopes.append(envelope)
        return "250 Taken"


async def test_a_real_server_gets_it_as_it_is() -> None:
    taken = _Taken()
    server = Controller(taken, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        url = Secret(f"smtp://127.0.0.1:{server.port}?from=pulse@example.com")
        await SmtpPost(Server.read(url, sender="x@y.z")).send(Mail("ada@example.com", "Hello Ω", "Some text, Ω.\n"))
    finally:
        server.stop()

    (envelope,) = taken.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("pulse@example.com", ["ada@example.com"])
    assert isinstance(envelope.content, bytes)
    assert b"Subject: Hello =?utf-8?q?=CE=A9?=" in envelope.content


async def test_a_server_that_is_not_there_is_unavailable_and_no_address_is_told() -> None:
    post = SmtpPost(Server.read(Secret("smtp://127.0.0.1:1"), sender="pulse@example.com"))

    with pytest.raises(Unavailable) as away:
        await post.send(MAIL_OF_ONE_LINE)

    assert "ada@example.com" not in away.value.detail


MAIL_OF_ONE_LINE = Mail("ada@example.com", "Hello", "Some text.\n")


async def test_a_subject_brings_no_header_of_its_own(mailing: Services, mailbox: Mailbox) -> None:
    await _post(mailing)
    await _hand_over(mailing)

    made = message(mailbox.mails[0], "pulse@example.com")

    assert made["Bcc"] is None
    assert "\n" not in str(made["Subject"])


@pytest.mark.parametrize("url", ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://a:b@c:port"])
def test_an_address_of_no_mail_server_is_told_without_its_password(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        Server.read(Secret(url), sender="x@y.z")

    assert "a:b" not in str(refused.value)
