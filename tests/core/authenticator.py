"""An authenticator app in somebody's hand, and the two halves of signing in with it."""

from __future__ import annotations

import pytest
from pyotp.totp import TOTP

from pulse_dash.core import accounts, second_factor, sessions
from pulse_dash.core.challenges import SecondFactorRequired
from tests.doubles import MovableClock
from tests.people import PASSWORD, Person, Town


class App:
    """An authenticator app: it knows the secret and the time, and nothing else."""

    def __init__(self, secret: str, clock: MovableClock) -> None:
        self._totp, self._clock = TOTP(secret), clock

    def code(self, steps: int = 0) -> str:
        return self._totp.generate_otp(int(self._clock.time()) // 30 + steps)

    def next_code(self) -> str:
        """One that was never shown before."""
        self._clock.move(60)
        return self.code()


async def turned_on(town: Town, person: Person, clock: MovableClock) -> tuple[App, list[str]]:
    """Their app and their recovery codes."""
    setup = await second_factor.begin(town.work(person), password=PASSWORD)
    app = App(setup.secret.reveal(), clock)
    codes = await second_factor.confirm(town.work(person), app.code())
    return app, [code.reveal() for code in codes]


async def challenge_of(town: Town, person: Person, kind: str = sessions.API) -> str:
    """The first half of signing in."""
    with pytest.raises(SecondFactorRequired) as asked:
        await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD, kind=kind)
    return asked.value.challenge.reveal()


async def log_in(town: Town, person: Person, code: str) -> accounts.SignedIn:
    return await accounts.log_in_with_code(town.stranger, challenge=await challenge_of(town, person), code=code)
