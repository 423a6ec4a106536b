"""Telling a project's webhooks what happened: kept first, sent signed, tried again for a while, then given up until
somebody asks for it.

At least once: what is kept is sent although a node dies, and what may have arrived is sent again under the same id.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import httpx
import structlog

from pulse_dash.core import project_webhooks, webhook_events, webhooks
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid, NotFound, PulseError
from pulse_dash.core.media import MediaEvent
from pulse_dash.core.outbound import OutboundRefused
from pulse_dash.core.vault import Unreadable
from pulse_dash.core.work import Work
from pulse_dash.store.ids import looks_like
from pulse_dash.store.webhook_deliveries import WebhookDelivery as WebhookDelivery  # noqa: PLC0414 - api takes it here
from pulse_dash.store.webhooks import Webhook, Woken

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=30)
# How long a webhook may take to answer.
SECONDS: Final = 15.0
_LEASE: Final = timedelta(seconds=60)
# A webhook that answers nothing goes to the end of the line.
_REST: Final = timedelta(seconds=5)
_LOOK_AGAIN: Final = timedelta(hours=1)
# How long one webhook is spoken to before it is another's turn; a message that was begun is ended.
_TURN_SECONDS: Final = 1.0
_SOME: Final = 500
_PREFIX: Final = "dlv"
_TAKEN: Final = range(200, 300)
# So many webhooks are spoken to at once, and so many of one organization: who hangs holds up no stranger.
_MOST_AT_ONCE, _MOST_OF_ONE = 100, 5


class Told(NamedTuple):
    """Some deliveries, and where the next ones begin; None after the last."""

    items: list[WebhookDelivery]
    next_cursor: str | None


class SwitchedOff(Conflict):
    """One that is switched off is told nothing."""

    code = "webhook_off"

    def __init__(self) -> None:
        super().__init__("This webhook is switched off. Switch it on first.")


class StillWaiting(Conflict):
    """It is going to be sent without being asked for."""

    code = "delivery_waiting"

    def __init__(self) -> None:
        super().__init__("This delivery waits to be sent already.")


@open_because("media_events has checked who speaks")
async def tell(work: Work, event: MediaEvent, *, kept_as: str, project_id: str, own: bool) -> None:
    """Keep for each webhook of the project what it is to be told; told twice it is kept once.

    `kept_as` is the event's id in this house; `own` says that it speaks for the project's own LiveKit."""
    told = webhook_events.TYPES.get(event.type)
    listening = await work.store.webhooks.told_by(project_id) if told else []
    listening = [each for each in listening if each.events is None or told in each.events]
    if told is None or not listening or not await _is_there(work, listening[0]):
        return
    event_id = webhook_events.event_id(kept_as)
    data = webhook_events.data_of(event, prefixed=not own)
    body = webhook_events.body_of(event_id, told, project_id, event.at, data)
    for webhook in listening:
        await _put(work, webhook, event_id, told, body)


@requires(Permission.WEBHOOKS_CHANGE)
async def test(work: Work, project_id: str, webhook_id: str, *, event: str) -> str:
    """Send it a sample of an event; answers the delivery's id. Raises NotFound, Forbidden, Invalid, SwitchedOff."""
    webhook = await _switched_on(work, project_id, webhook_id)
    if event not in webhook_events.SAMPLES:
        raise Invalid(FieldError("type", f"Must be one of {', '.join(webhook_events.SAMPLES)}."))
    event_id, data = work.new_id("evt"), webhook_events.sample_of(event)
    body = webhook_events.body_of(event_id, event, project_id, work.clock.now(), data)
    return await _put(work.as_system("try a webhook"), webhook, event_id, event, body)


@requires(Permission.WEBHOOKS_CHANGE)
async def listing(
    work: Work,
    project_id: str,
    *,
    webhook_id: str | None = None,
    state: str | None = None,
    cursor: str = "",
    limit: int = 20,
) -> Told:
    """What the project's webhooks were told in the last 30 days, the newest first.

    Raises NotFound, Forbidden; Invalid for a cursor that was never answered."""
    await work.store.projects.get(project_id)
    if cursor and not looks_like(_PREFIX, cursor):
        raise Invalid(FieldError("cursor", "This cursor is not one of ours. Start without one."))
    found = await work.store.webhook_deliveries.of_project(
        project_id, webhook_id=webhook_id, state=state, before=cursor, limit=limit + 1
    )
    return Told(found[:limit], found[limit - 1].id if len(found) > limit else None)


