"""A project's webhooks: which addresses are told of what happens in its rooms, and the secrets that sign it.

What is told, how it is tried again and when it is given up is told by webhook_deliveries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from pulse_dash.core import webhooks
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.errors import Conflict, FieldError, Invalid, NotFound, PreconditionFailed
from pulse_dash.core.names import has_controls
from pulse_dash.core.outbound import MOST_CHARACTERS, Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.core.work import Work
from pulse_dash.store.engine import Document, DuplicateKey
from pulse_dash.store.records import Page
from pulse_dash.store.webhooks import Webhook as Webhook  # noqa: PLC0414 - api and state take it from here

MOST: Final = 10
LONGEST_DESCRIPTION: Final = 256
MOST_HEADERS: Final = 10
LONGEST_HEADER: Final = 512
# For so long the secret before a rotation signs as well.
OVERLAP: Final = timedelta(hours=24)

EVENTS: Final = (
    "participant_joined",
    "participant_left",
    "room_started",
    "room_ended",
    "egress_started",
    "egress_ended",
    "recording_available",
    "ingress_started",
    "ingress_ended",
    "usage_alert",
    "invoice_created",
    "moderation_action",
    "webhook_endpoint_disabled",
)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
# Ours, and those that say how a message is read or where it goes.
_OURS = frozenset(
    (
        *("host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "te"),
        *("expect", "upgrade", "trailer", "keep-alive", "proxy-connection", "proxy-authorization", "user-agent"),
    )
)


class TooManyWebhooks(Conflict):
    """Each event leaves once for each webhook, so their number has an end."""

    code = "too_many_webhooks"

    def __init__(self) -> None:
        super().__init__(f"A project has {MOST} webhooks at most. Remove one first.")


@dataclass(frozen=True, slots=True)
class GivenWebhook:
    """A webhook as somebody gives it to a project; without `events` it is told of everything."""

    url: str
    events: Sequence[str] | None = None
    description: str = ""
    headers: Mapping[str, str] | None = None


class _Unchanged:
    """What a change does not speak of; None takes it away."""


UNCHANGED: Final = _Unchanged()


@dataclass(frozen=True, slots=True)
class ShownWebhook:
    """A webhook at the one moment when its secret can be read."""

    webhook: Webhook
    secret: Secret


@requires(Permission.WEBHOOKS_CHANGE)
async def create(work: Work, project_id: str, given: GivenWebhook) -> ShownWebhook:
    """Tell one more address. Raises NotFound, Forbidden, Invalid, TooManyWebhooks."""
    project = await work.store.projects.get(project_id)
    secret, document = await drafted(work, project.org_id, project_id, project.name, given)
    for number in range(MOST):
        # Of two who take the same place at once the second goes on to the next.
        with suppress(DuplicateKey):
            placed = {**document, "place": place(project_id, number)}
            return ShownWebhook(await work.store.webhooks.add(placed, document["pending"][0]), secret)
    raise TooManyWebhooks


@requires(Permission.WEBHOOKS_CHANGE)
async def listing(work: Work, project_id: str, *, page: int = 1, limit: int = 20) -> Page[Webhook]:
    """The project's webhooks, the oldest first. Raises NotFound, Forbidden."""
    await work.store.projects.get(project_id)
    return await work.store.webhooks.of_project(project_id, page=page, limit=limit)


@requires(Permission.WEBHOOKS_CHANGE)
async def read(work: Work, project_id: str, webhook_id: str) -> Webhook:
    """One webhook. Raises NotFound, Forbidden."""
    return await one_of(work, project_id, webhook_id)


