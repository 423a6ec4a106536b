"""Organizations, projects and keys under any sequence of what people do: nothing of another tenant is ever seen.

A model says what each person should see; after every step the real thing is compared with it, over a real store.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pulse_dash.core import keys, organizations, projects, sessions
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, NotFound, Unauthenticated
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.passwords import Passwords
from pulse_dash.core.work import Work
from pulse_dash.services import assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.connect import connect
from tests.core.soak import examples
from tests.doubles import MovableClock
from tests.hostile import NAMES
from tests.people import Person, Town

T = TypeVar("T")

TENANTS = 3
tenants = st.integers(0, TENANTS - 1)
which = st.integers(0, 50)
names = st.sampled_from(list(NAMES.values()))


@dataclass
class Kept:
    """What the model holds of one project."""

    id: str
    tenant: int
    keys: dict[str, ShownKey] = field(default_factory=dict[str, ShownKey])
    dead: list[ShownKey] = field(default_factory=list[ShownKey])
    deleted: bool = False


class Tenants(RuleBasedStateMachine):
    """Three tenants; the owner of the first is a viewer of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="pulse-tenants-")
        self.kept: list[Kept] = []
        self.gone: set[int] = set()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def work(self, person: Person) -> Work:
        """As every node knows them by now: a role in a deleted organization is none."""
        return self.services.as_(self.run(sessions.recognize(self.town.stranger, person.access_token)))

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        chosen = load_settings(pulse_data_dir=Path(self.folder.name) / "data", public_url="http://localhost:8000")
        engine = await connect(mongo_uri=None, database="pulse", data_dir=chosen.data_dir)
        await engine.prepare()
        self.services = assemble(chosen, engine, MovableClock(), Passwords(password_cost=4))
        self.town = Town(self.services)
        self.people = [await self.town.person() for _ in range(TENANTS)]
        self.viewer = await self.town.member(self.people[1].organization, Role.VIEWER)

    def teardown(self) -> None:
        if hasattr(self, "services"):
            self.run(self.services.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(tenant=tenants, name=names)
    def a_project_is_made(self, tenant: int, name: str) -> None:
        if tenant in self.gone:
            with pytest.raises(NotFound):
                self.run(self._make(tenant, name))
            return
        made = self.run(self._make(tenant, name))
        self.kept.append(Kept(made.project.id, tenant, {made.key.id: made.key}))

    async def _make(self, tenant: int, name: str) -> Any:
        owner = self.people[tenant]
        return await projects.create(self.town.work(owner), org_id=owner.organization.id, name=name)

    @precondition(lambda self: self.kept)
    @rule(at=which, by=tenants, name=names)
    def somebody_makes_a_key(self, at: int, by: int, name: str) -> None:
        project = self.kept[at % len(self.kept)]
        doing = keys.create(self.work(self.people[by]), project.id, name=name)
        if self._may(by, project):
            made = self.run(doing)
            project.keys[made.id] = made
        else:
            self._refused(doing)

    @precondition(lambda self: self.kept)
    @rule(at=which, key=which, by=tenants)
    def somebody_revokes_a_key(self, at: int, key: int, by: int) -> None:
        project = self.kept[at % len(self.kept)]
        if not project.keys:
            return
        key_id = sorted(project.keys)[key % len(project.keys)]
        doing = keys.revoke(self.work(self.people[by]), project.id, key_id)
        if self._may(by, project):
            self.run(doing)
            project.dead.append(project.keys.pop(key_id))
        else:
            self._refused(doing)

    @precondition(lambda self: self.kept)
    @rule(at=which, by=tenants)
    def somebody_regenerates_a_key(self, at: int, by: int) -> None:
        project = self.kept[at % len(self.kept)]
        if not project.keys:
            return
        key_id = min(project.keys)
        doing = keys.regenerate(self.work(self.people[by]), project.id, key_id=key_id, grace_seconds=0)
        if self._may(by, project):
            fresh = self.run(doing)
            project.dead.append(project.keys[key_id])
            project.keys[key_id] = fresh
        else:
            self._refused(doing)

    @precondition(lambda self: self.kept)
    @rule(at=which, by=tenants, name=names)
    def somebody_renames_a_project(self, at: int, by: int, name: str) -> None:
        project = self.kept[at % len(self.kept)]
        doing = projects.change(self.work(self.people[by]), project.id, name=name)
        if self._may(by, project):
            assert self.run(doing).name == name
        else:
            self._refused(doing)

    @precondition(lambda self: self.kept)
    @rule(at=which, by=tenants)
    def somebody_deletes_a_project(self, at: int, by: int) -> None:
        project = self.kept[at % len(self.kept)]
        doing = projects.delete(self.work(self.people[by]), project.id)
        if self._may(by, project):
            self.run(doing)
            project.deleted = True
        else:
            self._refused(doing)

    @precondition(lambda self: self.kept)
    @rule(at=which)
    def a_viewer_tries_it_all(self, at: int) -> None:
        project, work = self.kept[at % len(self.kept)], self.work(self.viewer)
        expected = Forbidden if self._lives(project) and project.tenant == 1 else NotFound
        for doing in (
            keys.create(work, project.id, name="x"),
            projects.change(work, project.id, name="x"),
            projects.delete(work, project.id),
        ):
            with pytest.raises(expected):
                self.run(doing)

    @rule(tenant=tenants, by=tenants)
    def somebody_deletes_an_organization(self, tenant: int, by: int) -> None:
        doing = organizations.delete(self.work(self.people[by]), self.people[tenant].organization.id)
        if by == tenant and tenant not in self.gone:
            self.run(doing)
            self.gone.add(tenant)
            # Its keys stay dead, also when it comes back.
            for project in self.kept:
                if project.tenant == tenant:
                    project.dead += project.keys.values()
                    project.keys.clear()
        else:
            self._refused(doing)

    @precondition(lambda self: self.gone)
    @rule(by=tenants)
    def somebody_restores_an_organization(self, by: int) -> None:
        tenant = min(self.gone)
        doing = organizations.restore(self.work(self.people[by]), self.people[tenant].organization.id)
        if by == tenant:
            self.run(doing)
            self.gone.discard(tenant)
        else:
            self._refused(doing)

    @invariant()
    def everybody_sees_their_own_and_nothing_else(self) -> None:
        if hasattr(self, "people"):
            self.run(self._look())

    async def _look(self) -> None:
        # What other nodes learn within a second.
        await self.services.feed.read()
        for number, person in [*enumerate(self.people), (1, self.viewer)]:
            await self._sees(
                person, {project.id for project in self.kept if self._lives(project) and project.tenant == number}
            )
        for project in self.kept:
            for key in project.keys.values():
                assert await self._opens(key) == (project.id if self._lives(project) else None)
            for key in project.dead:
                assert await self._opens(key) is None

    async def _sees(self, person: Person, expected: set[str]) -> None:
        work = self.services.as_(await sessions.recognize(self.town.stranger, person.access_token))
        assert {project.id for project in (await projects.listing(work, limit=100)).items} == expected
        for project in self.kept:
            mine = project.id in expected
            try:
                found = {key.id for key in await keys.listing(work, project.id)}
                assert mine
                assert found >= set(project.keys)
            except NotFound:
                assert not mine
            for key in project.keys.values():
                assert [each.key.id for each in await keys.search(work, key.public, limit=5)] == [key.id] * mine

    async def _opens(self, key: ShownKey) -> str | None:
        try:
            return (await keys.recognize(self.town.stranger, key.public, key.secret.reveal())).actor.project_id
        except Unauthenticated:
            return None

    def _lives(self, project: Kept) -> bool:
        return not project.deleted and project.tenant not in self.gone

    def _may(self, by: int, project: Kept) -> bool:
        return self._lives(project) and project.tenant == by

    def _refused(self, doing: Coroutine[Any, Any, Any]) -> None:
        """Another's, a deleted one and none at all are the same."""
        with pytest.raises(NotFound):
            self.run(doing)


def test_whatever_people_do_nothing_of_another_tenant_is_seen() -> None:
    run_state_machine_as_test(
        Tenants,
        settings=settings(
            max_examples=examples(8, 300),
            stateful_step_count=examples(15, 40),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
