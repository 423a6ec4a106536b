"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from pulse_dash.api.bodies import Answer, Moment
from pulse_dash.api.principals import Caller
from pulse_dash.core import audit, organizations
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.audit import AuditEntry

router = APIRouter(prefix="/v1/audit-logs", tags=["audit"])

OrganizationId = Annotated[str | None, Query(description="Only this organization's entries.")]
ActionName = Annotated[
    str | None, Query(description="Only this action.", json_schema_extra={"enum": [*sorted(ACTIONS), None]})
]
Limit = Annotated[int, Query(ge=1, le=100, description="Entries a page.")]
After = Annotated[str | None, Query(max_length=512, description="The `next_cursor` of the page before.")]


class ActorAnswer(Answer):
    type: Literal["user", "key", "system", "anonymous"]
    id: str
    name: str | None
    email: str | None


class ResourceAnswer(Answer):
    type: str
    id: str
    name: str | None


class EntryAnswer(Answer):
    id: str
    org_id: str | None
    at: Moment
    actor: ActorAnswer
    action: str
    resource: ResourceAnswer
    status: Literal["success", "failure"]
    ip: str
    user_agent: str
    request_id: str
    changes: dict[str, Any]


class LogAnswer(Answer):
    items: list[EntryAnswer]
    next_cursor: str | None


async def _reached(request: Request, work: Caller) -> None:
    """Another tenant's organization is 404 before any other parameter is told to be wrong."""
    org_id = request.query_params.get("org_id")
    if org_id is not None:
        await organizations.read(work, org_id)


@router.get("", summary="Who did what, newest first", dependencies=[Depends(_reached)])
async def listing(
    work: Caller, org_id: OrganizationId = None, action: ActionName = None, limit: Limit = 20, cursor: After = None
) -> LogAnswer:
    found = await audit.listing(work, org_id=org_id, action=action, limit=limit, cursor=cursor)
    return LogAnswer(items=[_answer(entry) for entry in found.items], next_cursor=found.next_cursor)


def _answer(entry: AuditEntry) -> EntryAnswer:
    actor, resource = entry.actor, entry.resource
    return EntryAnswer(
        id=entry.id,
        org_id=entry.org_id,
        at=entry.at,
        actor=ActorAnswer(type=actor["type"], id=actor["id"], name=actor.get("name"), email=actor.get("email")),
        action=entry.action,
        resource=ResourceAnswer(type=resource["type"], id=resource["id"], name=resource.get("name")),
        status="success" if entry.status == "success" else "failure",
        ip=entry.ip,
        user_agent=entry.user_agent,
        request_id=entry.request_id,
        changes=dict(entry.changes),
    )