@requires(Permission.WEBHOOKS_CHANGE)
async def change(
    work: Work,
    project_id: str,
    webhook_id: str,
    *,
    url: str | None = None,
    events: Sequence[str] | _Unchanged | None = UNCHANGED,
    description: str | None = None,
    headers: Mapping[str, str] | _Unchanged | None = UNCHANGED,
    enabled: bool | None = None,
    version: int | None = None,
) -> Webhook:
    """Change what is named and leave the rest; `events` of None is everything again, `headers` of None none.

    One that is switched off is told nothing, and gets nothing of that later.
    Raises NotFound, Forbidden, Invalid, PreconditionFailed, Moved."""
    before = await one_of(work, project_id, webhook_id)
    if version not in (None, before.version):
        raise PreconditionFailed
    values: dict[str, Any] = {}
    plain = {"url": url, "description": description, "enabled": enabled}
    values |= {name: value for name, value in plain.items() if value not in (None, getattr(before, name))}
    changes = {name: {"before": getattr(before, name), "after": value} for name, value in values.items()}
    if "url" in changes:
        changes["url"] = {"before": _leads_to(before.url), "after": _leads_to(values["url"])}
        moves = changes["url"]["before"] != changes["url"]["after"]
        if moves and before.sealed_headers is not None and isinstance(headers, _Unchanged):
            # They were given for another host, and may open something there.
            headers = None
    if not isinstance(events, _Unchanged) and _chosen(events) != before.events:
        changes["events"] = {"before": _told(before.events), "after": _told(_chosen(events))}
        values["events"] = _kept(events)
    if not isinstance(headers, _Unchanged):
        # What their values are is sealed, and no log tells it.
        changes["headers"] = {"before": None, "after": sorted(headers or ())}
        values["sealed_headers"] = _sealed(work, headers)
    _check(
        None if isinstance(events, _Unchanged) else events,
        values.get("description", ""),
        None if isinstance(headers, _Unchanged) else headers,
    )
    if "url" in values:
        await _check_address(work, values["url"], "url")
    if not changes:
        return before
    return await _changed(work, before, values, changes)


@requires(Permission.WEBHOOKS_CHANGE)
async def rotate_secret(work: Work, project_id: str, webhook_id: str) -> ShownWebhook:
    """Give it a new secret; the old one signs beside it for `OVERLAP`. Raises NotFound, Forbidden, Moved."""
    before = await one_of(work, project_id, webhook_id)
    secret = Secret(webhooks.random_secret())
    values = {
        "sealed_secret": work.parts.vault.sealed(secret.reveal().encode()),
        "old_sealed_secret": before.sealed_secret,
        "old_until": work.clock.now() + OVERLAP,
    }
    changed = await _changed(work, before, values, {"secret": {"before": None, "after": "rotated"}})
    return ShownWebhook(changed, secret)


@requires(Permission.WEBHOOKS_CHANGE)
async def remove(work: Work, project_id: str, webhook_id: str) -> None:
    """Tell it nothing any more, neither what waits. Raises NotFound, Forbidden."""
    before = await one_of(work, project_id, webhook_id)
    now = work.clock.now()
    entry = await _entry(work, "webhook.deleted", before)
    # Its secrets go with it.
    gone = ("place", "old_sealed_secret", "old_until", "sealed_headers")
    await work.store.webhooks.change(webhook_id, {"removed_at": now, "sealed_secret": b""}, entry, unset=gone)
    # What waits is ended by whoever was to send it.
    await work.as_system("a webhook is gone").store.webhooks.wake(webhook_id, now)


@open_because("whoever asks holds the permission already")
async def one_of(work: Work, project_id: str, webhook_id: str) -> Webhook:
    """The webhook, where it is this project's. Raises NotFound, Forbidden."""
    await work.store.projects.get(project_id)
    found = await work.store.webhooks.get(webhook_id)
    if found.project_id != project_id:
        raise NotFound
    return found


@open_because("only drafts; storing the draft needs the permission")
async def drafted(
    work: Work, org_id: str, project_id: str, project_name: str, given: GivenWebhook, *, field: str = "url"
) -> tuple[Secret, Document]:
    """A webhook's secret, to show, and its document with its entry; `field` is where its address was named.

    Raises Invalid."""
    _check(given.events, given.description, given.headers)
    await _check_address(work, given.url, field)
    webhook_id, secret, vault = work.new_id("whk"), Secret(webhooks.random_secret()), work.parts.vault
    document: Document = {
        "_id": webhook_id,
        "org_id": org_id,
        "project_id": project_id,
        "url": given.url,
        "description": given.description,
        "enabled": True,
        "sealed_secret": vault.sealed(secret.reveal().encode()),
        "removed_at": None,
        "wakes": 0,
        "due_at": work.clock.now(),
        "events": _kept(given.events),
        "sealed_headers": _sealed(work, given.headers),
    }
    changes = {
        "url": {"before": None, "after": _leads_to(given.url)},
        "events": {"before": None, "after": _told(_chosen(given.events))},
    }
    entry = work.entry(
        "webhook.created",
        org_id=org_id,
        resource="webhook",
        resource_id=webhook_id,
        name=project_name,
        changes=changes,
    )
    return secret, work.store.webhooks.draft(document, entry)


