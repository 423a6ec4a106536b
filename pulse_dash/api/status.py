"""Whether the service works, over HTTP: open to everybody and answered from memory."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import Answer, Moment
from pulse_dash.api.hot import OpenRoute
from pulse_dash.api.principals import Anybody, Caller
from pulse_dash.core import project_health, status
from pulse_dash.core.work import Work

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


class RegionAnswer(Answer):
    name: str
    status: StatusName
    latency_ms: float | None


class RegionsAnswer(Answer):
    items: list[RegionAnswer]


class FactAnswer(Answer):
    name: str
    status: StatusName
    sentence: str
    advice: str
    paste: str = Field(description="Lines for the file that the advice names; empty where there are none.")


class ProjectHealthAnswer(Answer):
    project_id: str
    status: StatusName
    facts: list[FactAnswer]


def _now(work: Work) -> StatusAnswer:
    """The installation and each of its parts, as the last checks found them."""
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


def _stamp(work: Work) -> tuple[int, int]:
    return work.parts.board.moves, work.parts.board.uptime_seconds


HOT = (OpenRoute("/v1/status", StatusAnswer, _now, _stamp, "Whether the service works now"),)


@router.get("/regions", summary="Whether each region works now")
async def regions(work: Anybody) -> RegionsAnswer:
    return RegionsAnswer(
        items=[
            RegionAnswer(name=each.name, status=each.status, latency_ms=each.latency_ms)
            for each in status.regions(work)
        ]
    )


@router.get("/projects/{project_id}", summary="A project's own health, each fact with what to do")
async def of_project(work: Caller, project_id: str) -> ProjectHealthAnswer:
    found = await project_health.of_project(work, project_id)
    facts = [
        FactAnswer(name=each.name, status=each.status, sentence=each.sentence, advice=each.advice, paste=each.paste)
        for each in found.facts
    ]
    return ProjectHealthAnswer(project_id=found.project.id, status=found.status, facts=facts)
