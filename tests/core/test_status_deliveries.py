"""Webhooks about incidents, against a real receiver: signed, after its own word, tried again and given up by rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pulse_dash.adapters.outbound import OutboundClient
from pulse_dash.core import incidents, status_deliveries, status_notices, status_subscriptions
from pulse_dash.core.access import Anonymous, UserActor
from pulse_dash.core.errors import Invalid, RateLimited
from pulse_dash.core.outbound import Allowed, Purpose
from pulse_dash.core.status_deliveries import MOST_MISSED, PAUSES
from pulse_dash.core.status_subscriptions import PAUSE
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.doubles import MovableClock, kept
from tests.people import Town
from tests.receiver import Receiver, receiving, signed


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def house(services: Services, receiver: Receiver) -> Services:
    """An installation that lets this one receiver be named although it is private, with an operator."""
    await Town(services).person("Olga")
    outbound = OutboundClient(frozenset({Allowed(Purpose.WEBHOOK, "127.0.0.1", receiver.port)}))
    return replace(services, parts=replace(services.parts, outbound=outbound))


def nobody(services: Services) -> Work:
    return services.as_(Anonymous())


async def deliver(services: Services) -> int:
    work = services.system("a test")
    await status_notices.spread(work)
    return await status_deliveries.deliver(work)


async def confirmed(house: Services, receiver: Receiver) -> str:
    """Subscribe the receiver; its secret."""
    await status_subscriptions.by_webhook(nobody(house), receiver.url)
    await deliver(house)
    data = receiver.bodies[-1]["data"]
    await status_subscriptions.confirm(nobody(house), data["confirm_url"].partition("?token=")[2])
    receiver.came.clear()
    return str(data["secret"])


async def opened(house: Services) -> None:
    (user,) = await kept(house.engine, "users")
    work = house.as_(UserActor(user["_id"], "Olga", user["email"], "", operator=True))
    await incidents.declare(work, title="Slow joins", body="We look.", components=["livekit"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks",
        "ftp://example.com",
        "https://127.0.0.1/hooks",
        "https://localhost",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://ada:secret@example.com",
        "not an address",
        "",
    ],
)
async def test_what_leads_inside_or_is_not_https_is_refused_and_nothing_is_told_of_the_inside(
    house: Services, url: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await status_subscriptions.by_webhook(nobody(house), url)

    assert "127." not in refused.value.errors[0].message
    assert "169." not in refused.value.errors[0].message


async def test_before_its_own_word_a_webhook_gets_the_question_and_nothing_else(
    house: Services, receiver: Receiver
) -> None:
    await status_subscriptions.by_webhook(nobody(house), receiver.url)
    await deliver(house)
    await opened(house)
    await deliver(house)

    assert [body["type"] for body in receiver.bodies] == ["subscription.confirm"]
    assert receiver.bodies[0]["data"]["confirm_url"].startswith("http://localhost:8000/status/subscriptions/confirm?")


async def test_every_request_is_signed_as_standard_webhooks_says(house: Services, receiver: Receiver) -> None:
    await status_subscriptions.by_webhook(nobody(house), receiver.url)
    await deliver(house)
    question = receiver.came[0]
    secret = str(receiver.bodies[0]["data"]["secret"])
    await status_subscriptions.confirm(nobody(house), receiver.bodies[0]["data"]["confirm_url"].partition("?token=")[2])
    await opened(house)
    await deliver(house)

    for headers, body in (question, receiver.came[1]):
        assert headers["webhook-signature"] == signed(secret, headers, body)


async def test_an_event_comes_once_with_its_incident_and_the_link_that_ends_them(
    house: Services, receiver: Receiver
) -> None:
    await confirmed(house, receiver)
    await opened(house)
    assert [await deliver(house), await deliver(house)] == [1, 0]

    (body,) = receiver.bodies
    assert body["type"] == "incident.opened"
    assert body["data"]["title"] == "Slow joins"
    assert body["data"]["update"]["body"] == "We look."
    await status_subscriptions.unsubscribe(nobody(house), body["unsubscribe_url"].partition("?token=")[2])
    assert await kept(house.engine, "status_subscriptions") == []


async def test_a_webhook_that_is_away_gets_it_later(house: Services, receiver: Receiver, clock: MovableClock) -> None:
    await confirmed(house, receiver)
    await opened(house)
    receiver.answer = 500
    assert await deliver(house) == 0
    receiver.answer = 200
    assert await deliver(house) == 0
    clock.move(PAUSES[0].total_seconds())

    assert await deliver(house) == 1
    first, second = receiver.came
    assert first[0]["webhook-id"] == second[0]["webhook-id"]


async def test_a_redirect_is_not_followed_and_counts_as_away(house: Services, receiver: Receiver) -> None:
    await confirmed(house, receiver)
    await opened(house)
    receiver.answer = 307

    assert await deliver(house) == 0


async def test_a_webhook_that_says_gone_is_unsubscribed_at_once(house: Services, receiver: Receiver) -> None:
    await confirmed(house, receiver)
    await opened(house)
    receiver.answer = 410
    await deliver(house)

    assert await kept(house.engine, "status_subscriptions") == []


async def test_after_three_events_in_a_row_that_nobody_took_it_is_unsubscribed(
    house: Services, receiver: Receiver, clock: MovableClock
) -> None:
    await confirmed(house, receiver)
    receiver.answer = 503
    for number in range(MOST_MISSED):
        assert len(await kept(house.engine, "status_subscriptions")) == 1, number
        await opened(house)
        for pause in (*PAUSES, PAUSES[-1]):
            await deliver(house)
            clock.move(pause.total_seconds())

    assert await kept(house.engine, "status_subscriptions") == []
    assert len(receiver.came) == MOST_MISSED * (len(PAUSES) + 1)


async def test_one_taken_in_between_begins_the_count_anew(
    house: Services, receiver: Receiver, clock: MovableClock
) -> None:
    await confirmed(house, receiver)
    for answer in (503, 503, 204, 503, 503):
        receiver.answer = answer
        await opened(house)
        for pause in (*PAUSES, PAUSES[-1]):
            await deliver(house)
            clock.move(pause.total_seconds())

    assert [each["missed"] for each in await kept(house.engine, "status_subscriptions")] == [2]


async def test_who_claimed_one_and_died_only_delays_it(
    house: Services, receiver: Receiver, clock: MovableClock
) -> None:
    await confirmed(house, receiver)
    await opened(house)
    work = house.system("a node that dies")
    await status_notices.spread(work)
    await work.store.status_deliveries.claim(clock.now(), until=clock.now())

    assert await deliver(house) == 1


async def test_who_asks_for_a_confirmed_webhook_again_learns_nothing_and_changes_nothing(
    house: Services, receiver: Receiver, clock: MovableClock
) -> None:
    await confirmed(house, receiver)
    (before,) = await kept(house.engine, "status_subscriptions")
    clock.move(PAUSE.total_seconds())
    await status_subscriptions.by_webhook(nobody(house), receiver.url)
    await deliver(house)

    (after,) = await kept(house.engine, "status_subscriptions")
    assert after["sealed_secret"] == before["sealed_secret"]
    assert receiver.came == []


async def test_one_host_is_asked_three_times_a_minute_at_most(house: Services, receiver: Receiver) -> None:
    for number in range(3):
        await status_subscriptions.by_webhook(nobody(house), f"{receiver.url}&n={number}")

    with pytest.raises(RateLimited):
        await status_subscriptions.by_webhook(nobody(house), f"{receiver.url}&n=3")


async def test_neither_secret_nor_link_is_kept_in_the_open(house: Services, receiver: Receiver) -> None:
    await status_subscriptions.by_webhook(nobody(house), receiver.url)
    before = str(await kept(house.engine, "status_deliveries"))
    await deliver(house)

    data = receiver.bodies[0]["data"]
    stored = before + str(await kept(house.engine, "status_subscriptions"))
    assert data["secret"].removeprefix("whsec_") not in stored
    assert data["confirm_url"].partition(".")[2] not in stored
