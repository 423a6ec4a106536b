"""Where checkpoints of an organization's audit log go by themselves, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import Address, Answer, Body, Moment, Text
from pulse_dash.api.principals import Caller, reach
from pulse_dash.core import audit_anchors
from pulse_dash.core.access import Permission, holds
from pulse_dash.core.audit_anchors import KEEP, Setting
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/organizations/{org_id}/checkpoints", tags=["audit"])


class CheckpointsChange(Body):
    """What is named is changed; null takes a way away."""

    webhook_url: Address | None = Field(None, description="An HTTPS endpoint that gets each checkpoint by POST.")
    project_id: Text | None = Field(None, description="The project in whose own bucket each is put.")


class ArrivedAnswer(Answer):
    sequence: int
    at: Moment


class FailedAnswer(Answer):
    at: Moment
    detail: str
    times: int


class WebhookAnswer(Answer):
    host: str
    url: str | None = Field(description="For owners.")
    secret: str | None = Field(description="Once, in the answer to the change that names the webhook.")
    arrived: ArrivedAnswer | None
    failed: FailedAnswer | None


class BucketAnswer(Answer):
    project_id: str
    bucket: str | None = Field(description="Null when the project has none of its own any more.")
    arrived: ArrivedAnswer | None
    failed: FailedAnswer | None


class CheckpointsAnswer(Answer):
    org_id: str
    webhook: WebhookAnswer | None
    bucket: BucketAnswer | None


@router.get("", summary="Where checkpoints of the audit log go, and how that went")
async def read(work: Caller, org_id: str) -> CheckpointsAnswer:
    return _answer(work, await audit_anchors.read(work, org_id))


@router.put(
    "",
    summary="Let them go to a webhook, into a bucket, or neither",
    dependencies=[reach(audit_anchors.change, "organizations", "org_id")],
)
async def change(work: Caller, org_id: str, body: CheckpointsChange) -> CheckpointsAnswer:
    named = body.model_fields_set
    found = await audit_anchors.change(
        work,
        org_id,
        webhook_url=body.webhook_url if "webhook_url" in named else KEEP,
        project_id=body.project_id if "project_id" in named else KEEP,
    )
    return _answer(work, found)


def _answer(work: Work, setting: Setting) -> CheckpointsAnswer:
    anchors, project = setting.anchors, setting.project
    owner = holds(work.actor, Permission.ORGANIZATION_CHANGE, anchors.id)
    webhook = bucket = None
    if anchors.webhook_url is not None:
        webhook = WebhookAnswer(
            host=setting.host,
            url=anchors.webhook_url if owner else None,
            secret=setting.secret.reveal() if setting.secret is not None else None,
            arrived=_arrived(setting, "webhook"),
            failed=_failed(setting, "webhook"),
        )
    if anchors.project_id is not None:
        own = project.storage if project is not None else None
        bucket = BucketAnswer(
            project_id=anchors.project_id,
            bucket=own.bucket if own is not None else None,
            arrived=_arrived(setting, "bucket"),
            failed=_failed(setting, "bucket"),
        )
    return CheckpointsAnswer(org_id=anchors.id, webhook=webhook, bucket=bucket)


def _arrived(setting: Setting, way: str) -> ArrivedAnswer | None:
    found = setting.anchors.arrived.get(way)
    return None if found is None else ArrivedAnswer(sequence=found.sequence, at=found.at)


def _failed(setting: Setting, way: str) -> FailedAnswer | None:
    found = setting.anchors.failed.get(way)
    return None if found is None else FailedAnswer(at=found.at, detail=found.sentence, times=found.times)
