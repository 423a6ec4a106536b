"""What States behind dialogs, and States of what a page follows, have in common: mixins, so each State has its own.

A State names `PulseState` beside them: Reflex takes one whose bases are all mixins for a mixin too.
"""

from __future__ import annotations

from typing import ClassVar

import reflex as rx

from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState


class DialogState(PulseState, mixin=True):
    """The refusals that a form shows beside its fields; `changes` counts up with each thing done, which closes it."""

    errors: dict[str, str] = {}
    changes: int = 0

    @rx.event
    async def forget(self) -> None:
        """A dialog was opened: begin without the refusals of the last time."""
        self.errors = {}


class FollowedState(DialogState, mixin=True):
    """Read when the page comes, and again whenever the bus speaks of one of the `_subjects`; `_read` is the State's."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    _subjects: ClassVar[tuple[str, ...]] = ()

    @rx.event
    async def load(self) -> None:
        """Read how it stands."""
        self.errors = {}
        await self._read(await self._work())

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep it true while it is looked at."""
        async for work in self._listen(*self._subjects):
            async with self:
                if self.loaded:
                    await self._read(work)

    async def _read(self, work: Work) -> None:
        raise NotImplementedError
