"""A project's webhooks over HTTP. A secret stands in the answer that makes it, and never again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from pulse_dash.api.bodies import (
    Address,
    Answer,
    Body,
    GivenMoment,
    Listing,
    Moment,
    PageLimit,
    PageNumber,
    Text,
    listed,
    shown,
)
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Caller, reach
from pulse_dash.api.versions import IfMatch, tag, version_of
from pulse_dash.core import project_webhooks, webhook_deliveries
from pulse_dash.core.project_webhooks import (
    EVENTS,
    LONGEST_DESCRIPTION,
    LONGEST_HEADER,
    MOST_HEADERS,
    UNCHANGED,
    GivenWebhook,
    Webhook,
)
from pulse_dash.core.webhook_events import SAMPLES

router = APIRouter(prefix="/v1/projects/{project_id}/webhooks", tags=["webhooks"])

Events = Annotated[list[Annotated[str, shown(enum=list(EVENTS))]], Field(min_length=1, max_length=len(EVENTS))]
Headers = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=LONGEST_HEADER)]],
    Field(max_length=MOST_HEADERS, description="Sent beside Pulse's own; never shown again."),
]
Description = Annotated[Text, Field(max_length=LONGEST_DESCRIPTION)]


class NewWebhook(Body):
    url: Address = Field(description="https://, and nothing private.")
    events: Events | None = Field(None, description="Without it all of them.")
    description: Description = ""
    headers: Headers | None = None


class WebhookChange(Body):
    """What is named is changed; `events` of null are all, `headers` of null none."""

    url: Address | None = None
    events: Events | None = None
    description: Description | None = None
    headers: Headers | None = None
    enabled: bool | None = None


class Trial(Body):
    type: Text = Field(description=f"One of {', '.join(SAMPLES)}.")


class Recovery(Body):
    since: GivenMoment | None = Field(None, description="UTC ISO 8601; without it the last 30 days.")


class ProjectWebhookAnswer(Answer):
    id: str
    url: str
    events: list[str]
    description: str
    enabled: bool
    created_at: Moment


class NewProjectWebhookAnswer(ProjectWebhookAnswer):
    secret: ShownOnce


class RotatedAnswer(Answer):
    id: str
    secret: ShownOnce
    old_valid_until: Moment


class TrialAnswer(Answer):
    delivery_id: str


class RecoveredAnswer(Answer):
    replayed: int


@router.get("", summary="The project's webhooks, the oldest first")
async def listing(
    work: Caller, project_id: str, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[ProjectWebhookAnswer]:
    found = await project_webhooks.listing(work, project_id, page=page, limit=limit)
    return listed(found, [_answer(webhook) for webhook in found.items])


@router.post(
    "",
    status_code=201,
    summary="Tell one more address what happens",
    dependencies=[reach(project_webhooks.create, "projects", "project_id")],
)
@idempotent
async def create(work: Caller, project_id: str, body: NewWebhook, response: Response) -> NewProjectWebhookAnswer:
    given = GivenWebhook(body.url, body.events, body.description, body.headers)
    made = await project_webhooks.create(work, project_id, given)
    return NewProjectWebhookAnswer(**_answer(made.webhook, response).model_dump(), secret=made.secret.reveal())


@router.get("/{webhook_id}", summary="One webhook")
async def read(work: Caller, project_id: str, webhook_id: str, response: Response) -> ProjectWebhookAnswer:
    return _answer(await project_webhooks.read(work, project_id, webhook_id), response)


@router.put(
    "/{webhook_id}",
    summary="Change the named fields",
    dependencies=[reach(project_webhooks.change, "webhooks", "webhook_id")],
)
async def change(
    work: Caller, project_id: str, webhook_id: str, body: WebhookChange, response: Response, if_match: IfMatch = None
) -> ProjectWebhookAnswer:
    named = body.model_fields_set
    changed = await project_webhooks.change(
        work,
        project_id,
        webhook_id,
        url=body.url,
        events=body.events if "events" in named else UNCHANGED,
        description=body.description,
        headers=body.headers if "headers" in named else UNCHANGED,
        enabled=body.enabled,
        version=version_of(if_match),
    )
    return _answer(changed, response)


@router.delete("/{webhook_id}", status_code=204, summary="Tell it nothing any more")
async def remove(work: Caller, project_id: str, webhook_id: str) -> None:
    await project_webhooks.remove(work, project_id, webhook_id)


@router.post(
    "/{webhook_id}/rotate-secret",
    summary="Give it a new secret; the old one signs beside it for a day",
    dependencies=[reach(project_webhooks.rotate_secret, "webhooks", "webhook_id")],
)
@idempotent
async def rotate_secret(work: Caller, project_id: str, webhook_id: str) -> RotatedAnswer:
    made = await project_webhooks.rotate_secret(work, project_id, webhook_id)
    until = made.webhook.old_until or work.clock.now()
    return RotatedAnswer(id=made.webhook.id, secret=made.secret.reveal(), old_valid_until=until)


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    summary="Send it a sample of an event",
    dependencies=[reach(webhook_deliveries.test, "webhooks", "webhook_id")],
)
@idempotent
async def test(work: Caller, project_id: str, webhook_id: str, body: Trial) -> TrialAnswer:
    return TrialAnswer(delivery_id=await webhook_deliveries.test(work, project_id, webhook_id, event=body.type))


@router.post(
    "/{webhook_id}/recover",
    status_code=202,
    summary="Send everything once more that was given up",
    dependencies=[reach(webhook_deliveries.recover, "webhooks", "webhook_id")],
)
@idempotent
async def recover(work: Caller, project_id: str, webhook_id: str, body: Recovery | None = None) -> RecoveredAnswer:
    since = body.since if body else None
    return RecoveredAnswer(replayed=await webhook_deliveries.recover(work, project_id, webhook_id, since=since))


def _answer(webhook: Webhook, response: Response | None = None) -> ProjectWebhookAnswer:
    if response is not None:
        tag(response, webhook.version)
    return ProjectWebhookAnswer(
        id=webhook.id,
        url=webhook.url,
        events=list(EVENTS if webhook.events is None else webhook.events),
        description=webhook.description,
        enabled=webhook.enabled,
        created_at=webhook.created_at,
    )
