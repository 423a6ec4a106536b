"""The second factor over HTTP: the second half of signing in, and a person's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from pulse_dash.api.auth import SignedInAnswer, signed_in_answer
from pulse_dash.api.bodies import Answer, Body, Moment, Text
from pulse_dash.api.principals import Anybody, InPerson
from pulse_dash.core import accounts, factor_reset, second_factor
from pulse_dash.core.second_factor import LONGEST_CODE

router = APIRouter(prefix="/v1/auth/second-factor", tags=["auth"])

Code = Annotated[str, Field(max_length=LONGEST_CODE, description="Six digits of the app, or a recovery code.")]


class ChallengeBody(Body):
    challenge: Annotated[str, Field(max_length=1_000)]
    code: Code


class SetupBody(Body):
    password: str


class CodeBody(Body):
    code: Code


class StandingAnswer(Answer):
    """`since` is null while none is on."""

    on: bool
    since: Moment | None
    recovery_codes_left: int


class SetupAnswer(Answer):
    """`uri` is what a QR code for an authenticator app holds; `secret` is for typing it in."""

    secret: str
    uri: str
    expires_at: Moment


class RecoveryCodesAnswer(Answer):
    """Shown this once."""

    recovery_codes: list[str]


class ResetBody(Body):
    """Whose: the address that they sign in with."""

    email: Text


class ResetAnswer(Answer):
    """`told` counts those who were told by mail: the person and all owners of their organizations."""

    id: str
    told: int


async def _operator(work: InPerson) -> None:
    """Asked before the body is looked at."""
    await factor_reset.may_reset(work)


@router.post("", summary="The second half of signing in")
async def log_in(work: Anybody, body: ChallengeBody) -> SignedInAnswer:
    return await signed_in_answer(work, await accounts.log_in_with_code(work, **body.model_dump()))


@router.get("", summary="Whether my second factor is on")
async def standing(work: InPerson) -> StandingAnswer:
    now = await second_factor.standing(work)
    return StandingAnswer(on=now.on, since=now.since, recovery_codes_left=now.codes_left)


@router.post("/setup", summary="Make a secret for my authenticator app")
async def begin(work: InPerson, body: SetupBody) -> SetupAnswer:
    setup = await second_factor.begin(work, password=body.password)
    return SetupAnswer(secret=setup.secret.reveal(), uri=setup.uri.reveal(), expires_at=setup.until)


@router.post("/confirm", summary="Turn my second factor on with the app's first code")
async def confirm(work: InPerson, body: CodeBody) -> RecoveryCodesAnswer:
    codes = await second_factor.confirm(work, body.code)
    return RecoveryCodesAnswer(recovery_codes=[each.reveal() for each in codes])


@router.post("/recovery-codes", summary="Ten new recovery codes in place of those before")
async def renew_codes(work: InPerson, body: CodeBody) -> RecoveryCodesAnswer:
    codes = await second_factor.renew_codes(work, body.code)
    return RecoveryCodesAnswer(recovery_codes=[each.reveal() for each in codes])


@router.post("/reset", summary="Take a lost second factor away, as an operator", dependencies=[Depends(_operator)])
async def reset(work: InPerson, body: ResetBody) -> ResetAnswer:
    user, told = await factor_reset.reset_for(work, body.email)
    return ResetAnswer(id=user.id, told=told)


@router.post("/off", status_code=204, summary="Turn my second factor off")
async def turn_off(work: InPerson, body: CodeBody) -> None:
    await second_factor.turn_off(work, body.code)
