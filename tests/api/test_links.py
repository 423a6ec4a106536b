"""Proving an address and a new password over HTTP, wrong ways first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.core import mails
from pulse_dash.services import Services
from tests.api.asserting import assert_problem
from tests.conftest import PUBLIC_URL
from tests.doubles import Mailbox
from tests.people import PASSWORD

ADDRESS = "ada@example.com"
SIGN_UP = {"email": ADDRESS, "password": PASSWORD, "name": "Ada", "organization_name": "Acme"}
FORGED = {"Host": "evil.example", "Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}


@pytest.fixture
async def caller(mailing: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a Pulse that mails."""
    transport = httpx.ASGITransport(CarefulAnswers(make_api(mailing), https=False), client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


async def _deliver(services: Services) -> None:
    await mails.hand_over(services.system("a test"))


async def test_a_known_and_an_unknown_address_are_answered_alike(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    await caller.post("/v1/auth/signup", json=SIGN_UP)
    await _deliver(mailing)
    mailbox.mails.clear()

    known = await caller.post("/v1/auth/password/forgot", json={"email": ADDRESS})
    unknown = await caller.post("/v1/auth/password/forgot", json={"email": "nobody@example.com"})
    await _deliver(mailing)

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"null")
    assert [mail.to for mail in mailbox.mails] == [ADDRESS]


async def test_two_sign_ups_with_one_address_are_answered_alike(caller: httpx.AsyncClient) -> None:
    first = await caller.post("/v1/auth/signup", json=SIGN_UP)
    second = await caller.post("/v1/auth/signup", json=SIGN_UP)

    assert (first.status_code, first.json().keys()) == (second.status_code, second.json().keys())


@pytest.mark.parametrize("what", ["password/forgot", "signup"])
async def test_a_link_asked_for_under_a_forged_host_leads_to_our_address(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox, what: str
) -> None:
    await caller.post("/v1/auth/signup", json=SIGN_UP)
    other = {**SIGN_UP, "email": "bob@example.com"} if what == "signup" else {"email": ADDRESS}

    answer = await caller.post(f"/v1/auth/{what}", json=other, headers=FORGED)
    await _deliver(mailing)

    assert answer.status_code in (201, 202)
    assert mailbox.link_to(other["email"]).startswith(f"{PUBLIC_URL}/")


async def test_a_spent_link_is_gone(caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox) -> None:
    await caller.post("/v1/auth/signup", json=SIGN_UP)
    await _deliver(mailing)
    token = mailbox.token_to(ADDRESS)

    assert (await caller.post("/v1/auth/verify", json={"token": token})).json()["email"] == ADDRESS
    assert_problem(await caller.post("/v1/auth/verify", json={"token": token}), 410, "link_spent")
    assert_problem(
        await caller.post("/v1/auth/password/reset", json={"token": token, "password": PASSWORD}), 410, "link_spent"
    )


async def test_a_link_opens_nothing_as_a_bearer_token(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    await caller.post("/v1/auth/signup", json=SIGN_UP)
    await _deliver(mailing)
    token = mailbox.token_to(ADDRESS)

    bearer = {"Authorization": f"Bearer {token}"}
    assert_problem(await caller.get("/v1/auth/me", headers=bearer), 401, "invalid_credentials")
    refreshed = await caller.post("/v1/auth/refresh", json={"refresh_token": token})
    assert_problem(refreshed, 401, "invalid_credentials")


async def test_the_forms_lead_through_and_say_why_not(
    caller: httpx.AsyncClient, mailing: Services, mailbox: Mailbox
) -> None:
    ours = {"Sec-Fetch-Site": "same-origin"}
    await caller.post("/v1/auth/signup", json=SIGN_UP)
    elsewhere = await caller.post("/session/forgot", data={"email": ADDRESS}, headers={"Sec-Fetch-Site": "cross-site"})
    asked = await caller.post("/session/forgot", data={"email": ADDRESS}, headers=ours)
    await _deliver(mailing)
    form = {"token": mailbox.token_to(ADDRESS), "password": "another sentence entirely"}

    weak = await caller.post("/session/reset", data={**form, "password": "password123"}, headers=ours)
    done = await caller.post("/session/reset", data=form, headers=ours)
    again = await caller.post("/session/reset", data=form, headers=ours)

    assert_problem(elsewhere, 403, "cross_site")
    assert asked.headers["location"] == "/forgot?done=sent"
    assert weak.headers["location"].startswith("/reset?error=invalid&token=usr_")
    assert done.headers["location"] == "/login?done=reset"
    assert again.headers["location"].startswith("/reset?error=link_spent")


async def test_the_outbox_shows_mails_on_this_machine_alone(services: Services, client: httpx.AsyncClient) -> None:
    await mails.post(
        services.system("a test"), mails.Mail("<b>@example.com", "<script>", "See http://localhost/x?y=1\n")
    )
    await _deliver(services)
    near = httpx.ASGITransport(CarefulAnswers(make_api(services), https=False), client=("127.0.0.1", 4711))

    assert_problem(await client.get("/outbox"), 404, "not_found")
    async with httpx.AsyncClient(transport=near, base_url=PUBLIC_URL) as caller:
        page = await caller.get("/outbox")
        forwarded = await caller.get("/outbox", headers={"X-Forwarded-For": "203.0.113.9"})

    assert '<a href="http://localhost/x?y=1">' in page.text
    assert "<script>" not in page.text.partition("<body>")[2]
    assert_problem(forwarded, 404, "not_found")
