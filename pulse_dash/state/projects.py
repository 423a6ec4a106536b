"""The list of projects: search, region and page stand in the address, so that a list can be sent and come back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from pulse_dash.core import figures, projects
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import MOST_CHARACTERS, initials
from pulse_dash.state.shell import ShellState

PAGE_SIZE = 12
_MOST_PAGES = 10_000
_MOST_DIGITS = 9


@dataclass(frozen=True)
class ProjectCard:
    """One project as its card shows it."""

    id: str
    name: str
    initial: str
    region: str
    live: str
    tone: str
    health: str


class ProjectsState(PulseState):
    """One page of the organization's projects."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    items: list[ProjectCard] = []
    total: int = 0
    page: int = 1
    pages: int = 1
    search: str = ""
    region: str = ""
    filtered: bool = False
    showing: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the page that the address names."""
        asked = self.router.url.query_parameters
        self.search = asked.get("search", "")[:MOST_CHARACTERS]
        self.region = asked.get("region", "")[:64]
        page = asked.get("page", "1")
        # Python refuses to read a number of thousands of digits.
        number = int(page[:_MOST_DIGITS]) if page.isascii() and page.isdigit() else 1
        self.page = max(1, min(number, _MOST_PAGES))
        self.filtered = bool(self.search or self.region)
        await self._read()

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep who is live true while the list is looked at."""
        async for _ in self._listen("live:", "projects:"):
            async with self:
                # The page's own load comes first.
                if self.loaded:
                    await self._read()

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search; back to the first page of it."""
        return _at(search[:MOST_CHARACTERS], self.region, 1)

    @rx.event
    async def set_region(self, region: str) -> object:
        """Chose a region; back to its first page."""
        return _at(self.search, region[:64], 1)

    @rx.event
    async def clear(self) -> object:
        """All projects again."""
        return _at("", "", 1)

    @rx.event
    async def turn_to(self, page: int) -> object:
        """Another page of the same list."""
        return _at(self.search, self.region, max(1, min(page, _MOST_PAGES)), replace=False)

    async def _read(self) -> None:
        work = await self._work()
        shell = await self.get_state(ShellState)
        if not shell._organization_id:
            return
        try:
            found = await self._found(work, shell._organization_id)
            if found.total and not found.items:
                # The page that the address names is gone; its neighbours are not.
                self.page = -(-found.total // PAGE_SIZE)
                found = await self._found(work, shell._organization_id)
            overview = await figures.overview(work, shell._organization_id)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.problem = self.reference = ""
        live = None if overview.people_live is None else overview.live_by_project
        self.items = [_card(project, live) for project in found.items]
        self.total = found.total
        self.pages = max(1, -(-found.total // PAGE_SIZE))
        first = (self.page - 1) * PAGE_SIZE + 1
        self.showing = f"{first:,} to {first + len(found.items) - 1:,} of {found.total:,}" if found.items else ""
        self.loaded = True

    async def _found(self, work: Work, organization: str) -> Any:
        return await projects.listing(
            work,
            org_id=organization,
            region=self.region or None,
            search=self.search,
            page=self.page,
            limit=PAGE_SIZE,
        )


def _card(project: Any, live: Mapping[str, int] | None) -> ProjectCard:
    """`live` is None while LiveKit does not answer: then nobody knows, and the card says nothing of it."""
    tone, health = _health(live is not None, project.first_token_at is not None)
    return ProjectCard(
        id=project.id,
        name=project.name,
        initial=initials(project.name)[:1],
        region=project.region,
        live="" if live is None else f"{live.get(project.id, 0):,} live",
        tone=tone,
        health=health,
    )


def _health(livekit_answers: bool, used: bool) -> tuple[str, str]:
    if not livekit_answers:
        return "warn", "LiveKit away"
    return ("good", "Healthy") if used else ("idle", "No traffic yet")


def _at(search: str, region: str, page: int, *, replace: bool = True) -> object:
    """The address of that list; typing replaces its own steps, turning a page is a step to come back from."""
    asked = {"search": search.strip(), "region": region, "page": str(page) if page > 1 else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return rx.redirect(f"/projects?{query}" if query else "/projects", replace=replace)
