"""A project's bans: who is banned and why, banning somebody, letting them in again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import reflex as rx

from pulse_dash.core import bans
from pulse_dash.core.access import Permission, holds
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import iso, text
from pulse_dash.state.lists import asked_page, asked_search, list_at, pages_of, showing
from pulse_dash.state.project import ProjectState

_PAGE = 25
_LENGTHS = {"3600": timedelta(hours=1), "86400": timedelta(days=1), "604800": timedelta(days=7)}


@dataclass(frozen=True)
class BanRow:
    """One ban as the page shows it; `until` is empty for one for good."""

    id: str
    identity: str
    reason: str
    until: str
    ended: bool
    created_at: str


class BansState(DialogState, PulseState):
    """The bans of the project that is looked at, a page at a time; `changes` closes the dialog of what was done."""

    loaded: bool = False
    hidden: bool = False
    problem: str = ""
    reference: str = ""
    items: list[BanRow] = []
    search: str = ""
    page: int = 1
    pages: int = 1
    showing: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the page that the address names."""
        query = self.router.url.query_parameters
        self.errors, self.search, self.page = {}, asked_search(query), asked_page(query)
        project = await self.get_state(ProjectState)
        if project.missing or not project.id or project.tab != "bans":
            return
        await self._read(await self._work(), project)

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep the list true while it is looked at."""
        async for work in self._listen("bans:", "organizations:", "users:"):
            async with self:
                project = await self.get_state(ProjectState)
                if project.id and project.tab == "bans" and self.loaded:
                    await self._read(work, project)

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search; back to the first page of it."""
        project = await self.get_state(ProjectState)
        return list_at(f"/projects/{project.id}", tab="bans", search=search)

    @rx.event
    async def turn_to(self, page: int) -> object:
        """Another page of the list."""
        project = await self.get_state(ProjectState)
        return list_at(f"/projects/{project.id}", page=page, tab="bans", search=self.search)

    @rx.event
    async def ban(self, form_data: dict[str, Any]) -> None:
        """Ban somebody."""
        work, project = await self._work(), await self.get_state(ProjectState)
        length = _LENGTHS.get(text(form_data, "length"))
        try:
            await bans.ban(
                work,
                project.id,
                identity=text(form_data, "identity"),
                reason=text(form_data, "reason"),
                until=work.clock.now() + length if length else None,
            )
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        await self._done(work, project)

    @rx.event
    async def lift(self, form_data: dict[str, Any]) -> None:
        """Let somebody in again."""
        work, project = await self._work(), await self.get_state(ProjectState)
        try:
            await bans.lift(work, project.id, text(form_data, "ban_id"))
        except NotFound:
            # Somebody else was faster; the list shows it.
            pass
        except (Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        await self._done(work, project)

    async def _done(self, work: Work, project: ProjectState) -> None:
        self.errors = {}
        self.changes += 1
        await self._read(work, project)

    async def _read(self, work: Work, project: ProjectState) -> None:
        if not holds(work.actor, Permission.PEOPLE_VIEW, project._org_id):
            # To open the tab is not to ask for what is refused, and stands in no log.
            self.hidden, self.loaded, self.items = True, True, []
            return
        try:
            found = await bans.listing(work, project.id, search=self.search, page=self.page, limit=_PAGE)
        except (Forbidden, NotFound):
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        now = work.clock.now()
        self.items = [
            BanRow(
                each.id,
                each.identity,
                each.reason,
                iso(each.until),
                each.until is not None and each.until <= now,
                iso(each.created_at),
            )
            for each in found.items
        ]
        self.pages, self.showing = pages_of(found), showing(found)
        self.problem = self.reference = ""
        self.hidden, self.loaded = False, True
