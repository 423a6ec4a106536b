"""The health of the organization's projects, each fact with what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import project_health, projects
from pulse_dash.core.errors import NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.project_health import ProjectHealth
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.service_status import TONES, WORDS
from pulse_dash.state.shell import ShellState

_SHOWN = 20
# Each round asks the LiveKit of every project that is shown.
_EVERY = 60.0


@dataclass(frozen=True)
class FactRow:
    """One thing about a project, and what to do about it."""

    sentence: str
    advice: str
    paste: str
    word: str
    tone: str


@dataclass(frozen=True)
class ProjectHealthRow:
    """One project; it is opened when something is to be done."""

    id: str
    name: str
    href: str
    word: str
    tone: str
    opened: bool
    facts: list[FactRow]


class ServiceProjectsState(PulseState):
    """The projects of the organization that is worked in, those with something to do first."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    rows: list[ProjectHealthRow] = []
    more: int = 0

    @rx.event
    async def load(self) -> Any:
        """Begin to look: in the background, because it takes as long as the slowest LiveKit."""
        return ServiceProjectsState.look

    @rx.event(background=True, supersedes=True)
    async def look(self) -> None:
        """Look at each project once."""
        async with self:
            shell = await self.get_state(ShellState)
            organization, work = shell._organization_id, await self._work()
        if organization:
            await self._look(work, organization)

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Look again now and then while the page is open."""
        async for work in self._listen("projects:", "keys:", every=_EVERY):
            async with self:
                shell = await self.get_state(ShellState)
                organization = shell._organization_id if self.loaded else ""
            if organization:
                await self._look(work, organization)

    async def _look(self, work: Work, organization: str) -> None:
        try:
            rows, more = await _of(work, organization)
        except (NotFound, SecondFactorNeeded):
            return
        except Unavailable as away:
            async with self:
                self.problem, self.reference = away.detail, work.call.request_id
            return
        async with self:
            self.rows, self.more, self.loaded = rows, more, True
            self.problem = self.reference = ""


async def _of(work: Work, organization: str) -> tuple[list[ProjectHealthRow], int]:
    found = await projects.listing(work, org_id=organization, limit=_SHOWN)
    healths = await asyncio.gather(*(project_health.of_project(work, each.id) for each in found.items))
    rows = sorted(map(_row, healths), key=lambda row: not row.opened)
    return rows, found.total - len(rows)


def _row(health: ProjectHealth) -> ProjectHealthRow:
    return ProjectHealthRow(
        id=health.project.id,
        name=health.project.name,
        href=f"/projects/{health.project.id}",
        word=WORDS[health.status],
        tone=TONES[health.status],
        opened=health.status in ("down", "degraded"),
        facts=[
            FactRow(each.sentence, each.advice, each.paste, WORDS[each.status], TONES[each.status])
            for each in health.facts
        ],
    )
