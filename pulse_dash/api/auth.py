"""Accounts and sign-ins over JSON. These routes set no cookie; the dashboard's forms are in session_forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks
from pydantic import Field

from pulse_dash.api.bodies import Answer, Body, shown
from pulse_dash.api.idempotent import ShownOnce, idempotent
from pulse_dash.api.principals import Anybody, Caller, InPerson
from pulse_dash.core import accounts, erasure, links, sessions
from pulse_dash.core.accounts import SignedIn, User
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.core.mail_addresses import address
from pulse_dash.core.names import NAME_LENGTH
from pulse_dash.core.passwords import PASSWORD_LENGTH
from pulse_dash.core.second_factor import LONGEST_CODE
from pulse_dash.core.sessions import Started
from pulse_dash.core.work import Work

router = APIRouter(prefix="/v1/auth", tags=["auth"])


# Their rules are core's, which names all that is wrong at once.
Email = Annotated[str, shown(format="email", maxLength=320)]
Password = Annotated[str, shown(minLength=PASSWORD_LENGTH.start, maxLength=PASSWORD_LENGTH.stop - 1)]
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


class LinkBody(Body):
    token: Annotated[str, Field(max_length=200)]


class ForgotBody(Body):
    email: Email


class ResetBody(LinkBody):
    password: Password


class ProfileBody(Body):
    name: PersonName


class AddressBody(Body):
    password: str
    email: Email


class PasswordBody(Body):
    present: str
    password: Password


class EraseBody(Body):
    password: str
    code: Annotated[str, Field(max_length=LONGEST_CODE)] = Field("", description="Where a second factor is on.")


class UserAnswer(Answer):
    id: str
    email: str
    name: str


class OrganizationBrief(Answer):
    id: str
    name: str
    plan: str


class MembershipBrief(Answer):
    """`second_factor_needed`: the organization asks for one that I do not have, and my role counts once I do."""

    id: str
    name: str
    role: str
    second_factor_needed: bool = False


class Me(Answer):
    user: UserAnswer
    organization: OrganizationBrief | None
    organizations: list[MembershipBrief]


class MeAnswer(Me):
    """`verified` says whether the address is proved."""

    verified: bool


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
    signed_in = await signed_in_answer(work, await accounts.sign_up(work, **body.model_dump()))
    return SignedUpAnswer.model_validate(signed_in.model_dump())


@router.post("/login", summary="Sign in")
async def log_in(work: Anybody, body: LoginBody) -> SignedInAnswer:
    return await signed_in_answer(work, await accounts.log_in(work, **body.model_dump()))


@router.post("/refresh", summary="Swap a refresh token for the next one")
async def refresh(work: Anybody, body: RefreshBody) -> Tokens:
    return await _tokens(work, await sessions.refresh(work, body.refresh_token))


@router.post("/logout", status_code=204, summary="End this sign-in everywhere")
async def log_out(work: Caller) -> None:
    await sessions.end(work)


@router.post("/verify", summary="Prove an address with the link that was mailed to it")
async def verify(work: Anybody, body: LinkBody) -> UserAnswer:
    return _user(await links.verify(work, body.token))


@router.post("/verify/send", status_code=202, summary="Mail me another link that proves my address")
async def send_again(work: Caller) -> None:
    await links.send_again(work)


@router.post("/password/forgot", status_code=202, summary="Mail a link for a new password to an address")
async def forgot(work: Anybody, body: ForgotBody, afterwards: BackgroundTasks) -> None:
    # After the answer, so that neither it nor its time tells whether there is such an account.
    afterwards.add_task(links.forgot, work, address(body.email))


@router.post("/password/reset", status_code=204, summary="Set a new password with the link that was mailed")
async def reset(work: Anybody, body: ResetBody) -> None:
    await links.reset(work, body.token, body.password)


@router.get("/me", summary="Who am I")
async def me(work: Caller) -> MeAnswer:
    signed_in = await accounts.me(work)
    return MeAnswer(**_who(signed_in).model_dump(), verified=signed_in.user.verified_at is not None)


@router.put("/me", summary="Change my name")
async def rename(work: InPerson, body: ProfileBody) -> UserAnswer:
    return _user(await accounts.rename(work, body.name))


@router.delete("/me", status_code=204, summary="Erase my account, for good")
async def erase(work: InPerson, body: EraseBody) -> None:
    await erasure.erase_me(work, password=body.password, code=body.code)


@router.post("/email", status_code=202, summary="Mail a link to my new address, which moves my account there")
async def move(work: InPerson, body: AddressBody) -> None:
    await links.move(work, password=body.password, email=body.email)


@router.post("/password", status_code=204, summary="Change my password, which ends my other sign-ins")
async def change_password(work: InPerson, body: PasswordBody) -> None:
    await accounts.change_password(work, present=body.present, password=body.password)


async def signed_in_answer(work: Work, signed_in: SignedIn) -> SignedInAnswer:
    """What somebody is answered who just signed in."""
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
        user=_user(user),
        organization=organization
        and OrganizationBrief(id=organization.id, name=organization.name, plan=organization.plan),
        organizations=[
            MembershipBrief(
                id=held.organization.id,
                name=held.organization.name,
                role=held.role.value,
                second_factor_needed=held.held_back,
            )
            for held in signed_in.memberships
        ],
    )


def _user(user: User) -> UserAnswer:
    return UserAnswer(id=user.id, email=user.email, name=user.name)
