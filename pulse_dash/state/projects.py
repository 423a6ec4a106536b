"""The list of projects: search, choices and page stand in the address, so that a list can be sent and come back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import figures, projects
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.figures import ProjectNow
from pulse_dash.core.projects import Order
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.forms import MOST_CHARACTERS, initials
from pulse_dash.state.lists import (
    PAGE_SIZE,
    asked_choice,
    asked_page,
    asked_search,
    list_at,
    pages_of,
    showing,
)
from pulse_dash.state.shell import ShellState

TRAFFIC: dict[str, bool | None] = {"": None, "live": True, "idle": False}
ORDERS = {"": Order.OLDEST, **{order.value: order for order in Order if order is not Order.OLDEST}}


@dataclass(frozen=True)
class ProjectCard:
    """One project as its card shows it; figures that nobody knows at the moment are empty."""

    id: str
    name: str
    initial: str
    region: str
    live: str
    tokens: str
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
    traffic: str = ""
    order: str = ""
    filtered: bool = False
    showing: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the page that the address names."""
        asked = self.router.url.query_parameters
        self.search, self.page = asked_search(asked), asked_page(asked)
        self.region = asked.get("region", "")[:64]
        self.traffic = asked_choice(asked, "traffic", TRAFFIC)
        self.order = asked_choice(asked, "order", ORDERS)
        self.filtered = bool(self.search or self.region or self.traffic)
        await self._read()

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep who is live and what was minted true while the list is looked at."""
        async for _ in self._listen("live:", "projects:", "tallies:"):
            async with self:
                # The page's own load comes first.
                if self.loaded:
                    await self._read()

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search; back to the first page of it."""
        return self._at(search=search[:MOST_CHARACTERS])

    @rx.event
    async def set_region(self, region: str) -> object:
        """Chose a region; back to its first page."""
        return self._at(region=region[:64])

    @rx.event
    async def set_traffic(self, traffic: str) -> object:
        """Chose those with somebody in a room, or those without."""
        return self._at(traffic=traffic if traffic in TRAFFIC else "")

    @rx.event
    async def set_order(self, order: str) -> object:
        """Chose what comes first."""
        return self._at(order=order if order in ORDERS else "")

    @rx.event
    async def clear(self) -> object:
        """All projects again."""
        return list_at("/projects", order=self.order)

    @rx.event
    async def turn_to(self, page: int) -> object:
        """Another page of the same list."""
        return self._at(page=page)

    def _at(self, *, page: int | None = None, **changed: str) -> object:
        asked = {"search": self.search, "region": self.region, "traffic": self.traffic, "order": self.order}
        return list_at("/projects", page=page, **(asked | changed))

    async def _read(self) -> None:
        work = await self._work()
        shell = await self.get_state(ShellState)
        if not shell._organization_id:
            return
        try:
            found = await self._found(work, shell._organization_id)
            if found.total and not found.items:
                # The page that the address names is gone; its neighbours are not.
                self.page = pages_of(found)
                found = await self._found(work, shell._organization_id)
            now = (await figures.overview(work, shell._organization_id)).by_project
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.problem = self.reference = ""
        self.items = [_card(project, now.get(project.id)) for project in found.items]
        self.total, self.pages, self.showing = found.total, pages_of(found), showing(found)
        self.loaded = True

    async def _found(self, work: Work, organization: str) -> Any:
        return await projects.listing(
            work,
            org_id=organization,
            region=self.region or None,
            live=TRAFFIC[self.traffic],
            search=self.search,
            order=ORDERS[self.order],
            page=self.page,
            limit=PAGE_SIZE,
        )


def _card(project: Any, now: ProjectNow | None) -> ProjectCard:
    """Who is live is unknown while LiveKit does not answer: the card then says nothing of it."""
    people, rooms = (now.people, now.rooms) if now else (None, None)
    tone, health = _health(people is not None, project.first_token_at is not None)
    return ProjectCard(
        id=project.id,
        name=project.name,
        initial=initials(project.name)[:1],
        region=project.region,
        live=_live(people, rooms),
        tokens=_tokens(now.tokens_today if now else 0),
        tone=tone,
        health=health,
    )


def _live(people: int | None, rooms: int | None) -> str:
    if people is None:
        return ""
    return f"{people:,} in {rooms:,} {'room' if rooms == 1 else 'rooms'}" if rooms else f"{people:,} live"


def _tokens(today: int) -> str:
    return f"{today:,} {'token' if today == 1 else 'tokens'} today"


def _health(livekit_answers: bool, used: bool) -> tuple[str, str]:
    if not livekit_answers:
        return "warn", "LiveKit away"
    return ("good", "Healthy") if used else ("idle", "No traffic yet")