@requires(Permission.WEBHOOKS_CHANGE)
async def read(work: Work, project_id: str, delivery_id: str) -> WebhookDelivery:
    """One of them. Raises NotFound, Forbidden."""
    await work.store.projects.get(project_id)
    found = await work.store.webhook_deliveries.get(delivery_id)
    if found.project_id != project_id:
        raise NotFound
    return found


@requires(Permission.WEBHOOKS_CHANGE)
async def replay(work: Work, project_id: str, delivery_id: str) -> None:
    """Send one that is over once more, under its old id. Raises NotFound, Forbidden, SwitchedOff, StillWaiting."""
    delivery = await read(work, project_id, delivery_id)
    # One that was removed takes nothing any more.
    await _switched_on(work, project_id, delivery.webhook_id)
    if not await work.store.webhook_deliveries.again(delivery_id, work.clock.now()):
        raise StillWaiting
    await _wake(work, delivery.webhook_id)


@requires(Permission.WEBHOOKS_CHANGE)
async def recover(work: Work, project_id: str, webhook_id: str, *, since: datetime | None = None) -> int:
    """Send everything once more that was given up, all of it or since then; answers how much.

    Raises NotFound, Forbidden, SwitchedOff."""
    await _switched_on(work, project_id, webhook_id)
    now, found = work.clock.now(), 0
    while some := await work.store.webhook_deliveries.some_again(webhook_id, since or now - KEPT, now, _SOME):
        found += some
    await _wake(work, webhook_id)
    return found


@open_because("a job of the house")
async def forget(work: Work) -> None:
    """Forget what is older than a month."""
    await work.store.webhook_deliveries.forget(work.clock.now() - KEPT)


class Sending:
    """Sends what waits: to each webhook one after another in its order, to many webhooks at once."""

    def __init__(self) -> None:
        # What speaks to a webhook now, by its id, and whose it is.
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._owners: dict[str, str] = {}

    async def begin(self, work: Work) -> None:
        """Begin with every webhook that something waits for; none is waited for here. Raises Unavailable."""
        while len(self._under_way) < _MOST_AT_ONCE:
            busy, now = Counter(self._owners.values()), work.clock.now()
            full = [org_id for org_id, many in busy.items() if many >= _MOST_OF_ONE]
            woken = await work.store.webhooks.take(now, until=now + _LEASE, without=self._under_way, full=full)
            if woken is None:
                return
            task = asyncio.create_task(self._drain(work, woken))
            self._under_way[woken.id], self._owners[woken.id] = task, woken.org_id
            task.add_done_callback(lambda _, webhook_id=woken.id: self._ended(webhook_id))

    async def end(self) -> None:
        """Stop; what is cut in two is sent again by whoever claims it next."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until everything under way is over."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values())

    async def _drain(self, work: Work, woken: Woken) -> None:
        """Send what waits for it, for a moment or until nothing is answered; then it is others' turn."""
        loop, answers = asyncio.get_running_loop(), True
        ends = loop.time() + _TURN_SECONDS
        try:
            while answers and loop.time() < ends and (delivery := await _claimed(work, woken.id)):
                answers = await _deliver(work, delivery)
            now = work.clock.now()
            # To the end of the line, however long it has waited.
            turn = now if answers else now + _REST
            # Whoever kept something may have died before saying so: now and then it is looked.
            upcoming = await work.store.webhook_deliveries.next_due(woken.id) or now + _LOOK_AGAIN
            await work.store.webhooks.rest(woken, max(upcoming, turn), turn=turn)
            if answers and upcoming <= now:
                work.parts.bus.say("webhook_deliveries:")
        except PulseError as error:
            # It is taken again when its lease is over, as what was claimed of it.
            log.warning("webhook.delivery_failed", webhook=woken.id, code=error.code)

    def _ended(self, webhook_id: str) -> None:
        del self._under_way[webhook_id], self._owners[webhook_id]


