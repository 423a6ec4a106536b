"""An invitation as it really travels: by SMTP to a server, and out of the mail that arrived into the team."""

from __future__ import annotations

import email.policy
import re
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from pydantic import SecretStr

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.core import invitations, links, mails, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from tests.conftest import PUBLIC_URL
from tests.doubles import BreakableEngine, MovableClock
from tests.engines.process import free_port
from tests.people import HOSTILE, PASSWORD, Person, Town

OURS = {"Sec-Fetch-Site": "same-origin"}
NEW = "grace.hopper@example.net"


class PostOffice:
    """What a mail server took, read as a mail program reads it."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        self.arrived.append(read)
        return "250 Taken"

    def link_to(self, address: str) -> str:
        """The newest link in a mail to this address, as somebody who reads it would open it."""
        texts = [mail.get_content() for mail in self.arrived if mail["To"] == address]
        return re.findall(r"https?://\S+token=\S+", texts[-1])[0]


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def server(office: PostOffice) -> Iterator[Controller]:
    controller = Controller(office, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
async def posting(
    settings: Settings, engine: BreakableEngine, clock: MovableClock, server: Controller
) -> AsyncIterator[Services]:
    """A house whose mails go to that server."""
    url = SecretStr(f"smtp://127.0.0.1:{server.port}?from=pulse@example.com")
    chosen = settings.model_copy(update={"smtp_url": url})
    services = assemble(chosen, engine, clock, Passwords(password_cost=4))
    yield services
    await services.parts.store.logged()
    await services.livekit.close()
    services.parts.passwords.close()


@pytest.fixture
async def browser(posting: Services) -> AsyncIterator[httpx.AsyncClient]:
    app = CarefulAnswers(make_api(posting), https=False)
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


async def proved(posting: Services, office: PostOffice) -> Person:
    """An owner whose address is proved by the mail that they got."""
    town = Town(posting)
    owner = await town.person(f"Ada {HOSTILE} https://evil.example/x")
    await mails.hand_over(posting.system("a test"))
    await links.verify(town.stranger, office.link_to(owner.actor.email).partition("?token=")[2])
    actor = await sessions.recognize(town.stranger, owner.access_token)
    return Person(actor, owner.organization, owner.access_token, owner.refresh_token)


async def test_somebody_joins_by_the_mail_that_arrived(
    posting: Services, office: PostOffice, browser: httpx.AsyncClient
) -> None:
    owner = await proved(posting, office)
    made = await invitations.invite(posting.as_(owner.actor), owner.organization.id, email=NEW, role=Role.DEVELOPER)
    assert made.accept_url is None
    assert await mails.hand_over(posting.system("a test")) == 1

    link = office.link_to(NEW)
    page = await browser.get(link.removeprefix(PUBLIC_URL))
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    token = urlsplit(link).query.removeprefix("token=")
    form = {"token": token, "name": "Grace Hopper", "password": PASSWORD}
    joined = await browser.post("/session/accept", headers=OURS, data=form)

    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    known = await posting.system("a test").store.users.by_email(NEW)
    assert known is not None
    assert known.verified_at is not None
    organization = await posting.system("a test").store.organizations.get(owner.organization.id)
    assert organization.role_of(known.id) == "developer"
    again = await browser.post("/session/accept", headers=OURS, data=form)
    assert "error=invitation_spent" in again.headers["location"]


async def test_the_mail_brings_no_header_and_no_line_of_the_inviters_own(posting: Services, office: PostOffice) -> None:
    owner = await proved(posting, office)

    await invitations.invite(posting.as_(owner.actor), owner.organization.id, email=NEW, role=Role.VIEWER)
    await mails.hand_over(posting.system("a test"))

    mail = office.arrived[-1]
    assert (mail["To"], mail["From"], mail["Bcc"]) == (NEW, "pulse@example.com", None)
    assert mail.get_content_type() == "text/plain"
    assert HOSTILE.split()[0] in mail["Subject"]
    links_in = re.findall(r"https?://\S+", mail.get_content())
    assert [link.startswith(f"{PUBLIC_URL}/invitations/accept?token=inv_") for link in links_in] == [True]
    assert "evil.example" not in mail.get_content() + mail["Subject"]


async def test_the_link_of_an_older_mail_is_dead_once_another_was_sent(
    posting: Services, office: PostOffice, browser: httpx.AsyncClient, clock: MovableClock
) -> None:
    owner = await proved(posting, office)
    made = await invitations.invite(posting.as_(owner.actor), owner.organization.id, email=NEW, role=Role.VIEWER)
    await mails.hand_over(posting.system("a test"))
    first = office.link_to(NEW)
    clock.move(60)
    await invitations.resend(posting.as_(owner.actor), owner.organization.id, made.invitation.id)
    await mails.hand_over(posting.system("a test"))

    assert office.link_to(NEW) != first
    assert (await browser.get(first.removeprefix(PUBLIC_URL))).status_code == 410
    assert (await browser.get(office.link_to(NEW).removeprefix(PUBLIC_URL))).status_code == 200
