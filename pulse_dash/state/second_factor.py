"""The person's second factor: setting it up, its recovery codes, turning it off.

What is shown once stands here alone: the app's secret while it is set up, and recovery codes until they are put away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import quote

import reflex as rx
import segno

from pulse_dash.core import second_factor
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, LimitExceeded, Unavailable
from pulse_dash.core.second_factor import Setup
from pulse_dash.core.secret import Secret
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import FollowedState
from pulse_dash.state.forms import iso, text

# Longer than other secrets are shown: ten codes are written down by hand where there is no printer.
CODES_SECONDS = 600
_REFUSED = (Invalid, Conflict, Forbidden, LimitExceeded)


class SecondFactorState(FollowedState, PulseState):
    """Whether it is on; `changes` counts up with each thing done, which closes its dialog."""

    _subjects = ("users:",)
    on: bool = False
    since: str = ""
    codes_left: int = 0
    secret: str = ""
    qr: str = ""
    qr_box: str = ""
    codes: list[str] = []
    codes_text: str = ""
    codes_file: str = ""
    _showing: int = 0

    @rx.event
    async def load(self) -> None:
        """Read how it stands; what was shown once is put away."""
        self._empty()
        self.errors = {}
        await self._read(await self._work())

    @rx.event
    async def begin(self, form_data: dict[str, Any]) -> object:
        """Make a secret for an app, for who knows the password."""
        setup = await self._try(lambda work: second_factor.begin(work, password=text(form_data, "password")))
        if setup is None:
            return None
        self._show_setup(setup)
        return SecondFactorState.fade(int(second_factor.SETUP_LIFE.total_seconds()))

    @rx.event
    async def confirm(self, form_data: dict[str, Any]) -> object:
        """The app's first code."""
        return await self._with_codes(lambda work: second_factor.confirm(work, text(form_data, "code")))

    @rx.event
    async def renew_codes(self, form_data: dict[str, Any]) -> object:
        """Ten new recovery codes."""
        return await self._with_codes(lambda work: second_factor.renew_codes(work, text(form_data, "code")))

    @rx.event
    async def turn_off(self, form_data: dict[str, Any]) -> object:
        """The password alone from now on."""

        async def off(work: Work) -> bool:
            await second_factor.turn_off(work, text(form_data, "code"))
            return True

        if await self._try(off) is None:
            return None
        self._empty()
        await self._read(await self._work())
        return rx.toast.success("Your second factor is off.")

    @rx.event
    async def put_away(self) -> None:
        """The codes are kept elsewhere, or the set-up is given up."""
        self._empty()

    @rx.event(background=True, supersedes=True)
    async def fade(self, seconds: int) -> None:
        """Empty what is shown after a while, unless something else has taken its place."""
        async with self:
            showing = self._showing
        await asyncio.sleep(max(1, min(seconds, 3600)))
        async with self:
            if self._showing == showing:
                self._empty()

    async def _with_codes(self, act: Callable[[Work], Awaitable[tuple[Secret, ...]]]) -> object:
        codes = await self._try(act)
        if codes is None:
            return None
        self._empty()
        self.codes = [each.reveal() for each in codes]
        self.codes_text = "\n".join(self.codes)
        self.codes_file = "data:text/plain;charset=utf-8," + quote(self.codes_text + "\n")
        await self._read(await self._work())
        return SecondFactorState.fade(CODES_SECONDS)

    async def _try(self, act: Callable[[Work], Awaitable[Any]]) -> Any:
        try:
            done = await act(await self._work())
        except _REFUSED as refused:
            self.errors = self._sentences(refused)
            return None
        self.errors = {}
        self.changes += 1
        return done

    async def _read(self, work: Work) -> None:
        try:
            now = await second_factor.standing(work)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.on, self.since, self.codes_left = now.on, iso(now.since), now.codes_left
        self.problem = self.reference = ""
        self.loaded = True

    def _show_setup(self, setup: Setup) -> None:
        self._empty()
        secret = setup.secret.reveal()
        self.secret = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        drawn = segno.make(setup.uri.reveal(), error="m")
        self.qr, self.qr_box = _path(drawn.matrix), f"0 0 {len(drawn.matrix)} {len(drawn.matrix)}"

    def _arrive(self) -> None:
        self._empty()

    def _empty(self) -> None:
        self.secret = self.qr = self.qr_box = self.codes_text = self.codes_file = ""
        self.codes = []
        self._showing += 1


def _path(matrix: Iterable[Iterable[int]]) -> str:
    """The dark squares of a QR code as one path, a unit each."""
    return "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark)
