"""Subscribing over HTTP and by the pages: opening a link does nothing, its button does, without a script."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.core import mails, status_subscriptions
from pulse_dash.services import Services
from tests.api.asserting import assert_problem, fields
from tests.conftest import PUBLIC_URL
from tests.doubles import Mailbox, MovableClock, kept
from tests.hostile import NAMES

ASK, FORM = "/v1/status/subscriptions", "/status/subscriptions"
ADDRESS = "ada@example.com"
OURS = {"Sec-Fetch-Site": "same-origin"}
FORGED = {"Host": "evil.example", "Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}


@pytest.fixture
async def caller(mailing: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a Pulse that mails."""
    transport = httpx.ASGITransport(CarefulAnswers(make_api(mailing), https=False), client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


async def deliver(services: Services) -> None:
    await mails.hand_over(services.system("a test"))


async def asked(caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox) -> str:
    """Ask for the address; the path of the mailed link."""
    await caller.post(ASK, json={"email": ADDRESS})
    await deliver(mailing)
    return mailbox.link_to(ADDRESS).removeprefix(PUBLIC_URL)


async def states(mailing: Services) -> list[str]:
    return [each["state"] for each in await kept(mailing.engine, "status_subscriptions")]


async def test_without_a_mail_server_the_form_is_not_shown_and_the_route_says_why(client: httpx.AsyncClient) -> None:
    page = (await client.get("/status")).text

    assert "<form" not in page
    assert_problem(await client.post(ASK, json={"email": ADDRESS}), 409, "mail_not_configured")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "ada"}, "email"),
        ({"email": ADDRESS, "url": "https://example.com"}, "email"),
        ({"url": "http://example.com"}, "url"),
        ({"url": "https://10.0.0.7/"}, "url"),
        ({"phone": "1"}, "phone"),
    ],
)
async def test_what_cannot_be_told_is_named(caller: httpx.AsyncClient, body: dict[str, str], field: str) -> None:
    answer = await caller.post(ASK, json=body)

    assert answer.status_code == 422
    assert fields(answer) == [field]


async def test_a_known_and_an_unknown_address_are_answered_alike(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    path = await asked(caller, mailing, mailbox)
    await caller.post(path)
    clock.move(status_subscriptions.PAUSE.total_seconds())
    known = await caller.post(ASK, json={"email": ADDRESS})
    unknown = await caller.post(ASK, json={"email": "bob@example.com"})

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"null")


async def test_a_link_asked_for_under_a_forged_host_leads_to_our_address(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    await caller.post(ASK, json={"email": ADDRESS}, headers=FORGED)
    await deliver(mailing)

    assert mailbox.link_to(ADDRESS).startswith(f"{PUBLIC_URL}/status/subscriptions/confirm?token=")


async def test_opening_the_link_confirms_nothing_and_its_button_does(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    path = await asked(caller, mailing, mailbox)
    shown = [await caller.get(path), await caller.head(path), await caller.get(path)]
    assert await states(mailing) == ["pending"]
    assert f'<form action="{FORM}/confirm" method="post">' in shown[0].text
    token = path.partition("?token=")[2]
    pressed = await caller.post(f"{FORM}/confirm", data={"token": token})

    assert pressed.status_code == 200
    assert await states(mailing) == ["confirmed"]
    assert (await caller.post(f"{FORM}/confirm", data={"token": token})).status_code == 410
    assert (await caller.get(path)).status_code == 410


async def test_opening_the_other_link_ends_nothing_and_one_click_does(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    await caller.post(await asked(caller, mailing, mailbox))
    (document,) = await kept(mailing.engine, "status_subscriptions")
    link = status_subscriptions.unsubscribe_link(mailing.system("a test"), document["_id"])
    page = await caller.get(link)
    assert await states(mailing) == ["confirmed"]
    # What mail programs send (RFC 8058): from nowhere, without a cookie.
    ended = await caller.post(link, data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert "Tell me no longer" in page.text
    assert ended.status_code == 200
    assert await states(mailing) == []
    assert (await caller.post(link)).status_code == 200
    assert (await caller.post(f"{FORM}/unsubscribe", data={"token": "sub_x.y"})).status_code == 410


async def test_the_form_leads_through_without_a_script_and_says_why_not(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    page = (await caller.get("/status")).text
    elsewhere = await caller.post(FORM, data={"email": ADDRESS}, headers={"Sec-Fetch-Site": "cross-site"})
    wrong = await caller.post(FORM, data={"email": "ada@"}, headers=OURS)
    right = await caller.post(FORM, data={"email": ADDRESS}, headers=OURS)
    await deliver(mailing)

    assert f'<form action="{FORM}" method="post"' in page
    assert_problem(elsewhere, 403, "cross_site")
    assert wrong.status_code == 422
    assert 'value="ada@"' in wrong.text
    assert right.headers["location"] == FORM
    assert "Look into your mail" in (await caller.get(FORM)).text
    assert [mail.to for mail in mailbox.mails] == [ADDRESS]


async def test_the_pages_tell_their_address_to_nobody(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    answer = await caller.get(await asked(caller, mailing, mailbox))

    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_hostile_words_are_text_in_the_form(caller: httpx.AsyncClient) -> None:
    for name in NAMES.values():
        page = (await caller.post(FORM, data={"email": name}, headers=OURS)).text
        assert "<script>window" not in page
        assert "<img src=x" not in page
        assert 'autofocus onfocus="' not in page
