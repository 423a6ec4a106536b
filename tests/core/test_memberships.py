"""Memberships under every order of changes that hypothesis thinks of: an owner stays, and who is out sees nothing.

Beside the real core runs a model of a few lines: who is what in the organization, and the contract's table. Each change
is asked of both and must end alike.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pulse_dash.core import invitations, joining, members, organizations, projects, sessions
from pulse_dash.core.access import Permission, Role
from pulse_dash.core.errors import NotFound, PulseError
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.work import Work
from pulse_dash.services import assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.embedded import EmbeddedEngine
from tests.core.soak import examples
from tests.core.test_access import TABLE
from tests.doubles import MovableClock
from tests.people import House, Person, Town

PEOPLE = 5
RANK = {Role.VIEWER: 0, Role.DEVELOPER: 1, Role.ADMIN: 2, Role.OWNER: 3}
WHO = st.integers(0, PEOPLE - 1)
ROLE = st.sampled_from(list(Role))


class Memberships(RuleBasedStateMachine):
    """One organization, five people, and what any of them may try."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="pulse-memberships-"))
        # One of each role, and one outside.
        self.model: dict[int, Role] = dict(enumerate(Role))
        self.deleted = False

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        chosen = load_settings(pulse_data_dir=self.folder / "data", public_url="http://localhost:8000")
        self.engine = await EmbeddedEngine.open(self.folder / "data", "pulse")
        await self.engine.prepare()
        self.clock = MovableClock()
        self.services = assemble(chosen, self.engine, self.clock, Passwords(password_cost=4))
        self.town = Town(self.services)
        owner, outside = await self.town.person(), await self.town.person()
        others = [await self.town.member(owner.organization, role) for role in list(Role)[1:]]
        self.people: list[Person] = [owner, *others, outside]
        self.org_id = owner.organization.id
        self.house: House = await self.town.project(self.people[0])

    def teardown(self) -> None:
        self.run(self._end())
        self.loop.close()
        shutil.rmtree(self.folder)

    async def _end(self) -> None:
        await self.services.parts.store.logged()
        await self.services.close()

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(work)  # type: ignore[arg-type]

    # --- what may be tried

    @rule(by=WHO, on=WHO, role=ROLE)
    def change_role(self, by: int, on: int, role: Role) -> None:
        expected = self.of_member(by, Permission.MEMBERS_CHANGE, on)
        if expected == "done" and self.model[on] is not role:
            expected = self.not_above(by, self.model[on], role) or self.keeps_an_owner({**self.model, on: role})
        self.tried(lambda work: members.change_role(work, self.org_id, self.id_of(on), role), by, expected)
        if expected == "done":
            self.model[on] = role

    @rule(by=WHO, on=WHO)
    def remove(self, by: int, on: int) -> None:
        left = {who: role for who, role in self.model.items() if who != on}
        expected = "NotFound" if self.out(by) or on not in self.model else self.held(by, Permission.MEMBERS_REMOVE)
        if expected == "done":
            expected = self.not_above(by, self.model[on]) or self.keeps_an_owner(left)
        self.tried(lambda work: members.remove(work, self.org_id, self.id_of(on)), by, expected)
        if expected == "done":
            self.model = left

    @rule(by=WHO)
    def leave(self, by: int) -> None:
        left = {who: role for who, role in self.model.items() if who != by}
        expected = "NotFound" if self.out(by) else self.keeps_an_owner(left)
        self.tried(lambda work: members.leave(work, self.org_id), by, expected)
        if expected == "done":
            self.model = left

    @rule(by=WHO, on=WHO)
    def transfer(self, by: int, on: int) -> None:
        expected = "NotFound" if self.out(by) else self.held(by, Permission.ORGANIZATION_TRANSFER)
        if expected == "done" and (on == by or on not in self.model):
            expected = "Invalid" if on == by else "NotFound"
        self.tried(lambda work: members.transfer(work, self.org_id, self.id_of(on)), by, expected)
        if expected == "done":
            self.model |= {by: Role.ADMIN, on: Role.OWNER}

    @rule(by=WHO, who=WHO, role=ROLE)
    def invite_and_accept(self, by: int, who: int, role: Role) -> None:
        expected = "NotFound" if self.out(by) else self.held(by, Permission.MEMBERS_INVITE)
        if expected == "done":
            expected = self.not_above(by, role) or ("AlreadyThere" if who in self.model else "done")

        async def joined(work: Work) -> None:
            email = self.people[who].actor.email
            made = await invitations.invite(work, self.org_id, email=email, role=role)
            assert made.accept_url is not None
            await joining.accept(await self.as_now(who), made.accept_url.partition("?token=")[2])

        # An organization invites twenty an hour.
        self.clock.move(3600)
        self.run(self.services.feed.read())
        self.tried(joined, by, expected)
        if expected == "done":
            self.model[who] = role

    @rule(by=WHO)
    def delete(self, by: int) -> None:
        expected = "NotFound" if self.out(by) else self.held(by, Permission.ORGANIZATION_DELETE)
        self.tried(lambda work: organizations.delete(work, self.org_id), by, expected)
        self.deleted = self.deleted or expected == "done"

    @precondition(lambda self: self.deleted)
    @rule(by=WHO)
    def restore(self, by: int) -> None:
        expected = self.held(by, Permission.ORGANIZATION_DELETE) if by in self.model else "NotFound"
        self.tried(lambda work: organizations.restore(work, self.org_id), by, expected)
        self.deleted = self.deleted and expected != "done"

    @rule(by=WHO, on=WHO, role=ROLE, old=st.sampled_from([Role.OWNER, Role.ADMIN]), what=st.integers(0, 2))
    def try_with_an_older_role(self, by: int, on: int, role: Role, old: Role, what: int) -> None:
        """A node that has not heard yet believes in an older role; what is written is decided by the present one."""
        on_id = self.id_of(on)
        acts: list[tuple[Permission, Any, dict[int, Role | None]]] = [
            (Permission.MEMBERS_CHANGE, lambda w: members.change_role(w, self.org_id, on_id, role), {on: role}),
            (Permission.MEMBERS_REMOVE, lambda w: members.remove(w, self.org_id, on_id), {on: None}),
            (
                Permission.ORGANIZATION_TRANSFER,
                lambda w: members.transfer(w, self.org_id, on_id),
                {by: Role.ADMIN, on: Role.OWNER},
            ),
        ]
        permission, act, change = acts[what]

        async def tried() -> str:
            actor: Any = (await self.as_now(by)).actor
            return await outcome(act(self.services.as_(replace(actor, roles={self.org_id: old}))))

        changed: dict[int, Any] = {**self.model, **change}
        after = {who: role for who, role in changed.items() if role is not None}
        if self.run(tried()) == "done" and after != self.model:
            assert self.of_member(by, permission, on) == "done"
            self.model = after

    # --- what always holds

    @invariant()
    def an_organization_has_an_owner_and_exactly_these_members(self) -> None:
        if not hasattr(self, "people"):
            return
        (kept,) = self.run(self.engine.collection("organizations").find({"_id": self.org_id}))
        roles = {member["user_id"]: member["role"] for member in kept["members"]}
        assert roles == {self.id_of(who): role.value for who, role in self.model.items()}
        assert "owner" in roles.values()

    @invariant()
    def who_is_out_sees_nothing_and_who_is_in_sees_it(self) -> None:
        if not hasattr(self, "people"):
            return
        for who in range(PEOPLE):
            assert self.run(self._sees(who)) is (not self.out(who))

    async def _sees(self, who: int) -> bool:
        work = await self.as_now(who)
        listed = self.org_id in {each.id for each in (await organizations.listing(work, limit=100)).items}
        seen = {
            await outcome(organizations.read(work, self.org_id)),
            await outcome(members.listing(work, self.org_id)),
            await outcome(projects.read(work, self.house.id)),
        }
        assert seen == ({"done"} if listed else {NotFound.__name__})
        return listed

    # --- the model

    def out(self, who: int) -> bool:
        return self.deleted or who not in self.model

    def held(self, by: int, permission: Permission) -> str:
        return "done" if self.model[by].value[0] in TABLE[permission] else "Forbidden"

    def of_member(self, by: int, permission: Permission, on: int) -> str:
        """Whether somebody may do this to a member: not seen, not held, not there, or done."""
        if self.out(by):
            return "NotFound"
        held = self.held(by, permission)
        return held if held != "done" or on in self.model else "NotFound"

    def not_above(self, by: int, *roles: Role) -> str:
        return "AboveOwnRole" if any(RANK[role] > RANK[self.model[by]] for role in roles) else ""

    @staticmethod
    def keeps_an_owner(after: dict[int, Role]) -> str:
        return "done" if Role.OWNER in after.values() else "LastOwner"

    # --- the real thing

    def id_of(self, who: int) -> str:
        return self.people[who].actor.id

    async def as_now(self, who: int) -> Work:
        """What this person works with at this moment, on a node that has heard of everything."""
        system = self.services.system("a test")
        user = await system.store.users.get(self.id_of(who))
        return self.services.as_(await sessions._actor(system, user, "ses_x"))

    def tried(self, act: Any, by: int, expected: str) -> None:
        async def asked() -> str:
            return await outcome(act(await self.as_now(by)))

        assert self.run(asked()) == expected


async def outcome(work: Awaitable[Any]) -> str:
    """What became of it, in one word."""
    try:
        await work
    except PulseError as error:
        return type(error).__name__
    return "done"


def test_an_organization_always_has_an_owner_and_who_is_removed_sees_nothing() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Memberships,
        settings=settings(
            max_examples=examples(20, 400),
            stateful_step_count=examples(20, 50),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
