"""Whether the service works, over HTTP: open to everybody and answered from memory."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from pulse_dash.api.bodies import Answer, Moment
from pulse_dash.api.principals import Anybody
from pulse_dash.core import status

router = APIRouter(prefix="/v1/status", tags=["status"])

StatusName = Literal["operational", "degraded", "down", "unknown"]


class ComponentAnswer(Answer):
    name: str
    status: StatusName
    latency_ms: float | None
    checked_at: Moment | None


class StatusAnswer(Answer):
    status: StatusName
    components: list[ComponentAnswer]
    uptime_seconds: int
    active_projects: int


@router.get("", summary="Whether the service works now")
async def read(work: Anybody) -> StatusAnswer:
    now = status.now(work)
    return StatusAnswer(
        status=now.status,
        components=[
            ComponentAnswer(
                name=each.component.name,
                status=each.result.status if each.result else "unknown",
                latency_ms=each.result.latency_ms if each.result else None,
                checked_at=each.result.checked_at if each.result else None,
            )
            for each in now.standings
        ],
        uptime_seconds=now.uptime_seconds,
        active_projects=now.active_projects,
    )
