"""Checkpoints of an organization's audit log that leave the house by themselves: to a webhook, into a bucket, or both.

Where they go is a setting of the owners. A job sends the newest one an hour after the one before, and at once after
many entries; what does not arrive is tried again until it does, with a newer one in its place where there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

from pulse_dash.core import webhooks
from pulse_dash.core.access import Permission, open_because, requires
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.clock import in_utc
from pulse_dash.core.connections import storage_of
from pulse_dash.core.errors import FieldError, Invalid, NotFound, PulseError, Unavailable
from pulse_dash.core.outbound import Purpose
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Unreadable
from pulse_dash.core.work import Work
from pulse_dash.store.audit_anchors import Anchors, Arrived, Failed
from pulse_dash.store.audit_chain import Head
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.projects import Project

log = structlog.get_logger(__name__)

EVENT: Final = "audit.checkpoint"
FOLDER: Final = "audit-checkpoints"
EVERY: Final = timedelta(hours=1)
# Pauses after each try that failed; from then on the last one, until it arrives.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
_WITHOUT_ORGANIZATION: Final = timedelta(days=1)
_BATCH, _AT_ONCE = 100, 10


class Keep:
    """Leaves a way as it is, where None takes it away."""


KEEP: Final = Keep()


@dataclass(frozen=True, slots=True)
class Setting:
    """Where checkpoints go, with the project whose bucket that is; `secret` is there once, when a webhook is named."""

    anchors: Anchors
    project: Project | None
    secret: Secret | None = None

    @property
    def host(self) -> str:
        """Whose the webhook is, without what its address may keep secret."""
        return host_of(self.anchors.webhook_url)


def host_of(url: str | None) -> str:
    """The host of an address; empty where there is none."""
    return (urlsplit(url).netloc if url else "") or ""


@requires(Permission.VIEW)
async def read(work: Work, org_id: str) -> Setting:
    """Where they go now, and how that went. Raises NotFound."""
    await work.store.organizations.get(org_id)
    return await _shown(work, await work.store.audit_anchors.of(org_id))


@requires(Permission.ORGANIZATION_CHANGE)
async def change(
    work: Work, org_id: str, *, webhook_url: str | Keep | None = KEEP, project_id: str | Keep | None = KEEP
) -> Setting:
    """Let them go to this webhook, or into the bucket of this project's own, from now on; None takes a way away.

    The first leaves within a minute. Raises NotFound, Forbidden, Invalid, Moved."""
    await work.store.organizations.get(org_id)
    before = await _shown(work, await work.store.audit_anchors.of(org_id))
    values: dict[str, Any] = {}
    said: dict[str, Any] = {}
    secret, project = None, before.project
    if not isinstance(webhook_url, Keep) and webhook_url != before.anchors.webhook_url:
        if webhook_url is not None:
            await _check(work, webhook_url)
            secret = Secret(webhooks.random_secret())
        sealed = secret and work.parts.vault.sealed(secret.reveal().encode())
        values |= {"webhook_url": webhook_url, "sealed_secret": sealed}
        said["webhook"] = {"before": before.host or None, "after": host_of(webhook_url) or None}
    if not isinstance(project_id, Keep) and project_id != before.anchors.project_id:
        project = await _with_bucket(work, org_id, project_id) if project_id is not None else None
        values["project_id"] = project_id
        said["bucket"] = {"before": _bucket(before.project), "after": _bucket(project)}
    if not values:
        return before
    kept = await _keep(work, before.anchors, values, said)
    return Setting(kept, project, secret)


@open_because("a job of the house")
async def send(work: Work) -> int:
    """Send what is due; answers how many arrived. Sent twice by a crash, it arrives twice and says the same."""
    due = await work.store.audit_anchors.due(work.clock.now(), _BATCH)
    arrived = 0
    for first in range(0, len(due), _AT_ONCE):
        arrived += sum(await asyncio.gather(*(_send(work, each) for each in due[first : first + _AT_ONCE])))
    return arrived


async def _keep(work: Work, before: Anchors, values: Mapping[str, Any], said: Mapping[str, Any]) -> Anchors:
    org_id, store = before.id, work.store.audit_anchors
    entry = work.entry(
        "audit.checkpoints_changed", org_id=org_id, resource="audit_log", resource_id=org_id, name="", changes=said
    )
    gone = [name for name, value in values.items() if value is None]
    kept = {name: value for name, value in values.items() if value is not None} | {"due_at": work.clock.now()}
    # What was told of a way that leads elsewhere now is not told any more.
    anew = {f"{told}.{way}" for way in said for told in ("arrived", "failed")}
    # A document is made with the first change; two first ones at once are one after the other.
    with suppress(DuplicateKey):
        if not await store.list({"_id": org_id}, sort=[("_id", 1)], limit=1):
            return await store.add({"_id": org_id, **kept}, entry)
    expect = {"webhook_url": before.webhook_url, "project_id": before.project_id}
    return await store.change(org_id, kept, entry, unset=[*gone, *sorted(anew)], expect=expect)


async def _shown(work: Work, anchors: Anchors) -> Setting:
    project = None
    if anchors.project_id is not None:
        with suppress(NotFound):
            project = await work.as_system("name a checkpoint's bucket").store.projects.get(anchors.project_id)
    return Setting(anchors, project)


def _bucket(project: Project | None) -> str | None:
    return None if project is None or project.storage is None else f"{project.storage.bucket} of {project.name}"


async def _check(work: Work, url: str) -> None:
    webhooks.refuse_plain(work.parts.outbound, url, field="webhook_url")
    await work.parts.outbound.check(Purpose.WEBHOOK, url, field="webhook_url")


async def _with_bucket(work: Work, org_id: str, project_id: str) -> Project:
    """Raises Invalid where it is no project of this organization, or has no bucket of its own."""
    found = await work.store.projects.list({"_id": project_id, "org_id": org_id}, sort=[("_id", 1)], limit=1)
    if not found:
        raise Invalid(FieldError("project_id", "Is no project of this organization."))
    if found[0].storage is None:
        sentence = "This project stores in the installation's bucket. Give it one of its own first."
        raise Invalid(FieldError("project_id", sentence))
    return found[0]


# --- on their way


async def _send(work: Work, anchors: Anchors) -> int:
    store, now = work.store.audit_anchors, work.clock.now()
    try:
        await work.store.organizations.get(anchors.id)
    except NotFound:
        await store.put_off(anchors.id, now + _WITHOUT_ORGANIZATION)
        return 0
    head = await work.parts.store.chains.head(anchors.id)
    if head is None:
        await store.put_off(anchors.id, now + PAUSES[0])
        return 0
    arrived, pause = 0, EVERY
    for way, target in anchors.targets.items():
        last = anchors.arrived.get(way)
        if last is not None and last.sequence == head.sequence:
            continue
        sentence = await _sent(work, anchors, way, head)
        if sentence is None:
            if await store.took(anchors.id, way, target, Arrived(head.sequence, now)):
                await work.parts.store.chains.keep(head)
                await work.parts.store.chains.left(head, now, way)
            arrived += 1
            continue
        before = anchors.failed.get(way)
        times = 1 if before is None else before.times + 1
        await store.missed(anchors.id, way, target, Failed(now, sentence, times))
        pause = min(pause, PAUSES[min(times, len(PAUSES)) - 1])
    await store.put_off(anchors.id, now + pause)
    return arrived


async def _sent(work: Work, anchors: Anchors, way: str, head: Head) -> str | None:
    """None when it arrived, else why it did not."""
    try:
        return await (_into_bucket(work, anchors, head) if way == "bucket" else _to_webhook(work, anchors, head))
    except PulseError as error:
        return error.detail
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.info("audit.checkpoint_not_sent", chain=head.chain, error=type(error).__name__)
        return "The webhook did not answer within ten seconds, or nobody listens at its address."


async def _into_bucket(work: Work, anchors: Anchors, head: Head) -> None:
    try:
        project = await work.store.projects.get(anchors.project_id or "")
    except NotFound:
        raise Unavailable("storage", "The project of this bucket was deleted. Choose another one.") from None
    if project.storage is None:
        raise Unavailable("storage", "The project has no bucket of its own any more. Choose another one.")
    await storage_of(work, project).write(object_of(head), written(head).encode() + b"\n")


def object_of(head: Head) -> str:
    """Under which key a checkpoint lies in a bucket."""
    return f"{FOLDER}/{head.chain}/{head.sequence}.json"


async def _to_webhook(work: Work, anchors: Anchors, head: Head) -> str | None:
    try:
        secret = work.parts.vault.opened(anchors.sealed_secret or b"").decode()
    except Unreadable:
        return "The secret of this webhook can't be read any more. Take it away and name it again."
    # The same checkpoint has the same id, so that a receiver knows what it has seen.
    message_id = f"{head.chain}_{head.sequence}"
    at = in_utc(head.at)
    data = {"org_id": head.chain, "checkpoint": orjson.Fragment(written(head))}
    body = orjson.dumps({"id": message_id, "type": EVENT, "created_at": at, "data": data})
    status = await webhooks.send(
        work.parts.outbound,
        anchors.webhook_url or "",
        body,
        secrets=[secret],
        message_id=message_id,
        now=work.clock.time(),
    )
    return None if 200 <= status < 300 else f"The webhook answered {status}; 2xx says that it has taken it."
