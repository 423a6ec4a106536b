"""Incidents and maintenance windows over HTTP: everybody reads, operators write."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from pulse_dash.api.bodies import (
    Answer,
    Body,
    GivenMoment,
    Listing,
    Moment,
    Name,
    PageLimit,
    PageNumber,
    Text,
    cut,
    listed,
)
from pulse_dash.api.idempotent import idempotent
from pulse_dash.api.principals import Anybody, Caller
from pulse_dash.core import incidents
from pulse_dash.core.incidents import LONGEST_BODY, LONGEST_POSTMORTEM, Incident
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/status/incidents", tags=["status"])

Kind = Literal["incident", "maintenance"]
IncidentStatus = Literal[
    "investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed"
]
Impact = Literal["none", "minor", "major", "critical"]
Words = Annotated[Text, Field(max_length=LONGEST_BODY)]
Components = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)]


class NewIncident(Body):
    title: Name
    body: Annotated[Words, Field(min_length=1)]
    kind: Kind = "incident"
    status: IncidentStatus | None = None
    impact: Impact = "minor"
    components: Components = Field(default_factory=list)
    starts_at: GivenMoment | None = None
    ends_at: GivenMoment | None = None


class IncidentChange(Body):
    status: IncidentStatus | None = None
    body: Words | None = None
    title: Name | None = None
    impact: Impact | None = None
    components: Components | None = None
    postmortem: Annotated[Text, Field(max_length=LONGEST_POSTMORTEM)] | None = None


class UpdateAnswer(Answer):
    at: Moment
    status: str
    body: str


class IncidentAnswer(Answer):
    id: str
    kind: Kind
    title: str
    status: IncidentStatus
    impact: Impact
    components: list[str]
    updates: list[UpdateAnswer]
    postmortem: str
    started_at: Moment
    ends_at: Moment | None
    resolved_at: Moment | None


async def _operator(work: Caller) -> None:
    """Asked before the body is looked at."""
    await incidents.may_declare(work)


async def _operator_of(work: Caller, incident_id: str) -> None:
    """404 and 403 come before a wrong field is told."""
    await incidents.may_update(work, incident_id)


@router.get("", summary="Incidents and maintenance, the newest first")
async def listing(work: Anybody, page: PageNumber = 1, limit: PageLimit = 20) -> Listing[IncidentAnswer]:
    found = cut(list(incidents.listing(work)), page, limit)
    return listed(found, [_answer(work, each) for each in found.items])


@router.post("", status_code=201, summary="Tell of an incident or a window", dependencies=[Depends(_operator)])
@idempotent
async def declare(work: Caller, body: NewIncident) -> IncidentAnswer:
    return _answer(work, await incidents.declare(work, **body.model_dump()))


@router.put("/{incident_id}", summary="Tell how it goes", dependencies=[Depends(_operator_of)])
async def update(work: Caller, incident_id: str, body: IncidentChange) -> IncidentAnswer:
    return _answer(work, await incidents.update(work, incident_id, **body.model_dump()))


def _answer(work: Work, incident: Incident) -> IncidentAnswer:
    return IncidentAnswer.model_validate(
        {
            "id": incident.id,
            "kind": incident.kind,
            "title": incident.title,
            "status": incident.status_at(work.clock.now()),
            "impact": incident.impact,
            "components": list(incident.components),
            "updates": [{"at": each.at, "status": each.status, "body": each.body} for each in incident.updates],
            "postmortem": incident.postmortem,
            "started_at": incident.started_at,
            "ends_at": incident.ends_at,
            "resolved_at": incident.resolved_at,
        }
    )
