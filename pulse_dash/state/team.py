"""The people of the organization that somebody works in: members, their roles, and who is invited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from pulse_dash.core import accounts, invitations, members
from pulse_dash.core.access import ROLES, WORDS, Permission, Role
from pulse_dash.core.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    LimitExceeded,
    NotFound,
    SecondFactorNeeded,
    Unavailable,
)
from pulse_dash.core.members import Membership, may_grant
from pulse_dash.core.work import Work
from pulse_dash.reflex_seam import PulseState
from pulse_dash.state.dialogs import DialogState
from pulse_dash.state.forms import confirmed, initials, iso, text
from pulse_dash.state.lists import asked_choice, asked_search, list_at
from pulse_dash.state.shell import ShellState

PATH = "/team"
_MOST_AT_ONCE = 20
_REFUSED = (Invalid, Conflict, Forbidden, Gone, NotFound, LimitExceeded)
_ROLES = {role.value: role.value.capitalize() for role in Role}


@dataclass(frozen=True)
class MemberRow:
    """One member, and what this person may do about them."""

    id: str
    initials: str
    name: str
    email: str
    role: str
    joined_at: str
    last_seen_at: str
    second_factor: str
    factor_tone: str
    me: bool
    may_change: bool
    may_remove: bool


@dataclass(frozen=True)
class InvitationRow:
    """One address that was asked to join."""

    id: str
    email: str
    role: str
    status: str
    tone: str
    expires_at: str
    open: bool


@dataclass(frozen=True)
class Outcome:
    """What became of one address that was invited; `link` where no mail is sent."""

    email: str
    said: str
    link: str


@dataclass(frozen=True)
class RoleLine:
    """One permission, and which roles hold it."""

    permission: str
    words: str
    held: list[bool]


class TeamState(DialogState, PulseState):
    """The team; `changes` counts up with each thing done, which closes its dialog."""

    loaded: bool = False
    problem: str = ""
    reference: str = ""
    items: list[MemberRow] = []
    pending: list[InvitationRow] = []
    outcomes: list[Outcome] = []
    table: list[RoleLine] = []
    # Everybody else, whatever the list is narrowed to: whom the organization can be handed to.
    others: list[MemberRow] = []
    grantable: list[str] = []
    total: int = 0
    page: int = 1
    pages: int = 1
    showing: str = ""
    search: str = ""
    role: str = ""
    organization: str = ""
    may_invite: bool = False
    may_transfer: bool = False
    sees_addresses: bool = False
    looks_after: bool = False
    requires_second_factor: bool = False
    download: str = ""
    considered: str = ""
    gains: list[str] = []
    losses: list[str] = []
    _org_id: str = ""

    @rx.event
    async def load(self) -> None:
        """Read what the address names; the links of invitations made before are put away."""
        asked = self.router.url.query_parameters
        self.search, self.role = asked_search(asked), asked_choice(asked, "role", _ROLES)
        self.errors, self.outcomes = {}, []
        await self._read(await self._work())

    @rx.event(background=True, supersedes=True)
    async def follow(self) -> None:
        """Keep the list true while it is looked at."""
        async for work in self._listen("organizations:", "invitations:", "users:"):
            async with self:
                if self.loaded:
                    await self._read(work)

    @rx.event
    async def set_search(self, search: str) -> object:
        """Typed a search."""
        return list_at(PATH, search=search, role=self.role)

    @rx.event
    async def set_role(self, role: str) -> object:
        """Chose a role to look for."""
        return list_at(PATH, search=self.search, role=role)

    @rx.event
    async def clear(self) -> object:
        """Everybody again."""
        return list_at(PATH)

    @rx.event
    async def turn_to(self, page: int) -> None:
        """A team stands on one page."""
        self.page = 1

    @rx.event
    async def forget(self) -> None:
        """A dialog was opened: begin without the refusals of the last time."""
        self.errors, self.outcomes, self.considered = {}, [], ""

    @rx.event
    async def consider(self, user_id: str, role: str) -> None:
        """Another role was chosen, not given yet: what it would change, by the table that the code itself uses."""
        member = next((each for each in self.items if each.id == user_id), None)
        if member is None or role not in _ROLES:
            return
        before, after = ROLES[Role(member.role)], ROLES[Role(role)]
        self.considered = user_id
        self.gains = [WORDS[each] for each in Permission if each in after - before]
        self.losses = [WORDS[each] for each in Permission if each in before - after]

    @rx.event
    async def invite(self, form_data: dict[str, Any]) -> None:
        """Invite several addresses at once; each has its own outcome."""
        work, role = await self._work(), text(form_data, "role")
        written = form_data.get("emails")
        lines = (written if isinstance(written, str) else "").replace(",", "\n").replace(";", "\n").splitlines()
        addresses = [line.strip() for line in lines if line.strip()]
        if not addresses or len(addresses) > _MOST_AT_ONCE or role not in _ROLES:
            self.errors = {"emails": f"Write 1 to {_MOST_AT_ONCE} addresses, a line each."}
            return
        outcomes: list[Outcome] = []
        for address in dict.fromkeys(addresses):
            try:
                made = await invitations.invite(work, self._org_id, email=address, role=Role(role))
            except _REFUSED as refused:
                said = self._sentences(refused)
                outcomes.append(Outcome(address, next(iter(said.values())), ""))
            else:
                outcomes.append(Outcome(address, "Invited", made.accept_url or ""))
        self.errors, self.outcomes = {}, outcomes
        await self._read(work)

    @rx.event
    async def send_again(self, invitation_id: str) -> object:
        """A new link; the old one dies."""
        work = await self._work()
        try:
            made = await invitations.resend(work, self._org_id, invitation_id)
        except _REFUSED as refused:
            return self._told(refused)
        if made.accept_url:
            self.outcomes = [Outcome(made.invitation.email, "A new link", made.accept_url)]
        await self._read(work)
        return rx.toast.success(f"A new link for {made.invitation.email} replaces the old one.")

    @rx.event
    async def take_back(self, form_data: dict[str, Any]) -> None:
        """Take an invitation back."""
        await self._do(lambda work: invitations.revoke(work, self._org_id, text(form_data, "invitation_id")))

    @rx.event
    async def change_role(self, form_data: dict[str, Any]) -> None:
        """Give a member another role."""
        role = text(form_data, "role")
        if role in _ROLES:
            await self._do(lambda work: members.change_role(work, self._org_id, text(form_data, "user_id"), Role(role)))

    @rx.event
    async def remove(self, form_data: dict[str, Any]) -> None:
        """Take a member out."""
        await self._do(lambda work: members.remove(work, self._org_id, text(form_data, "user_id")))

    @rx.event
    async def leave(self, form_data: dict[str, Any]) -> object:
        """Leave the organization, once its name was typed."""
        if await self._do(lambda work: members.leave(work, self._org_id), form_data):
            return rx.call_script("window.location.assign('/')")
        return None

    @rx.event
    async def transfer(self, form_data: dict[str, Any]) -> object:
        """Hand the organization over, once its name was typed."""
        if await self._do(lambda work: members.transfer(work, self._org_id, text(form_data, "user_id")), form_data):
            return ShellState.load
        return None

    async def _do(self, act: Any, confirmation: dict[str, Any] | None = None) -> bool:
        work = await self._work()
        try:
            if confirmation is not None:
                confirmed(confirmation, self.organization)
            await act(work)
        except _REFUSED as refused:
            self.errors = self._sentences(refused)
            return False
        self.errors = {}
        self.changes += 1
        await self._read(work)
        return True

    async def _read(self, work: Work) -> None:
        try:
            here = (await accounts.me(work)).organization
            if here is None:
                self.items, self.pending, self.loaded = [], [], True
                return
            people = await members.listing(work, here.id)
            asked = await invitations.listing(work, here.id)
        except (NotFound, SecondFactorNeeded):
            # Put out a moment ago; the shell says so with its next word.
            self.items, self.pending, self.loaded = [], [], True
            return
        except Unavailable as away:
            self.problem, self.reference = away.detail, work.call.request_id
            return
        me = getattr(work.actor, "id", "")
        own = next((each.role for each in people if each.id == me), Role.VIEWER)
        self._org_id, self.organization = here.id, here.name
        self.grantable = [role.value for role in reversed(may_grant(own))]
        self.may_invite = Permission.MEMBERS_INVITE in ROLES[own]
        self.may_transfer = Permission.ORGANIZATION_TRANSFER in ROLES[own] and len(people) > 1
        self.sees_addresses = Permission.PEOPLE_VIEW in ROLES[own]
        self.looks_after = Permission.MEMBERS_CHANGE in ROLES[own]
        self.requires_second_factor = here.requires_second_factor
        self.download = f"/v1/organizations/{here.id}/members.csv"
        self.total = len(people)
        self.items = [_row(each, me, own) for each in people if self._fits(each)]
        self.others = [_row(each, me, own) for each in people if each.id != me]
        now = work.clock.now()
        rows = [
            InvitationRow(
                each.id,
                each.email,
                each.role.capitalize(),
                status.capitalize(),
                "warn" if status == "expired" else "idle",
                iso(each.expires_at),
                status in ("pending", "expired"),
            )
            for each in asked
            if (status := each.status(now)) in ("pending", "expired")
        ]
        self.pending = rows if self.sees_addresses else []
        self.table = [RoleLine(one.value, WORDS[one], [one in ROLES[role] for role in Role]) for one in Permission]
        self.problem = self.reference = ""
        self.loaded = True

    def _fits(self, member: Membership) -> bool:
        words = self.search.strip().lower()
        found = not words or words in member.name.lower() or words in (member.email or "") or words == member.id
        return found and self.role in ("", member.role.value)


def _row(member: Membership, me: str, own: Role) -> MemberRow:
    reachable = member.role in may_grant(own)
    return MemberRow(
        id=member.id,
        initials=initials(member.name),
        name=member.name,
        email=member.email or "",
        role=member.role.value,
        joined_at=iso(member.joined_at),
        last_seen_at=iso(member.last_seen_at),
        second_factor={True: "On", False: "Off", None: ""}[member.second_factor],
        factor_tone="good" if member.second_factor else "idle",
        me=member.id == me,
        may_change=reachable and Permission.MEMBERS_CHANGE in ROLES[own],
        may_remove=reachable and member.id != me and Permission.MEMBERS_REMOVE in ROLES[own],
    )
