"""One project: what it is, which tab is looked at, renaming, moving and deleting it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from pulse_dash.core import projects
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.projects import Project
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import confirmed, iso, text
from pulse_dash.state.offered import Offered, offered

TABS = ("keys", "try", "connections", "webhooks", "bans", "settings", "danger")


class ProjectState(DialogState, PulseState):
    """The project that the address names; `missing` when it is not there for this person."""

    loaded: bool = False
    missing: bool = False
    problem: str = ""
    reference: str = ""
    id: str = ""
    name: str = ""
    region: str = ""
    created_at: str = ""
    development_prefix: str = ""
    saved: bool = False
    may: Offered = Offered()
    _org_id: str = ""

    @rx.var
    def tab(self) -> str:
        """The tab that the address names; from there and not from `load`, so that a new socket changes no tab."""
        asked = self.router.url.query_parameters.get("tab", "keys")
        return asked if asked in TABS else "keys"

    @rx.event
    async def load(self) -> object:
        """Read the project."""
        self.errors, self.saved = {}, False
        project_id = _named(self)
        if project_id != self.id:
            # Nothing of the project before stays on the screen while this one is read.
            self.loaded, self.id, self.name = False, "", ""
        work = await self._work()
        try:
            project = await projects.read(work, project_id)
        except NotFound:
            self.missing = True
            return None
        except SecondFactorNeeded as needed:
            self.missing = True
            return [rx.redirect("/account"), self._told(needed)]
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return None
        self._fill(work, project)
        return None

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep it true while it is looked at; nothing is shown of one that is gone, or no longer this person's."""
        async for work in self._listen("projects:", "organizations:", "users:"):
            async with self:
                if not self.loaded or self.missing:
                    continue
                try:
                    self._fill(work, await projects.read(work, self.id))
                except (NotFound, SecondFactorNeeded):
                    self.missing = True
                except Unavailable:
                    # It keeps what it shows, until the database is back.
                    continue

    @rx.event
    async def save(self, form_data: dict[str, Any]) -> None:
        """Rename it or change its region."""
        self.errors, self.saved = {}, False
        work = await self._work()
        try:
            self._fill(
                work,
                await projects.change(
                    work, self.id, name=text(form_data, "name"), region=text(form_data, "region") or None
                ),
            )
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        self.saved = True

    @rx.event
    async def switch_on(self, form_data: dict[str, Any]) -> None:
        """Let the key mint development tokens by itself, for rooms of this prefix."""
        await self._switch(text(form_data, "room_prefix").strip())

    @rx.event
    async def switch_off(self) -> None:
        """Let the key alone open nothing."""
        await self._switch(None)

    async def _switch(self, prefix: str | None) -> None:
        work = await self._work()
        try:
            self._fill(work, await projects.change(work, self.id, development_prefix=prefix))
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return
        self.errors = {}
        self.changes += 1

    @rx.event
    async def delete(self, form_data: dict[str, Any]) -> object:
        """Delete it, once its name was typed."""
        self.errors = {}
        try:
            confirmed(form_data, self.name)
            await projects.delete(await self._work(), self.id)
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return None
        self.changes += 1
        return rx.redirect("/projects")

    def _fill(self, work: Work, project: Project) -> None:
        self.problem = self.reference = ""
        self.missing = False
        self.id, self.name, self.region = project.id, project.name, project.region
        self.created_at = iso(project.created_at)
        self.development_prefix = project.development_prefix or ""
        self._org_id, self.may = project.org_id, offered(work.actor, project.org_id)
        self.loaded = True


def _named(state: PulseState) -> str:
    """The id in the address: the visitor's word, unchecked until core has looked."""
    path = state.router.url.path.rstrip("/")
    return path.rpartition("/")[2][:64]
