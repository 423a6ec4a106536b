"""What a project's webhooks were told, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query

from pulse_dash.api.bodies import Answer, Moment, PageLimit
from pulse_dash.api.idempotent import idempotent
from pulse_dash.api.principals import Caller, reach
from pulse_dash.core import webhook_deliveries
from pulse_dash.core.webhook_deliveries import WebhookDelivery

router = APIRouter(prefix="/v1/projects/{project_id}/webhook-deliveries", tags=["webhooks"])

State = Literal["waiting", "delivered", "dead"]
OfWebhook = Annotated[str | None, Query(max_length=64, description="Only what this webhook was told.")]
After = Annotated[str, Query(max_length=64, description="The `next_cursor` of the page before.")]
InState = Annotated[State | None, Query(description="Only what is in this state.")]


class DeliveryAnswer(Answer):
    id: str
    webhook_id: str
    event_id: str
    type: str
    state: State
    attempts: int
    status: int | None
    failure: str | None
    created_at: Moment
    next_at: Moment | None
    done_at: Moment | None


class DeliveriesAnswer(Answer):
    items: list[DeliveryAnswer]
    next_cursor: str | None


class WholeDeliveryAnswer(DeliveryAnswer):
    body: dict[str, Any]


@router.get("", summary="What webhooks were told in the last 30 days, the newest first")
async def listing(
    work: Caller,
    project_id: str,
    webhook_id: OfWebhook = None,
    state: InState = None,
    cursor: After = "",
    limit: PageLimit = 20,
) -> DeliveriesAnswer:
    found = await webhook_deliveries.listing(
        work, project_id, webhook_id=webhook_id, state=state, cursor=cursor, limit=limit
    )
    return DeliveriesAnswer(items=[_answer(each) for each in found.items], next_cursor=found.next_cursor)


@router.get("/{delivery_id}", summary="One of them, with what was sent")
async def read(work: Caller, project_id: str, delivery_id: str) -> WholeDeliveryAnswer:
    found = await webhook_deliveries.read(work, project_id, delivery_id)
    return WholeDeliveryAnswer(**_answer(found).model_dump(), body=orjson.loads(found.body))


@router.post(
    "/{delivery_id}/replay",
    status_code=202,
    summary="Send it once more, under its old id",
    dependencies=[reach(webhook_deliveries.replay, "webhook_deliveries", "delivery_id")],
)
@idempotent
async def replay(work: Caller, project_id: str, delivery_id: str) -> DeliveryAnswer:
    await webhook_deliveries.replay(work, project_id, delivery_id)
    return _answer(await webhook_deliveries.read(work, project_id, delivery_id))


def _answer(delivery: WebhookDelivery) -> DeliveryAnswer:
    return DeliveryAnswer(
        id=delivery.id,
        webhook_id=delivery.webhook_id,
        event_id=delivery.event_id,
        type=delivery.type,
        state=delivery.state,
        attempts=delivery.attempts,
        status=delivery.status,
        failure=delivery.failure,
        created_at=delivery.created_at,
        next_at=delivery.due_at,
        done_at=delivery.done_at,
    )