async def _claimed(work: Work, webhook_id: str) -> WebhookDelivery | None:
    now = work.clock.now()
    return await work.store.webhook_deliveries.claim(webhook_id, now, until=now + _LEASE)


async def _deliver(work: Work, delivery: WebhookDelivery) -> bool:
    """Whether there was an answer, or nothing to send."""
    deliveries = work.store.webhook_deliveries
    try:
        webhook = await work.store.webhooks.get(delivery.webhook_id)
        away = not webhook.enabled or not await _is_there(work, webhook)
    except NotFound:
        await deliveries.finish(delivery.id, "dead", work.clock.now(), status=None, failure="removed", tried=False)
        return True
    if away:
        await deliveries.finish(delivery.id, "dead", work.clock.now(), status=None, failure="switched off", tried=False)
        return True
    status, failure = await _sent(work, webhook, delivery)
    now = work.clock.now()
    pauses = work.parts.policy.webhook_pauses
    if status in _TAKEN:
        await deliveries.finish(delivery.id, "delivered", now, status=status, failure=None)
    elif delivery.attempts >= len(pauses):
        await deliveries.finish(delivery.id, "dead", now, status=status, failure=failure)
    else:
        later = now + timedelta(seconds=pauses[delivery.attempts])
        await deliveries.put_off(delivery.id, later, status=status, failure=failure)
    work.parts.bus.say(f"webhook_delivered:{delivery.project_id}")
    return status is not None


async def _sent(work: Work, webhook: Webhook, delivery: WebhookDelivery) -> tuple[int | None, str | None]:
    """What was answered, or why nothing was."""
    now = work.clock.now()
    try:
        async with asyncio.timeout(SECONDS):
            status = await webhooks.send(
                work.parts.outbound,
                webhook.url,
                delivery.body.encode(),
                secrets=project_webhooks.secrets_of(work, webhook, now),
                message_id=delivery.event_id,
                now=work.clock.time(),
                seconds=SECONDS,
                headers=project_webhooks.headers_of(work, webhook),
            )
    except (TimeoutError, httpx.TimeoutException):
        return None, f"no answer within {SECONDS:.0f} s"
    except OutboundRefused:
        # Where a name leads on this network is nobody's to learn.
        return None, "leads where Pulse does not go"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return None, _said(error)
    except Unreadable:
        log.exception("webhook.unreadable", webhook=webhook.id)
        return None, "its secret can't be read; rotate it"
    except Exception:
        log.exception("webhook.crashed", webhook=webhook.id, delivery=delivery.id)
        return None, "could not be sent"
    return status, None if status in _TAKEN else f"answered {status}"


def _said(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "could not connect"
        case _:
            return "the connection broke"


async def _is_there(work: Work, webhook: Webhook) -> bool:
    """Whether its project and organization are."""
    try:
        await work.store.projects.get(webhook.project_id)
        await work.store.organizations.get(webhook.org_id)
    except NotFound:
        return False
    return True


async def _put(work: Work, webhook: Webhook, event_id: str, event: str, body: str) -> str:
    delivery_id = work.new_id(_PREFIX)
    document = {
        "_id": delivery_id,
        "org_id": webhook.org_id,
        "project_id": webhook.project_id,
        "webhook_id": webhook.id,
        "event_id": event_id,
        "type": event,
        "body": body,
    }
    now = work.clock.now()
    await work.store.webhook_deliveries.put(document, now=now)
    # Also where it was kept before: whoever kept it may have died before this.
    await _wake(work, webhook.id)
    return delivery_id


async def _switched_on(work: Work, project_id: str, webhook_id: str) -> Webhook:
    webhook = await project_webhooks.one_of(work, project_id, webhook_id)
    if not webhook.enabled:
        raise SwitchedOff
    return webhook


async def _wake(work: Work, webhook_id: str) -> None:
    await work.as_system("something is to be sent").store.webhooks.wake(webhook_id, work.clock.now())
    work.parts.bus.say("webhook_deliveries:")
