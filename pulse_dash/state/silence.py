"""Whether a LiveKit that runs rooms of ours tells nothing of them, for the dashboard and a project's page."""

from __future__ import annotations

import reflex as rx

from pulse_dash.core import silence
from pulse_dash.core.errors import NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.project import ProjectState
from pulse_dash.state.shell import ShellState


class SilenceState(PulseState):
    """What to put into livekit.yaml; empty while everything is heard."""

    yaml: str = ""
    own: bool = False

    @rx.event
    async def load(self) -> None:
        """Look once."""
        await self._look(await self._work())

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep it true while the page is looked at."""
        async for work in self._listen("live:", "livekit:"):
            async with self:
                await self._look(work)

    async def _look(self, work: Work) -> None:
        path = self.router.url.path
        if path.startswith("/projects/"):
            project = await self.get_state(ProjectState)
            where = {"project_id": project.id}
        else:
            shell = await self.get_state(ShellState)
            where = {"org_id": shell._organization_id}
        try:
            found = await silence.of(work, **where) if all(where.values()) else None
        except (NotFound, SecondFactorNeeded, Unavailable):
            return
        self.yaml, self.own = (found.yaml, found.own) if found else ("", False)
