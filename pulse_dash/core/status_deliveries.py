"""Reaching the webhooks of the status: signed as Standard Webhooks says, tried again for a while, then given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson
import structlog

from pulse_dash.core import status_notices, webhooks
from pulse_dash.core.access import open_because
from pulse_dash.core.clock import in_utc
from pulse_dash.core.errors import NotFound
from pulse_dash.core.outbound import OutboundRefused
from pulse_dash.core.status_subscriptions import LIFE, confirm_link
from pulse_dash.core.vault import Unreadable
from pulse_dash.core.work import Work
from pulse_dash.store.status_deliveries import StatusDelivery
from pulse_dash.store.status_subscriptions import StatusSubscription

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=30)
# Pauses after each attempt that failed; after the last one the event is given up.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
# A webhook that took none of so many events in a row is unsubscribed.
MOST_MISSED: Final = 3
_LEASE: Final = timedelta(minutes=2)
_AT_ONCE, _BATCH = 10, 50
_TAKEN, _GONE = range(200, 300), 410


@open_because("a job of the house")
async def deliver(work: Work) -> int:
    """Send what is due; answers how many arrived. Each is claimed first, so a crash only delays it."""
    arrived = 0
    for _ in range(_BATCH // _AT_ONCE):
        claimed = [each async for each in _claimed(work)]
        if not claimed:
            break
        arrived += sum(await asyncio.gather(*(_deliver(work, each) for each in claimed)))
    return arrived


@open_because("a job of the house")
async def forget(work: Work) -> None:
    """Forget what was sent a month ago."""
    await work.store.status_deliveries.forget(work.clock.now() - KEPT)


async def _claimed(work: Work) -> AsyncIterator[StatusDelivery]:
    for _ in range(_AT_ONCE):
        now = work.clock.now()
        claimed = await work.store.status_deliveries.claim(now, until=now + _LEASE)
        if claimed is None:
            return
        yield claimed


async def _deliver(work: Work, delivery: StatusDelivery) -> bool:
    store, now = work.store, work.clock.now()
    subscriber = await store.status_subscriptions.find(delivery.subscription_id)
    if subscriber is None:
        await store.status_deliveries.finish(delivery.id, "unsubscribed", now)
        return False
    try:
        answered = await _sent(work, subscriber, delivery)
    except (NotFound, Unreadable):
        log.exception("status_webhook.unreadable", delivery=delivery.id)
        await store.status_deliveries.finish(delivery.id, "unreadable", now)
        return False
    if answered == _GONE:
        await store.status_subscriptions.remove(subscriber.id)
        await store.status_deliveries.finish(delivery.id, "gone", now)
    elif answered in _TAKEN:
        await store.status_deliveries.finish(delivery.id, "taken", now)
        if subscriber.missed:
            await store.status_subscriptions.took(subscriber.id)
        return True
    elif delivery.attempts > len(PAUSES):
        await _give_up(work, subscriber, delivery)
    else:
        await store.status_deliveries.put_off(delivery.id, now + PAUSES[delivery.attempts - 1])
    return False


async def _sent(work: Work, subscriber: StatusSubscription, delivery: StatusDelivery) -> int:
    """The status that was answered, 0 for none. Raises NotFound, Unreadable where there is nothing to send."""
    secret = work.parts.vault.opened(subscriber.sealed_secret or b"").decode()
    body = orjson.dumps(await _body(work, subscriber, delivery, secret))
    try:
        return await webhooks.send(
            work.parts.outbound,
            subscriber.target,
            body,
            secrets=[secret],
            message_id=delivery.id,
            now=work.clock.time(),
        )
    except (httpx.HTTPError, httpx.InvalidURL, OutboundRefused) as error:
        log.info("status_webhook.failed", subscription=subscriber.id, error=type(error).__name__)
        return 0


async def _body(work: Work, subscriber: StatusSubscription, delivery: StatusDelivery, secret: str) -> dict[str, Any]:
    if delivery.incident_id is not None:
        incident = await work.store.incidents.get(delivery.incident_id)
        return status_notices.body_of(
            work, incident, delivery.number, delivery_id=delivery.id, subscription_id=subscriber.id
        )
    token = work.parts.vault.opened(delivery.sealed or b"").decode()
    created = in_utc(delivery.created_at)
    days = LIFE.days
    return {
        "id": delivery.id,
        "type": "subscription.confirm",
        "created_at": created,
        "data": {
            "confirm_url": confirm_link(work, token),
            "secret": secret,
            "sentence": f"Send a POST to confirm_url within {days} days to be told of incidents; secret signs them.",
        },
    }


async def _give_up(work: Work, subscriber: StatusSubscription, delivery: StatusDelivery) -> None:
    store = work.store
    missed = await store.status_subscriptions.missed(subscriber.id) if delivery.incident_id is not None else 0
    if missed >= MOST_MISSED:
        await store.status_subscriptions.remove(subscriber.id)
        log.warning("status_webhook.unsubscribed", subscription=subscriber.id, missed=missed)
    await store.status_deliveries.finish(delivery.id, "given_up", work.clock.now())
