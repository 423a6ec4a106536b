"""The one place where a secret can be seen: filled when a key is made or regenerated, emptied soon after.

It is emptied when its card is put away, before every load of a page and after two minutes.
"""

from __future__ import annotations

import asyncio

import reflex as rx

from pulse_dash.core.keys import ShownKey
from pulse_dash.reflex_seam import PulseState

SHOWN_SECONDS = 120


class SecretState(PulseState):
    """A key at the one moment when its secret can be read."""

    key_id: str = ""
    public: str = ""
    secret: str = ""
    _showing: int = 0
    _arriving: bool = False

    @rx.event
    async def put_away(self) -> None:
        """The reader has copied it."""
        self._empty()

    @rx.event(background=True, supersedes=True)
    async def fade(self) -> None:
        """Empty it two minutes after it appeared, unless another one has taken its place."""
        async with self:
            showing = self._showing
        await asyncio.sleep(SHOWN_SECONDS)
        async with self:
            if self._showing == showing:
                self._empty()

    def _show(self, key: ShownKey, *, arriving: bool = False) -> None:
        """`arriving`: it was made on another page, and the project's next load is the one that shows it."""
        self.key_id, self.public, self.secret = key.id, key.public, key.secret.reveal()
        self._showing += 1
        self._arriving = arriving

    def _arrive(self) -> None:
        self._empty()

    def _settle(self) -> None:
        """Another page was gone to: nothing stays but what was just made to be shown there."""
        if self._arriving:
            self._arriving = False
            return
        self._empty()

    def _empty(self) -> None:
        self.key_id = self.public = self.secret = ""
        self._showing += 1
        self._arriving = False
