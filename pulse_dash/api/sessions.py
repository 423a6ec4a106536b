"""A person's own sign-ins over HTTP: which there are, and ending them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from pulse_dash.api.bodies import Answer, Listing, Moment, PageLimit, PageNumber, Search, cut, listed
from pulse_dash.api.principals import Caller
from pulse_dash.core import sessions
from pulse_dash.core.access import UserActor
from pulse_dash.core.devices import device_of
from pulse_dash.core.sessions import Session
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/auth/sessions", tags=["auth"])


class SessionAnswer(Answer):
    """`current` is the one that asks; `device` is what the program said of itself."""

    id: str
    kind: Literal["api", "dashboard"]
    device: str
    ip: str
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    current: bool


@router.get("", summary="My sign-ins that are not over")
async def listing(
    work: Caller, page: PageNumber = 1, limit: PageLimit = 20, search: Search = ""
) -> Listing[SessionAnswer]:
    newest = [_session(work, each) for each in await sessions.listing(work)]
    found = cut(newest, page, limit, search=search, words=lambda each: (each.id, each.device, each.ip))
    return listed(found, found.items)


@router.delete("", status_code=204, summary="Sign out everywhere else")
async def end_others(work: Caller) -> None:
    await sessions.end_others(work)


@router.delete("/{session_id}", status_code=204, summary="End one of my sign-ins everywhere")
async def end_one(work: Caller, session_id: str) -> None:
    await sessions.end_one(work, session_id)


def _session(work: Work, session: Session) -> SessionAnswer:
    return SessionAnswer(
        id=session.id,
        kind="dashboard" if session.kind == sessions.DASHBOARD else "api",
        device=device_of(session.user_agent),
        ip=session.ip,
        created_at=session.created_at,
        last_used_at=session.last_used_at or session.created_at,
        expires_at=session.expires_at,
        current=isinstance(work.actor, UserActor) and work.actor.session_id == session.id,
    )
