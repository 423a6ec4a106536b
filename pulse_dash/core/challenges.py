"""Challenges: what stands between a right password and a sign-in, where a second factor is on.

A challenge says for five minutes that the password was right; with a code of the second factor it becomes a sign-in.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import jwt

from pulse_dash.core import second_factor
from pulse_dash.core.access import open_because
from pulse_dash.core.errors import NotFound, Unauthenticated
from pulse_dash.core.secret import Secret
from pulse_dash.core.work import Work
from pulse_dash.store.users import User

LIFE: Final = timedelta(minutes=5)
_AUDIENCE: Final = "pulse-second-factor"
_TYPE: Final = "pulse-challenge"


class SecondFactorRequired(Unauthenticated):
    """The password was right; a code is still to come, together with the challenge."""

    code = "second_factor_required"

    def __init__(self, challenge: Secret) -> None:
        super().__init__("Enter the code of your authenticator app, or a recovery code.")
        self.challenge = challenge


class ChallengeOver(Unauthenticated):
    """Five minutes are over, the account changed meanwhile, or it was never ours."""

    code = "challenge_over"

    def __init__(self) -> None:
        super().__init__(
            "This sign-in took too long, or the account changed meanwhile. Begin again with your password."
        )


class WrongCode(Unauthenticated):
    """Neither the app's code of this moment nor a recovery code that is left; or it counted already."""

    code = "wrong_code"

    def __init__(self) -> None:
        super().__init__("This code is not right, or was used already.")


@open_because("accounts calls it once a password was right")
def required(work: Work, user: User, kind: str) -> SecondFactorRequired:
    """What stands between this password and a sign-in of that kind."""
    claims = {
        "sub": user.id,
        "epoch": user.epoch,
        "kind": kind,
        "aud": _AUDIENCE,
        "typ": _TYPE,
        "iat": int(work.clock.time()),
        "exp": int((work.clock.now() + LIFE).timestamp()),
    }
    return SecondFactorRequired(Secret(jwt.encode(claims, work.parts.vault.challenge_key, algorithm="HS256")))


@open_because("the challenge says that the password was right, and the code is the rest of the proof")
async def proved(work: Work, challenge: str, code: str, kind: str) -> User:
    """Who gave their password for this challenge and now the code. Raises ChallengeOver, WrongCode, RateLimited."""
    user = await _challenged(work, challenge, kind)
    if user.factor is None:
        raise ChallengeOver
    if not await second_factor.counts(work, user, user.factor, code):
        raise WrongCode
    return user


async def _challenged(work: Work, challenge: str, kind: str) -> User:
    try:
        claims = jwt.decode(
            challenge,
            work.parts.vault.challenge_key,
            algorithms=["HS256"],
            audience=_AUDIENCE,
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise ChallengeOver from error
    if claims.get("typ") != _TYPE or claims.get("kind") != kind or claims["exp"] <= work.clock.time():
        raise ChallengeOver
    try:
        user = await work.as_system("a second factor").store.users.get(claims["sub"])
    except NotFound:
        raise ChallengeOver from None
    # The count moves with each new password, and whenever all sign-ins end.
    if user.epoch != claims["epoch"]:
        raise ChallengeOver
    return user
