"""A project's keys: listing, making, regenerating and revoking them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx

from pulse_dash.core import keys
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, NotFound, SecondFactorNeeded, Unavailable
from pulse_dash.core.work import Work, page_of
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import confirmed, iso, text
from pulse_dash.state.lists import MOST_PAGES, PAGE_SIZE, asked_page, asked_search, list_at, pages_of, showing
from pulse_dash.state.project import ProjectState
from pulse_dash.state.samples import Sample, minting
from pulse_dash.state.secret import SecretState

GRACES = {"0": 0, "3600": 3600, "86400": 86_400}


@dataclass(frozen=True)
class KeyRow:
    """One key as the page shows it; its secret is nowhere in here."""

    id: str
    name: str
    public: str
    short: str
    created_at: str
    last_used_at: str
    status: str
    tone: str
    old_until: str
    alive: bool


class KeysState(DialogState, PulseState):
    """The keys of the project that is looked at; `changes` counts up with each thing done, which closes its dialog."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    first: KeyRow | None = None
    # Those of the other keys that are on the screen, and how many there are besides the first.
    others: list[KeyRow] = []
    besides: int = 0
    search: str = ""
    page: int = 1
    pages: int = 1
    showing: str = ""
    samples: list[Sample] = []

    @rx.event
    async def load(self) -> None:
        """Read the keys as the address asks."""
        query = self.router.url.query_parameters
        self.search, self.page = asked_search(query), asked_page(query)
        project = await self.get_state(ProjectState)
        if project.missing or not project.id:
            return
        work = await self._work()
        try:
            await self._read(work, project.id)
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep last use and revocations true while the page is looked at."""
        async for work in self._listen("keys:", "used:"):
            async with self:
                project = await self.get_state(ProjectState)
                if not project.id or project.tab not in {"keys", "try"}:
                    continue
                try:
                    await self._read(work, project.id)
                except (NotFound, SecondFactorNeeded, Unavailable):
                    # Deleted, or away for a moment: the page keeps what it shows until it is loaded again.
                    continue

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search; back to the first page of it."""
        project = await self.get_state(ProjectState)
        return list_at(f"/projects/{project.id}", tab="keys", search=search)

    @rx.event
    async def turn_to(self, page: int) -> object:
        """Another page of the other keys."""
        project = await self.get_state(ProjectState)
        return list_at(f"/projects/{project.id}", page=page, tab="keys", search=self.search)

    @rx.event
    async def create(self, form_data: dict[str, Any]) -> object:
        """Make one more key and show its secret once."""
        project = await self.get_state(ProjectState)
        try:
            shown = await keys.create(await self._work(), project.id, name=text(form_data, "name"))
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return None
        # The newest stands last, and its secret beside it.
        self.search, self.page = "", MOST_PAGES
        return await self._shown(project.id, shown)

    @rx.event
    async def regenerate(self, form_data: dict[str, Any]) -> object:
        """Give a key a new pair and show its secret once."""
        project = await self.get_state(ProjectState)
        try:
            shown = await keys.regenerate(
                await self._work(),
                project.id,
                key_id=text(form_data, "key_id") or None,
                grace_seconds=GRACES.get(text(form_data, "grace"), 0),
            )
        except (Invalid, Conflict, Forbidden) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._shown(project.id, shown)

    @rx.event
    async def revoke(self, form_data: dict[str, Any]) -> None:
        """Stop a key for good, once its name was typed."""
        project = await self.get_state(ProjectState)
        key_id = text(form_data, "key_id")
        try:
            rows = [*([self.first] if self.first else []), *self.others]
            name = next((row.name for row in rows if row.id == key_id), None)
            if name is None:
                raise NotFound
            confirmed(form_data, name)
            await keys.revoke(await self._work(), project.id, key_id)
        except (Invalid, Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return
        secret = await self.get_state(SecretState)
        if secret.key_id == key_id:
            secret._empty()
        await self._done(project.id)

    async def _shown(self, project_id: str, shown: keys.ShownKey) -> object:
        secret = await self.get_state(SecretState)
        secret._show(shown)
        await self._done(project_id)
        return SecretState.fade

    async def _done(self, project_id: str) -> None:
        self.errors = {}
        self.changes += 1
        await self._read(await self._work(), project_id)

    async def _read(self, work: Work, project_id: str) -> None:
        now = work.clock.now()
        rows = [_row(key, now) for key in await keys.listing(work, project_id)]
        first = next((row for row in rows if row.alive), None)
        self.first = first
        self._show_page([row for row in rows if row is not first])
        self.samples = minting(
            address=work.parts.policy.public_url.rstrip("/"),
            public=first.public if first else "pulse_key_…",
            room="lobby",
            identity="ada",
        )
        self.problem = self.reference = ""
        self.loaded = True

    def _show_page(self, besides: list[KeyRow]) -> None:
        part = self.search.casefold()
        found = [row for row in besides if part in row.name.casefold() or self.search in (row.id, row.public)]
        self.besides, self.page = len(besides), max(1, min(self.page, -(-len(found) // PAGE_SIZE)))
        shown = page_of(found, self.page, PAGE_SIZE)
        self.others, self.pages, self.showing = shown.items, pages_of(shown), showing(shown)


def _row(key: Any, now: datetime) -> KeyRow:
    alive = key.revoked_at is None
    ending = alive and key.old_valid_until is not None and key.old_valid_until > now
    if not alive:
        status, tone = "Revoked", "bad"
    elif ending:
        status, tone = "Both pairs work", "warn"
    elif keys.is_unused(key, now):
        status, tone = f"Unused for {(now - (key.last_used_at or key.created_at)).days} days", "warn"
    else:
        status, tone = "Active", "good"
    return KeyRow(
        id=key.id,
        name=key.name,
        public=key.public,
        short=f"{key.public[:14]}…",
        created_at=iso(key.created_at),
        last_used_at=iso(key.last_used_at),
        status=status,
        tone=tone,
        old_until=iso(key.old_valid_until) if ending else "",
        alive=alive,
    )
