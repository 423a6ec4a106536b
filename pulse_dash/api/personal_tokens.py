"""A person's own API tokens over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from pulse_dash.api.bodies import (
    Answer,
    Body,
    Listing,
    Moment,
    Name,
    PageLimit,
    PageNumber,
    Search,
    cut,
    listed,
    shown,
)
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Caller, InPerson
from pulse_dash.core import personal_tokens
from pulse_dash.core.personal_tokens import DAYS, PersonalToken

router = APIRouter(prefix="/v1/auth/tokens", tags=["auth"])


class PersonalTokenBody(Body):
    name: Name
    expires_in_days: Annotated[int, shown(minimum=DAYS.start, maximum=DAYS.stop - 1)] = 90


class PersonalTokenAnswer(Answer):
    """`begins` is what the token begins with; the whole is never shown again."""

    id: str
    name: str
    begins: str
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None


class ShownPersonalTokenAnswer(PersonalTokenAnswer):
    access_token: ShownOnce


@router.get("", summary="My API tokens")
async def listing(
    work: InPerson, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[PersonalTokenAnswer]:
    newest = [_token(each) for each in await personal_tokens.listing(work)]
    found = cut(newest, page, limit, search=search, words=lambda each: (each.id, each.name, each.begins))
    return listed(found, found.items)


@router.post("", status_code=201, summary="Make an API token for a script of mine")
@idempotent
async def create(work: InPerson, body: PersonalTokenBody) -> ShownPersonalTokenAnswer:
    made = await personal_tokens.create(work, name=body.name, expires_in_days=body.expires_in_days)
    return ShownPersonalTokenAnswer(**_token(made.token).model_dump(), access_token=made.secret.reveal())


@router.delete("/{token_id}", status_code=204, summary="Revoke one of my API tokens for good")
async def revoke(work: Caller, token_id: str) -> None:
    await personal_tokens.revoke(work, token_id)


def _token(token: PersonalToken) -> PersonalTokenAnswer:
    return PersonalTokenAnswer(
        id=token.id,
        name=token.name,
        begins=token.handle,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )
