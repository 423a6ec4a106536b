"""The audit log over HTTP: pages, the newest, numbers, and the file of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pulse_dash.api.bodies import Answer, GivenMoment, Moment, Text
from pulse_dash.api.downloads import Downloading
from pulse_dash.api.principals import Caller
from pulse_dash.core import audit, audit_export, audit_stats, organizations
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.audit import LONGEST, NOUNS, AuditEntry, Filters
from pulse_dash.core.audit_export import Export
from pulse_dash.core.audit_stats import Count
from pulse_dash.core.errors import PulseError
from pulse_dash.core.work import Work

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/audit-logs", tags=["audit"])

OneOrganization = Annotated[str, Query(description="Whose log.")]
OrganizationId = Annotated[str | None, Query(description="Only this organization's entries.")]
Since = Annotated[GivenMoment | None, Query(alias="from", description="From this moment on.")]
Before = Annotated[GivenMoment | None, Query(alias="to", description="Before this moment.")]
ActionName = Annotated[
    str | None,
    Query(
        description="Only this action, or all of a noun as `project.*`.",
        json_schema_extra={"enum": [*sorted(ACTIONS), *sorted(NOUNS), None]},
    ),
]
Found = Annotated[Text | None, Query(max_length=LONGEST, description="An id.")]
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


class LogAnswer(Answer):
    items: list[EntryAnswer]
    next_cursor: str | None


class RecentAnswer(Answer):
    items: list[EntryAnswer]


class DayAnswer(Answer):
    date: str
    total: int
    failures: int


class ActionAnswer(Answer):
    action: str
    total: int
    failures: int


class ActorCountAnswer(Answer):
    type: Literal["user", "key", "system", "anonymous"]
    id: str
    name: str
    total: int
    failures: int


class StatsAnswer(Answer):
    org_id: str
    since: Annotated[Moment, Field(serialization_alias="from")]
    before: Annotated[Moment, Field(serialization_alias="to")]
    total: int
    failures: int
    success_rate: float | None
    days: list[DayAnswer]
    actions: list[ActionAnswer]
    actors: list[ActorCountAnswer]
    others: int


async def reached(request: Request, work: Caller) -> None:
    """Another tenant's organization is 404 before any other parameter is told to be wrong."""
    await _reach(request, work)


async def _reached_by_browser(request: Request, work: Downloading) -> None:
    await _reach(request, work)


async def _reach(request: Request, work: Work) -> None:
    org_id = request.query_params.get("org_id")
    if org_id is not None:
        await organizations.read(work, org_id)


def asked(
    org_id: OrganizationId = None,
    since: Since = None,
    before: Before = None,
    user: Found = None,
    key: Found = None,
    action: ActionName = None,
    resource: Annotated[
        Text | None, Query(max_length=LONGEST, description="An id, or a kind of thing as `project`.")
    ] = None,
    status: Annotated[Literal["success", "failure"] | None, Query(description="How it ended.")] = None,
    search: Annotated[
        Text | None,
        Query(max_length=LONGEST, description="Words of names, actions and request ids, whole ids, or members."),
    ] = None,
) -> Filters:
    """The filters of an address."""
    return Filters(org_id, since, before, user, key, action, resource, status, search)


Asked = Annotated[Filters, Depends(asked)]


@router.get("", summary="Who did what, newest first", dependencies=[Depends(reached)])
async def listing(work: Caller, filters: Asked, limit: Limit = 20, cursor: After = None) -> LogAnswer:
    found = await audit.listing(work, filters, limit=limit, cursor=cursor)
    return LogAnswer(items=[_answer(entry) for entry in found.items], next_cursor=found.next_cursor)


@router.get("/recent", summary="The newest entries", dependencies=[Depends(reached)])
async def recent(work: Caller, org_id: OrganizationId = None, limit: Limit = 10) -> RecentAnswer:
    found = await audit.listing(work, Filters(org_id=org_id), limit=limit)
    return RecentAnswer(items=[_answer(entry) for entry in found.items])


@router.get("/stats", summary="How much of what was done", dependencies=[Depends(reached)])
async def stats(work: Caller, org_id: OneOrganization, since: Since = None, before: Before = None) -> StatsAnswer:
    found = await audit_stats.of(work, org_id, since=since, before=before)
    return StatsAnswer(
        org_id=org_id,
        since=found.since,
        before=found.before,
        success_rate=found.success_rate,
        days=[DayAnswer(date=each.day.isoformat(), **_figures(each.count)) for each in found.days],
        actions=[ActionAnswer(action=each.action, **_figures(each.count)) for each in found.actions],
        actors=[
            ActorCountAnswer(type=each.type, id=each.id, name=each.name, **_figures(each.count))  # type: ignore[arg-type]
            for each in found.actors
        ],
        others=found.others,
        **_figures(found.count),
    )


@router.get(
    "/export",
    summary="All of it as a file",
    dependencies=[Depends(_reached_by_browser)],
    response_class=Response,
    responses={
        200: {
            "description": "Streamed as an attachment.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/jsonl": {"schema": {"type": "string"}},
            },
        }
    },
)
async def export(
    work: Downloading,
    filters: Asked,
    form: Annotated[Literal["csv", "jsonl"], Query(alias="format", description="How it is written.")] = "csv",
) -> Response:
    return as_file(await audit_export.begin(work, filters, form))


def as_file(begun: Export) -> Response:
    """An export as it leaves for whoever asked."""
    kind = "text/csv; charset=utf-8" if begun.form == "csv" else "application/jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{begun.file_name}"'}
    return _Sending(begun, media_type=kind, headers=headers)


class _Sending(StreamingResponse):
    """A file on its way; who breaks off lets go of whoever writes it."""

    def __init__(self, begun: Export, **how: Any) -> None:
        super().__init__(unbroken(begun), **how)
        self._begun = begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._begun.end()


class CutShort(RuntimeError):
    """The file could not be read to its end; what was sent of it must not pass for the whole."""


async def unbroken(begun: Export) -> AsyncGenerator[bytes]:
    """The chunks of a file; a fault on the way breaks the connection. Raises CutShort."""
    try:
        async with aclosing(begun.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk
    except PulseError as error:
        log.warning("audit.export_cut_short", code=error.code)
        raise CutShort from error


def _figures(count: Count) -> dict[str, int]:
    return {"total": count.total, "failures": count.failures}


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
