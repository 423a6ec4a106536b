"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from pulse_dash.api.bodies import Answer, Moment
from pulse_dash.api.principals import Caller
from pulse_dash.core import audit, audit_checkpoints, audit_verify, organizations
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.audit import AuditEntry
from pulse_dash.core.audit_verify import Fault, Head

router = APIRouter(prefix="/v1/audit-logs", tags=["audit"])

OrganizationId = Annotated[str | None, Query(description="Only this organization's entries.")]
OneOrganization = Annotated[str, Query(description="Whose log.")]
GivenCheckpoint = Annotated[
    str | None,
    Query(max_length=1024, description="A checkpoint that was mailed or exported, to compare the log with."),
]
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
    sequence: int | None
    hash: str | None


class FaultAnswer(Answer):
    reason: str
    sequence: int
    entry_id: str | None
    sentence: str


class HeadAnswer(Answer):
    sequence: int
    hash: str
    at: Moment
    key: str
    checkpoint: str


class AnchorAnswer(Answer):
    sequence: int
    at: Moment


class VerifiedAnswer(Answer):
    org_id: str
    fits: bool
    entries: int
    unchained: int
    checkpoints: int
    fault: FaultAnswer | None
    head: HeadAnswer | None
    anchored: AnchorAnswer | None
    compared: bool
    finds: list[str]


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


@router.get("/verify", summary="Whether the log is as it was written", dependencies=[Depends(_reached)])
async def verify(work: Caller, org_id: OneOrganization, checkpoint: GivenCheckpoint = None) -> VerifiedAnswer:
    found = await audit_verify.verify(work, org_id, checkpoint=checkpoint)
    return VerifiedAnswer(
        org_id=org_id,
        fits=found.fits,
        entries=found.entries,
        unchained=found.unchained,
        checkpoints=found.checkpoints,
        fault=_fault(found.fault),
        head=_head(found.head),
        anchored=_anchor(found.head),
        compared=found.compared,
        finds=list(found.finds),
    )


def _fault(fault: Fault | None) -> FaultAnswer | None:
    if fault is None:
        return None
    return FaultAnswer(reason=fault.reason, sequence=fault.sequence, entry_id=fault.entry_id, sentence=fault.sentence)


def _head(head: Head | None) -> HeadAnswer | None:
    if head is None:
        return None
    checkpoint = audit_checkpoints.written(head)
    return HeadAnswer(sequence=head.sequence, hash=head.hash, at=head.at, key=head.key, checkpoint=checkpoint)


def _anchor(head: Head | None) -> AnchorAnswer | None:
    if head is None or head.anchored_sequence is None or head.anchored_at is None:
        return None
    return AnchorAnswer(sequence=head.anchored_sequence, at=head.anchored_at)


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
        sequence=entry.sequence,
        hash=entry.hash,
    )
