"""Accounts and sign-ins over JSON. These routes set no cookie; the dashboard's forms are in session_forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from pulse_dash.api.bodies import Answer, Body, shown
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Anybody, Caller
from pulse_dash.core import accounts, sessions
from pulse_dash.core.accounts import SignedIn
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.core.names import NAME_LENGTH
from pulse_dash.core.sessions import Started
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/auth", tags=["auth"])


# Their rules are core's, which names all that is wrong at once.
Email = Annotated[str, shown(format="email", maxLength=320)]
Password = Annotated[str, shown(minLength=accounts.PASSWORD_LENGTH.start, maxLength=accounts.PASSWORD_LENGTH.stop - 1)]
PersonName = Annotated[str, shown(minLength=1, maxLength=NAME_LENGTH)]


class SignupBody(Body):
    email: Email
    password: Password
    name: PersonName
    organization_name: PersonName


class LoginBody(Body):
    email: str
    password: str


class RefreshBody(Body):
    refresh_token: str


class UserAnswer(Answer):
    id: str
    email: str
    name: str


class OrganizationBrief(Answer):
    id: str
    name: str
    plan: str


class MembershipBrief(Answer):
    id: str
    name: str
    role: str


class Me(Answer):
    user: UserAnswer
    organization: OrganizationBrief | None
    organizations: list[MembershipBrief]


class Tokens(Answer):
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme (RFC 6750)
    expires_in: int = int(sessions.ACCESS_TOKEN_LIFE.total_seconds())


class SignedInAnswer(Me, Tokens):
    """Tokens, and who they belong to."""


class SignedUpAnswer(Me):
    """The same for a new account, whose answer may be asked for again."""

    access_token: ShownOnce
    refresh_token: ShownOnce
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme (RFC 6750)
    expires_in: int = int(sessions.ACCESS_TOKEN_LIFE.total_seconds())


@router.post("/signup", status_code=201, summary="Make an account with its first organization")
@idempotent
async def sign_up(work: Anybody, body: SignupBody) -> SignedUpAnswer:
    signed_in = await _answer(work, await accounts.sign_up(work, **body.model_dump()))
    return SignedUpAnswer.model_validate(signed_in.model_dump())


@router.post("/login", summary="Sign in")
async def log_in(work: Anybody, body: LoginBody) -> SignedInAnswer:
    return await _answer(work, await accounts.log_in(work, **body.model_dump()))


@router.post("/refresh", summary="Swap a refresh token for the next one")
async def refresh(work: Anybody, body: RefreshBody) -> Tokens:
    return await _tokens(work, await sessions.refresh(work, body.refresh_token))


@router.post("/logout", status_code=204, summary="End this sign-in everywhere")
async def log_out(work: Caller) -> None:
    await sessions.end(work)


@router.get("/me", summary="Who am I")
async def me(work: Caller) -> Me:
    return _who(await accounts.me(work))


async def _answer(work: Work, signed_in: SignedIn) -> SignedInAnswer:
    if signed_in.started is None:
        raise Unauthenticated
    tokens, who = await _tokens(work, signed_in.started), _who(signed_in)
    return SignedInAnswer(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        user=who.user,
        organization=who.organization,
        organizations=who.organizations,
    )


async def _tokens(work: Work, started: Started) -> Tokens:
    access, _ = await sessions.access_token(work, started)
    return Tokens(access_token=access.reveal(), refresh_token=started.secret.reveal())


def _who(signed_in: SignedIn) -> Me:
    user, organization = signed_in.user, signed_in.organization
    return Me(
        user=UserAnswer(id=user.id, email=user.email, name=user.name),
        organization=organization
        and OrganizationBrief(id=organization.id, name=organization.name, plan=organization.plan),
        organizations=[
            MembershipBrief(id=held.organization.id, name=held.organization.name, role=held.role.value)
            for held in signed_in.memberships
        ],
    )
