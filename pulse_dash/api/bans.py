"""Bans of identities over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import (
    ONE_LINE,
    Answer,
    Body,
    GivenMoment,
    Listing,
    Moment,
    PageLimit,
    PageNumber,
    Search,
    Text,
    listed,
    shown,
)
from pulse_dash.api.idempotent import idempotent
from pulse_dash.api.principals import Caller, reach
from pulse_dash.core import bans
from pulse_dash.core.bans import LONGEST_REASON, Ban

router = APIRouter(prefix="/v1/projects/{project_id}/bans", tags=["bans"])


Identity = Annotated[
    str, Field(min_length=1, max_length=128, description="At most 200 bytes of UTF-8."), shown(pattern=ONE_LINE)
]


class NewBan(Body):
    identity: Identity
    reason: Annotated[Text, Field(min_length=1, max_length=LONGEST_REASON)]
    until: GivenMoment | None = Field(None, description="UTC ISO 8601; without it for good.")


class BanAnswer(Answer):
    id: str
    identity: str
    reason: str
    until: Moment | None
    created_by: str
    created_at: Moment


@router.get("", summary="Who is banned, the newest first")
async def listing(
    work: Caller, project_id: str, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[BanAnswer]:
    found = await bans.listing(work, project_id, search=search, page=page, limit=limit)
    return listed(found, [_answer(ban) for ban in found.items])


@router.post(
    "",
    status_code=201,
    summary="Ban an identity and put it out of running rooms",
    dependencies=[reach(bans.ban, "projects", "project_id")],
)
@idempotent
async def ban(work: Caller, project_id: str, body: NewBan) -> BanAnswer:
    return _answer(await bans.ban(work, project_id, identity=body.identity, reason=body.reason, until=body.until))


@router.delete("/{ban_id}", status_code=204, summary="Lift a ban")
async def lift(work: Caller, project_id: str, ban_id: str) -> None:
    await bans.lift(work, project_id, ban_id)


def _answer(ban: Ban) -> BanAnswer:
    return BanAnswer(
        id=ban.id,
        identity=ban.identity,
        reason=ban.reason,
        until=ban.until,
        created_by=ban.created_by,
        created_at=ban.created_at,
    )
