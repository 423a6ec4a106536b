"""Who is signed in and where they work: the side of every private page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import reflex as rx

from pulse_dash.core import accounts, links
from pulse_dash.core.accounts import SignedIn
from pulse_dash.core.errors import SecondFactorNeeded, Unavailable
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState, page_away
from pulse_dash.state.forms import initials
from pulse_dash.state.offered import ALL_OF_IT, Offered, offered
from pulse_dash.state.secret import SecretState

# Nothing of an organization is shown there, and what was shown once would be lost.
_OF_THE_PERSON = ("/account", "/organizations")
PLANS = {"free": "Free plan", "pro": "Pro plan", "enterprise": "Enterprise plan"}


@dataclass(frozen=True)
class OrganizationChoice:
    """One line of the organization switcher."""

    id: str
    name: str
    initial: str
    role: str
    current: bool


class ShellState(PulseState):
    """The person, the organization they work in now, and those they could switch to."""

    loaded: bool = False
    homeless: bool = False
    held_back: bool = False
    name: str = ""
    first_name: str = ""
    email: str = ""
    unverified: bool = False
    link_sent: bool = False
    initials: str = ""
    role: str = ""
    organization_name: str = ""
    plan: str = ""
    organizations: list[OrganizationChoice] = []
    regions: list[str] = []
    may: Offered = ALL_OF_IT
    _organization_id: str = ""
    _home_id: str = ""

    @rx.event
    async def load(self) -> object:
        """Read the person and their organizations anew, with each page; a secret shown before is put away."""
        (await self.get_state(SecretState))._settle()
        try:
            work = await self._work()
            person = await accounts.me(work)
        except Unavailable:
            return page_away()
        self._fill(work, person)
        self.regions = list(work.parts.policy.regions)
        self.loaded = True
        return None

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> AsyncIterator[object]:
        """Keep it true while a page is looked at. Whoever is put out of where they work, or held back from it, leaves
        the page, and with it all that it showed."""
        async for work in self._listen("users:", "organizations:"):
            async with self:
                loaded, home, held_back = self.loaded, self._home_id, self.held_back
                stays = self.router.url.path.rstrip("/") in _OF_THE_PERSON
            if not loaded:
                # The page's own load comes first.
                continue
            try:
                person = await accounts.me(work)
            except Unavailable:
                continue
            here = next((each for each in person.memberships if each.organization.id == home), None)
            moved = person.organization is not None if here is None else here.held_back != held_back
            if (moved or (home and here is None)) and not stays:
                yield rx.call_script("window.location.assign('/')")
                return
            # Another tab may have gone to work elsewhere; this one stays where it is.
            if stays or person.organization is None or person.organization.id == home:
                async with self:
                    self._fill(work, person)

    def _fill(self, work: Work, person: SignedIn) -> None:
        user, here = person.user, person.organization
        self.name, self.email, self.initials = user.name, user.email, initials(user.name)
        self.unverified = user.verified_at is None
        self.first_name = user.name.split()[0] if user.name.split() else user.name
        self.organization_name = here.name if here else "No organization"
        self.plan = PLANS.get(here.plan, here.plan) if here else ""
        self.role = ((here.role_of(user.id) if here else None) or "").capitalize()
        self.organizations = [
            OrganizationChoice(
                id=each.organization.id,
                name=each.organization.name,
                initial=initials(each.organization.name)[:1],
                role=each.role.value.capitalize(),
                current=here is not None and each.organization.id == here.id,
            )
            for each in person.memberships
        ]
        self.held_back = any(each.held_back and each.organization == here for each in person.memberships)
        # What asks for a second factor answers nothing until there is one.
        self._organization_id = here.id if here and not self.held_back else ""
        self._home_id = here.id if here else ""
        self.may = offered(work.actor, self._home_id)
        self.homeless = here is None

    @rx.event
    async def send_link_again(self) -> None:
        """Mail the person another link that proves their address."""
        await links.send_again(await self._work())
        self.link_sent = True

    @rx.event
    async def use_organization(self, organization_id: str) -> object:
        """Work in another organization from now on; its dashboard is where that begins."""
        try:
            await accounts.use_organization(await self._work(), organization_id)
        except SecondFactorNeeded as needed:
            return [rx.redirect("/account"), self._told(needed)]
        self._organization_id = organization_id
        # The whole page loads anew, so nothing of the organization before stays on the screen.
        return rx.call_script("window.location.assign('/')")