async def _changed(work: Work, before: Webhook, values: Mapping[str, Any], changes: Mapping[str, Any]) -> Webhook:
    entry = await _entry(work, "webhook.updated", before, changes)
    return await work.store.webhooks.change(before.id, values, entry, expect={"version": before.version})


async def _entry(
    work: Work, action: str, webhook: Webhook, changes: Mapping[str, Any] | None = None
) -> dict[str, object]:
    project = await work.store.projects.get(webhook.project_id)
    return work.entry(
        action,
        org_id=webhook.org_id,
        resource="webhook",
        resource_id=webhook.id,
        name=project.name,
        changes=changes,
    )


def place(project_id: str, number: int) -> str:
    """One of the project's ten; ids have one length, so the two parts never slide into each other."""
    return f"{project_id}:{number}"


def _leads_to(url: str) -> str:
    """What the log tells of an address: whoever reads it may not know the rest, which often opens something."""
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"


def _chosen(events: Sequence[str] | None) -> tuple[str, ...] | None:
    """In one order, each once."""
    return None if events is None else tuple(event for event in EVENTS if event in events)


def _kept(events: Sequence[str] | None) -> list[str] | None:
    chosen = _chosen(events)
    return None if chosen is None else list(chosen)


def _sealed(work: Work, headers: Mapping[str, str] | None) -> bytes | None:
    return work.parts.vault.sealed(orjson.dumps(dict(headers))) if headers else None


def _told(events: tuple[str, ...] | None) -> list[str] | str:
    return "all" if events is None else list(events)


def _check(events: Sequence[str] | None, description: str, headers: Mapping[str, str] | None) -> None:
    errors: list[FieldError] = []
    if events is not None and (not events or set(events) - set(EVENTS)):
        errors.append(FieldError("events", f"Must be some of {', '.join(EVENTS)}; leave it out for all."))
    if has_controls(description) or len(description) > LONGEST_DESCRIPTION:
        errors.append(FieldError("description", f"Must be at most {LONGEST_DESCRIPTION} characters on one line."))
    errors += _wrong_headers(headers or {})
    if errors:
        raise Invalid(*errors)


async def _check_address(work: Work, url: str, field: str) -> None:
    webhooks.refuse_plain(work.parts.outbound, url, field=field)
    try:
        sent = httpx.URL(url)
        if sent.host and len(str(sent)) > MOST_CHARACTERS:
            raise Invalid(FieldError(field, f"Must be at most {MOST_CHARACTERS} characters as it is sent."))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Invalid(FieldError(field, "Is no address that can be read.")) from error
    await work.parts.outbound.check(Purpose.WEBHOOK, url, field=field)


def _wrong_headers(headers: Mapping[str, str]) -> list[FieldError]:
    if len(headers) > MOST_HEADERS:
        return [FieldError("headers", f"Must be {MOST_HEADERS} at most.")]
    errors: list[FieldError] = []
    if len({name.lower() for name in headers}) < len(headers):
        errors.append(FieldError("headers", "Each name stands once, whatever its case."))
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS or name.lower().startswith("webhook-"):
            errors.append(FieldError("headers", "Each name must be a header's, and none that Pulse sets itself."))
        elif not _HEADER_VALUE.fullmatch(value) or len(value) > LONGEST_HEADER:
            errors.append(FieldError("headers", f"Each value must be at most {LONGEST_HEADER} visible characters."))
    return errors[:1]


@open_because("whoever sends has found the webhook")
def secrets_of(work: Work, webhook: Webhook, now: datetime) -> list[str]:
    """What signs a message of now: its secret, and the one before while that still does. Raises Unreadable."""
    sealed = [webhook.sealed_secret]
    if webhook.old_sealed_secret is not None and webhook.old_until is not None and webhook.old_until > now:
        sealed.append(webhook.old_sealed_secret)
    return [work.parts.vault.opened(each).decode() for each in sealed]


@open_because("whoever sends has found the webhook")
def headers_of(work: Work, webhook: Webhook) -> dict[str, str]:
    """What is sent beside ours. Raises Unreadable."""
    return {} if webhook.sealed_headers is None else orjson.loads(work.parts.vault.opened(webhook.sealed_headers))
