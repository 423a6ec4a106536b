"""What subscribers are told of incidents: which event an update is, its mail and its body for webhooks.

Each update is told once to everybody who had confirmed by then. That is derived from the incidents themselves, so
neither a crash nor a second node loses one or tells it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pulse_dash.core.access import open_because
from pulse_dash.core.clock import in_utc
from pulse_dash.core.incidents import OVER, Incident, in_words
from pulse_dash.core.mail import Mail
from pulse_dash.core.mails import post
from pulse_dash.core.names import on_one_line
from pulse_dash.core.status_subscriptions import unsubscribe_link
from pulse_dash.core.work import Work
from pulse_dash.store.status_subscriptions import StatusSubscription

_BATCH: Final = 20
_FIRST: Mapping[str, str] = {"incident": "opened", "maintenance": "scheduled"}
_LAST: Mapping[str, str] = {"incident": "resolved", "maintenance": "completed"}


@open_because("a job of the house")
async def spread(work: Work) -> int:
    """Keep a mail or a delivery for each subscriber and each update that is new; answers how many incidents had one.

    It resumes from what each incident says was told, and what is kept already is not kept twice. Raises Unavailable."""
    store = work.store
    found = await store.incidents.untold(_BATCH)
    for incident in found:
        for number in range(incident.told, len(incident.updates)):
            async for subscriber in store.status_subscriptions.confirmed():
                if subscriber.confirmed_at is not None and subscriber.confirmed_at <= incident.updates[number].at:
                    await _keep(work, subscriber, incident, number)
        await store.incidents.tell(incident)
    return len(found)


def event_of(incident: Incident, number: int) -> str:
    """What happened with this update, as webhooks name it: `incident.opened` and so on."""
    status = incident.updates[number].status
    if status in OVER:
        return f"{incident.kind}.{_LAST[incident.kind]}"
    if number and status == "in_progress" and incident.updates[number - 1].status == "scheduled":
        return "maintenance.started"
    return f"{incident.kind}.{_FIRST[incident.kind] if number == 0 else 'updated'}"


@open_because("it says what everybody may read in words")
def body_of(work: Work, incident: Incident, number: int, *, delivery_id: str, subscription_id: str) -> dict[str, Any]:
    """What a webhook is sent of one update."""
    update = incident.updates[number]
    return {
        "id": delivery_id,
        "type": event_of(incident, number),
        "created_at": in_utc(update.at),
        "data": {
            "id": incident.id,
            "kind": incident.kind,
            "title": incident.title,
            "status": update.status,
            "impact": incident.impact,
            "components": list(incident.components),
            "update": {"at": in_utc(update.at), "status": update.status, "body": update.body},
            "started_at": in_utc(incident.started_at),
            "ends_at": in_utc(incident.ends_at) if incident.ends_at else None,
            "resolved_at": in_utc(incident.resolved_at) if incident.resolved_at else None,
            "url": f"{work.parts.policy.public_url}/status#{incident.id}",
        },
        "unsubscribe_url": unsubscribe_link(work, subscription_id),
    }


async def _keep(work: Work, subscriber: StatusSubscription, incident: Incident, number: int) -> None:
    once = f"{subscriber.id}_{incident.id}_{number}"
    if subscriber.channel == "webhook":
        now, what = work.clock.now(), {"incident_id": incident.id, "number": number}
        await work.store.status_deliveries.put(once, subscriber.id, now=now, **what)
    elif work.parts.post.delivers:
        await post(work, _mail(work, subscriber, incident, number), once=once, to_many=True)


def _mail(work: Work, subscriber: StatusSubscription, incident: Incident, number: int) -> Mail:
    update, link = incident.updates[number], unsubscribe_link(work, subscriber.id)
    title, state = on_one_line(incident.title), in_words(update.status)
    known = (work.parts.board.title_of(name) for name in incident.components)
    affects = f"Affects: {', '.join(known)}\n" if incident.components else ""
    ends = incident.ends_at if incident.kind == "maintenance" else None
    window = f"From {_words(incident.started_at)} to {_words(ends)}\n" if ends else ""
    text = (
        f"{title}\n\n{state}, {_words(update.at)}\n{affects}{window}\n{update.body}\n\n"
        f"All of it: {work.parts.policy.public_url}/status#{incident.id}\n\n"
        f"You are told because this address was subscribed. To end it, open this link and press its button:\n{link}\n"
    )
    return Mail(subscriber.target, f"{state}: {title}", text, link)


def _words(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"
