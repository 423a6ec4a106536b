"""Verify over HTTP: the chain of one organization, walked to its end or to the first entry that does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pulse_dash.api.audit import OneOrganization, reached
from pulse_dash.api.bodies import Answer, Moment
from pulse_dash.api.principals import Caller
from pulse_dash.core import audit_checkpoints, audit_verify
from pulse_dash.core.audit_verify import Fault, Head, Verified

# For the log alone: whoever asked is gone.
_NOBODY_WAITS = 499

router = APIRouter(prefix="/v1/audit-logs", tags=["audit"])

GivenCheckpoint = Annotated[
    str | None,
    Query(max_length=1024, description="A checkpoint that was mailed or exported, to compare the log with."),
]


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
    by: Literal["mail", "webhook", "bucket"]


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


@router.get(
    "/verify",
    summary="Whether the log is as it was written",
    dependencies=[Depends(reached)],
    response_model=VerifiedAnswer,
)
async def verify(
    request: Request, work: Caller, org_id: OneOrganization, checkpoint: GivenCheckpoint = None
) -> VerifiedAnswer | Response:
    found = await _while_connected(request, audit_verify.verify(work, org_id, checkpoint=checkpoint))
    if found is None:
        return Response(status_code=_NOBODY_WAITS)
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


async def _while_connected(request: Request, asked: Awaitable[Verified]) -> Verified | None:
    """What is asked for; who goes away ends it, and then it is None."""
    walking, leaving = asyncio.ensure_future(asked), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({walking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return walking.result() if walking.done() else None
    finally:
        for each in (walking, leaving):
            each.cancel()
        await asyncio.wait({walking, leaving})


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


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
    by: Any = head.anchored_by
    return AnchorAnswer(sequence=head.anchored_sequence, at=head.anchored_at, by=by)
