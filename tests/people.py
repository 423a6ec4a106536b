"""Factories: whoever and whatever a test needs, made through core with one word, under hostile names by default."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from pulse_dash.core import accounts, keys, projects, sessions
from pulse_dash.core.access import Anonymous, Role, UserActor
from pulse_dash.core.keys import ShownKey
from pulse_dash.core.organizations import Organization
from pulse_dash.core.projects import Project
from pulse_dash.core.work import Work
from pulse_dash.services import Services

PASSWORD = "correct horse battery staple"
HOSTILE = "\"><script>alert(1)</script> 𝕏 \u202ednE =1+1 '; DROP"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed up, with an access token and a first organization."""

    actor: UserActor
    organization: Organization
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@dataclass(frozen=True, slots=True)
class House:
    """A project with its first key, as its backend holds it."""

    project: Project
    key: ShownKey
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.project.id


class Town:
    """Makes what a test needs."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @property
    def stranger(self) -> Work:
        """Nobody we know."""
        return self.services.as_(Anonymous())

    async def person(self, name: str = f"Ada {HOSTILE}") -> Person:
        """Somebody with an account and an organization of their own."""
        signed_in = await accounts.sign_up(
            self.stranger,
            email=f"person{next(_numbers)}@example.com",
            password=PASSWORD,
            name=name,
            organization_name=f"Acme {HOSTILE}",
        )
        assert signed_in.started is not None
        assert signed_in.organization is not None
        access, _ = await sessions.access_token(self.stranger, signed_in.started)
        refresh = signed_in.started.secret.reveal()
        return Person(signed_in.started.actor, signed_in.organization, access.reveal(), refresh)

    def work(self, person: Person) -> Work:
        """What this person works with now."""
        return self.services.as_(person.actor)

    async def project(self, owner: Person, name: str = f"Live {HOSTILE}") -> House:
        """A project of the person's own organization."""
        made = await projects.create(self.work(owner), org_id=owner.organization.id, name=name)
        return House(made.project, made.key, pair(made.key))

    async def house(self) -> House:
        """A project of somebody new."""
        return await self.project(await self.person())

    async def by_key(self, house: House) -> Work:
        """What the project's backend works with."""
        known = await keys.recognize(self.stranger, house.key.public, house.key.secret.reveal())
        return self.services.as_(known.actor)

    async def member(self, organization: Organization, role: Role) -> Person:
        """Somebody new who also has this role in that organization."""
        person = await self.person()
        system = self.services.system("a test's member")
        now = await system.store.organizations.get(organization.id)
        members = [member.document() for member in now.members]
        entry = system.entry(
            "member.joined", org_id=organization.id, resource="user", resource_id=person.actor.id, name="member"
        )
        joined = {"user_id": person.actor.id, "role": role.value, "joined_at": system.clock.now()}
        await system.store.organizations.change(organization.id, {"members": [*members, joined]}, entry)
        actor = await sessions.recognize(self.stranger, person.access_token)
        return Person(actor, person.organization, person.access_token, person.refresh_token)


def pair(key: ShownKey) -> dict[str, str]:
    """The headers of a key and its secret."""
    return {"X-Pulse-Key": key.public, "X-Pulse-Secret": key.secret.reveal()}
