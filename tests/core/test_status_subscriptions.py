"""Mails about incidents: to nobody who did not confirm, once for each event, and none after the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from pulse_dash.adapters.smtp import Server, SmtpPost
from pulse_dash.core import incidents, mails, status_notices, status_subscriptions
from pulse_dash.core.access import Anonymous, UserActor
from pulse_dash.core.errors import Invalid, RateLimited, Unavailable
from pulse_dash.core.incidents import Incident
from pulse_dash.core.links import LinkSpent
from pulse_dash.core.secret import Secret
from pulse_dash.core.status_subscriptions import LIFE, PAUSE, MailNotConfigured
from pulse_dash.core.work import Call, Work
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, Mailbox, MovableClock, kept
from tests.engines.process import free_port
from tests.people import Town

ADDRESS = "ada@example.com"


def nobody(services: Services) -> Work:
    return services.as_(Anonymous())


async def deliver(services: Services) -> None:
    work = services.system("a test")
    await status_notices.spread(work)
    await mails.hand_over(work)


async def subscribe(services: Services, mailbox: Mailbox, address: str = ADDRESS) -> None:
    await status_subscriptions.by_mail(nobody(services), address)
    await deliver(services)
    await status_subscriptions.confirm(nobody(services), mailbox.token_to(address))
    mailbox.mails.clear()


@pytest.fixture
async def mailing(mailing: Services, mailbox: Mailbox) -> Services:
    """A house that mails, with an operator whose own mails are gone."""
    await Town(mailing).person("Olga")
    await mails.hand_over(mailing.system("a test"))
    mailbox.mails.clear()
    return mailing


async def operator(services: Services) -> Work:
    (user,) = await kept(services.engine, "users")
    return services.as_(UserActor(user["_id"], "Olga", user["email"], "", operator=True))


async def opened(services: Services, **more: object) -> Incident:
    work = await operator(services)
    return await incidents.declare(work, title="Slow joins", body="We look.", components=["livekit"], **more)  # type: ignore[arg-type]


async def test_without_a_mail_server_nothing_is_taken(services: Services) -> None:
    with pytest.raises(MailNotConfigured):
        await status_subscriptions.by_mail(nobody(services), ADDRESS)


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "a" * 320 + "@example.com", "ada@example.com\nBcc: b@example.com"]
)
async def test_what_is_no_address_is_refused(mailing: Services, address: str) -> None:
    with pytest.raises(Invalid):
        await status_subscriptions.by_mail(nobody(mailing), address)


async def test_who_did_not_confirm_is_told_nothing(mailing: Services, mailbox: Mailbox, clock: MovableClock) -> None:
    await status_subscriptions.by_mail(nobody(mailing), ADDRESS)
    await deliver(mailing)
    await opened(mailing)
    await deliver(mailing)

    assert [mail.subject for mail in mailbox.mails] == ["Confirm that you want to be told of incidents"]


async def test_each_word_on_an_incident_is_told_once(mailing: Services, mailbox: Mailbox, clock: MovableClock) -> None:
    await subscribe(mailing, mailbox)
    clock.move(60)
    told = await opened(mailing)
    await deliver(mailing)
    work = await operator(mailing)
    await incidents.update(work, told.id, status="identified", body="A full disk.")
    await deliver(mailing)
    await incidents.update(work, told.id, status="resolved", body="Mended.")
    await deliver(mailing)
    await deliver(mailing)

    assert [mail.subject for mail in mailbox.mails] == [
        "Investigating: Slow joins",
        "Identified: Slow joins",
        "Resolved: Slow joins",
    ]
    assert "Affects: LiveKit" in mailbox.mails[0].text
    assert f"/status#{told.id}" in mailbox.mails[0].text


async def test_a_post_mortem_alone_mails_nobody(mailing: Services, mailbox: Mailbox) -> None:
    await subscribe(mailing, mailbox)
    told = await opened(mailing)
    await deliver(mailing)
    mailbox.mails.clear()

    await incidents.update(await operator(mailing), told.id, postmortem="A full disk.")
    await deliver(mailing)

    assert mailbox.mails == []


async def test_maintenance_is_told_when_it_is_scheduled_with_its_window(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await subscribe(mailing, mailbox)
    starts = clock.now() + timedelta(days=1)
    await opened(mailing, kind="maintenance", starts_at=starts, ends_at=starts + timedelta(hours=1))
    await deliver(mailing)

    (mail,) = mailbox.mails
    assert mail.subject == "Scheduled: Slow joins"
    assert f"From {starts:%-d %B %Y, %H:%M} UTC" in mail.text


async def test_two_nodes_and_a_crash_in_the_middle_tell_each_subscriber_once(
    mailing: Services, mailbox: Mailbox, engine: BreakableEngine, clock: MovableClock
) -> None:
    for name in ("ada", "bob", "cy"):
        await subscribe(mailing, mailbox, f"{name}@example.com")
        clock.move(PAUSE.total_seconds())
    await opened(mailing)
    engine.gone_after = 4
    with pytest.raises(Unavailable):
        await status_notices.spread(mailing.system("a test"))
    engine.gone, engine.gone_after = False, None
    await asyncio.gather(*(status_notices.spread(mailing.system("a node")) for _ in range(4)))
    await deliver(mailing)

    assert sorted(mail.to for mail in mailbox.mails) == ["ada@example.com", "bob@example.com", "cy@example.com"]


async def test_who_confirms_later_is_not_told_of_what_was_before(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await opened(mailing)
    clock.move(1)
    await subscribe(mailing, mailbox)
    await deliver(mailing)

    assert mailbox.mails == []


async def test_the_link_in_each_mail_ends_them_and_nothing_is_kept(mailing: Services, mailbox: Mailbox) -> None:
    await subscribe(mailing, mailbox)
    told = await opened(mailing)
    await deliver(mailing)
    token = mailbox.mails[0].unsubscribe.partition("?token=")[2]
    for _ in range(2):
        await status_subscriptions.unsubscribe(nobody(mailing), token)
    await incidents.update(await operator(mailing), told.id, body="More.")
    await deliver(mailing)

    assert len(mailbox.mails) == 1
    assert mailbox.mails[0].unsubscribe in mailbox.mails[0].text
    assert await kept(mailing.engine, "status_subscriptions") == []


async def test_a_link_confirms_once_for_seven_days_and_a_newer_one_takes_its_place(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    tokens: list[str] = []
    for _ in range(2):
        await status_subscriptions.by_mail(nobody(mailing), ADDRESS)
        await deliver(mailing)
        tokens.append(mailbox.token_to(ADDRESS))
        clock.move(PAUSE.total_seconds())
    clock.move(LIFE.total_seconds() - 2 * PAUSE.total_seconds())
    with pytest.raises(LinkSpent):
        await status_subscriptions.confirm(nobody(mailing), tokens[0])
    await status_subscriptions.confirm(nobody(mailing), tokens[1])
    with pytest.raises(LinkSpent):
        await status_subscriptions.confirm(nobody(mailing), tokens[1])


async def test_what_nobody_confirmed_is_over_after_seven_days_and_forgotten(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await status_subscriptions.by_mail(nobody(mailing), ADDRESS)
    await deliver(mailing)
    clock.move(LIFE.total_seconds())
    with pytest.raises(LinkSpent):
        await status_subscriptions.confirm(nobody(mailing), mailbox.token_to(ADDRESS))

    await status_subscriptions.forget(mailing.system("a test"))

    assert await kept(mailing.engine, "status_subscriptions") == []


async def test_the_secret_of_a_link_is_kept_as_a_hash_alone(mailing: Services, mailbox: Mailbox) -> None:
    await status_subscriptions.by_mail(nobody(mailing), ADDRESS)
    await deliver(mailing)
    secret = mailbox.token_to(ADDRESS).partition(".")[2]

    assert len(secret) == 43
    assert secret not in str(await kept(mailing.engine, "status_subscriptions"))


@pytest.mark.parametrize("token", ["", "x", "sub_x.y", "."])
async def test_a_made_up_link_does_nothing(mailing: Services, token: str) -> None:
    for act in (status_subscriptions.confirm, status_subscriptions.unsubscribe, status_subscriptions.look):
        with pytest.raises(LinkSpent):
            await act(nobody(mailing), token)


async def test_one_address_is_written_to_once_in_ten_minutes_however_often_it_is_asked(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    for _ in range(4):
        await status_subscriptions.by_mail(nobody(mailing), ADDRESS)
        clock.move(61)
    await deliver(mailing)

    assert len(mailbox.mails) == 1


async def test_one_caller_asks_ten_times_a_minute_at_most(mailing: Services) -> None:
    for number in range(10):
        await status_subscriptions.by_mail(nobody(mailing), f"a{number}@example.com")

    with pytest.raises(RateLimited):
        await status_subscriptions.by_mail(nobody(mailing), "b@example.com")


async def test_one_ipv6_network_is_one_caller(mailing: Services) -> None:
    for number in range(10):
        here = nobody(mailing)._replace(call=Call(ip=f"2001:db8:1:2::{number:x}"))
        await status_subscriptions.by_mail(here, f"a{number}@example.com")

    with pytest.raises(RateLimited):
        await status_subscriptions.by_mail(
            nobody(mailing)._replace(call=Call(ip="2001:db8:1:2:ffff::1")), "b@example.com"
        )


async def test_for_whom_nobody_knows_no_name_server_is_asked(
    mailing: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    monkeypatch.setattr(mailing.parts.outbound, "_resolve", resolve)

    await status_subscriptions.by_webhook(nobody(mailing), "https://hooks.internal.example/status")


class _Taken:
    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        self.envelopes.append(envelope)
        return "250 Taken"


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[int, _Taken]]:
    taken = _Taken()
    server = Controller(taken, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield server.port, taken
    finally:
        server.stop()


async def test_a_real_mail_server_gets_the_headers_that_mail_programs_make_a_button_of(
    mailing: Services, mailbox: Mailbox
) -> None:
    await subscribe(mailing, mailbox)
    await opened(mailing)
    async with mail_server() as (port, taken):
        post = SmtpPost(Server.read(Secret(f"smtp://127.0.0.1:{port}?from=pulse@example.com"), sender="x@y.z"))
        await deliver(replace(mailing, parts=replace(mailing.parts, post=post)))

    (envelope,) = taken.envelopes
    assert isinstance(envelope.content, bytes)
    # As it went over the wire: one line, in no encoding of its own.
    assert b"List-Unsubscribe: <http://localhost:8000/status/subscriptions/unsubscribe?token=sub_" in envelope.content
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in envelope.content
    mail = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
    assert envelope.rcpt_tos == [ADDRESS]
    link = str(mail["List-Unsubscribe"]).strip("<>")
    await status_subscriptions.unsubscribe(nobody(mailing), link.partition("?token=")[2])
    assert await kept(mailing.engine, "status_subscriptions") == []
