"""The person's organizations: a list with search and page in the address, making, renaming, deleting and restoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import operators, organizations
from pulse_dash.core.access import ROLES, Permission, Role
from pulse_dash.core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unavailable
from pulse_dash.core.organizations import RESTORABLE, Organization
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import MOST_CHARACTERS, confirmed, initials, iso, text
from pulse_dash.state.lists import PAGE_SIZE, asked_page, asked_search, list_at, pages_of, showing
from pulse_dash.state.shell import PLANS, ShellState


@dataclass(frozen=True)
class OrganizationRow:
    """One organization as its card shows it, and what this person may do to it."""

    id: str
    name: str
    initial: str
    plan: str
    plan_words: str
    role: str
    members: str
    requires_second_factor: bool
    may_change: bool
    may_delete: bool


@dataclass(frozen=True)
class DeletedRow:
    """One that can still be restored, and until when."""

    id: str
    name: str
    deleted_at: str
    until: str


class OrganizationsState(DialogState, PulseState):
    """One page of the list; `changes` counts up with each thing done, which closes its dialog."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    items: list[OrganizationRow] = []
    deleted: list[DeletedRow] = []
    page: int = 1
    pages: int = 1
    search: str = ""
    showing: str = ""
    operator: bool = False

    @rx.event
    async def load(self) -> None:
        """Read the page that the address names."""
        asked = self.router.url.query_parameters
        self.search, self.page = asked_search(asked), asked_page(asked)
        await self._read()

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep the list true while it is looked at."""
        async for _ in self._listen("organizations:"):
            async with self:
                # The page's own load comes first.
                if self.loaded:
                    await self._read()

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search; back to the first page of it."""
        return list_at("/organizations", search=search[:MOST_CHARACTERS])

    @rx.event
    async def turn_to(self, page: int) -> object:
        """Another page of the same list."""
        return list_at("/organizations", search=self.search, page=page)

    @rx.event
    async def create(self, form_data: dict[str, Any]) -> object:
        """Make one that this person owns."""
        try:
            await organizations.create(await self._work(), name=text(form_data, "name"))
        except (Invalid, Conflict, Forbidden, LimitExceeded) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._done()

    @rx.event
    async def rename(self, form_data: dict[str, Any]) -> object:
        """Give one another name, and say whether it asks everybody for a second factor."""
        try:
            await organizations.change(
                await self._work(),
                text(form_data, "org_id"),
                name=text(form_data, "name"),
                # An operator's form alone has it.
                plan=text(form_data, "plan") or None,
                requires_second_factor=form_data.get("requires_second_factor") is not None,
            )
        except (Invalid, Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._done()

    @rx.event
    async def delete(self, form_data: dict[str, Any]) -> object:
        """Delete one, once its name was typed."""
        org_id = text(form_data, "org_id")
        try:
            work = await self._work()
            confirmed(form_data, (await organizations.read(work, org_id)).name)
            await organizations.delete(work, org_id)
        except (Invalid, Conflict, Forbidden, NotFound) as refused:
            self.errors = self._sentences(refused)
            return None
        return await self._done()

    @rx.event
    async def restore(self, org_id: str) -> object:
        """Bring one back, without its keys."""
        await organizations.restore(await self._work(), org_id)
        return await self._done()

    async def _done(self) -> object:
        self.errors = {}
        self.changes += 1
        await self._read()
        # The side of the page names organizations too.
        return ShellState.load

    async def _read(self) -> None:
        work = await self._work()
        try:
            found = await organizations.listing(work, search=self.search, page=self.page, limit=PAGE_SIZE)
            if found.total and not found.items:
                # The page that the address names is gone; its neighbours are not.
                self.page = pages_of(found)
                found = await organizations.listing(work, search=self.search, page=self.page, limit=PAGE_SIZE)
            self.deleted = [_deleted(each) for each in await organizations.deleted(work)]
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        self.problem = self.reference = ""
        self.items, self.operator = [_row(work, each) for each in found.items], operators.is_one(work.actor)
        self.pages, self.showing = pages_of(found), showing(found)
        self.loaded = True


def _row(work: Work, organization: Organization) -> OrganizationRow:
    role = organization.role_of(getattr(work.actor, "id", ""))
    held = ROLES[Role(role)] if role else frozenset()
    count = len(organization.members)
    return OrganizationRow(
        id=organization.id,
        name=organization.name,
        initial=initials(organization.name)[:1],
        plan=organization.plan,
        plan_words=PLANS.get(organization.plan, organization.plan),
        role=(role or "").capitalize(),
        members=f"{count:,} {'member' if count == 1 else 'members'}",
        requires_second_factor=organization.requires_second_factor,
        may_change=Permission.ORGANIZATION_CHANGE in held,
        may_delete=Permission.ORGANIZATION_DELETE in held,
    )


def _deleted(organization: Organization) -> DeletedRow:
    at = organization.deleted_at
    return DeletedRow(organization.id, organization.name, iso(at), iso(at + RESTORABLE if at else None))
