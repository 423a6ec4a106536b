"""A project's API keys over HTTP. A secret stands in the answer that makes it, and never again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from pulse_dash.api.bodies import Answer, Body, Listing, Moment, Name, PageLimit, PageNumber, Search, Text, cut, listed
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Caller, reach
from pulse_dash.core import keys
from pulse_dash.core.keys import MOST_GRACE_SECONDS, Key, ShownKey

router = APIRouter(prefix="/v1/projects/{project_id}", tags=["keys"])


class NewKey(Body):
    name: Name


class Regeneration(Body):
    key_id: Text | None = Field(None, description="The project's first key without it.")
    grace_seconds: int = Field(0, ge=0, le=MOST_GRACE_SECONDS, description="How long the old pair keeps working.")


class KeyAnswer(Answer):
    id: str
    name: str
    pulse_api_key: str
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None
    old_valid_until: Moment | None
    warning: Literal["unused_30_days"] | None = Field(description="Revoke a key that nobody uses.")


class ShownKeyAnswer(Answer):
    id: str
    name: str
    pulse_api_key: str
    pulse_api_secret: ShownOnce
    old_valid_until: Moment | None = None


@router.post(
    "/regenerate-keys",
    summary="Give a key a new pair",
    dependencies=[reach(keys.regenerate, "projects", "project_id")],
)
@idempotent
async def regenerate(work: Caller, project_id: str, body: Regeneration | None = None) -> ShownKeyAnswer:
    key_id, grace_seconds = (body.key_id, body.grace_seconds) if body else (None, 0)
    return _shown(await keys.regenerate(work, project_id, key_id=key_id, grace_seconds=grace_seconds))


@router.get("/keys", summary="All keys, revoked ones too")
async def listing(
    work: Caller, project_id: str, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[KeyAnswer]:
    found = cut(await keys.listing(work, project_id), page, limit, search=search, words=_words)
    return listed(found, [_answer(key, work.clock.now()) for key in found.items])


@router.post(
    "/keys", status_code=201, summary="Make a key", dependencies=[reach(keys.create, "projects", "project_id")]
)
@idempotent
async def create(work: Caller, project_id: str, body: NewKey) -> ShownKeyAnswer:
    return _shown(await keys.create(work, project_id, name=body.name))


@router.delete("/keys/{key_id}", status_code=204, summary="Revoke a key; refused everywhere within a second")
async def revoke(work: Caller, project_id: str, key_id: str) -> None:
    await keys.revoke(work, project_id, key_id)


def _words(key: Key) -> tuple[str, ...]:
    return key.id, key.name, key.public


def _shown(key: ShownKey) -> ShownKeyAnswer:
    return ShownKeyAnswer(
        id=key.id,
        name=key.name,
        pulse_api_key=key.public,
        pulse_api_secret=key.secret.reveal(),
        old_valid_until=key.old_valid_until,
    )


def _answer(key: Key, now: datetime) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        name=key.name,
        pulse_api_key=key.public,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        old_valid_until=key.old_valid_until,
        warning="unused_30_days" if keys.is_unused(key, now) else None,
    )
