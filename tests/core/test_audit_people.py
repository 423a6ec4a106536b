"""People in the audit log: sealed where it lies, known to its readers, and gone with their key while the chain fits."""

from __future__ import annotations

import asyncio

from pulse_dash.core import accounts, audit, audit_people, invitations, members, projects
from pulse_dash.core.access import Role
from pulse_dash.core.audit import AuditEntry, Filters
from pulse_dash.core.audit_verify import verify
from pulse_dash.core.person_ciphers import PersonCiphers
from pulse_dash.core.work import Call
from pulse_dash.services import Services
from pulse_dash.store.audit_people import People
from tests.doubles import MovableClock, a_vault, kept
from tests.people import Person, Town

IP = "192.0.2.77"


async def busy(town: Town) -> tuple[Person, Person]:
    """An owner who invited somebody, and a colleague who was renamed and changed something from an address."""
    owner = await town.person("Ada Lovelace")
    colleague = await town.member(owner.organization, Role.ADMIN)
    house = await town.project(owner)
    work = town.services.as_(colleague.actor, Call("trail", IP, "curl/8"))
    await projects.change(work, house.id, name="Evening")
    await members.change_role(town.work(owner), owner.organization.id, colleague.actor.id, Role.DEVELOPER)
    await invitations.invite(town.work(owner), owner.organization.id, email="grace@example.net", role=Role.VIEWER)
    return owner, colleague


async def log_of(town: Town, owner: Person, **filters: str) -> list[AuditEntry]:
    found = await audit.listing(town.work(owner), Filters(org_id=owner.organization.id, **filters), limit=100)
    return found.items


async def test_what_lies_in_the_store_names_nobody(town: Town, services: Services) -> None:
    owner, colleague = await busy(town)
    await services.parts.store.logged()

    lying = repr([await kept(services.engine, noun) for noun in ("audit_log", "audit_heads", "audit_checkpoints")])

    for private in ("Lovelace", owner.actor.email, colleague.actor.email, colleague.actor.name, "grace@", IP):
        assert private not in lying
    assert owner.actor.id in lying


async def test_its_readers_know_them(town: Town) -> None:
    owner, colleague = await busy(town)

    (renamed,) = await log_of(town, owner, action="project.updated")
    (invited,) = await log_of(town, owner, action="member.invited")
    (promoted,) = await log_of(town, owner, action="member.role_changed")

    assert renamed.actor["name"] == colleague.actor.name
    assert (renamed.actor["email"], renamed.ip) == (colleague.actor.email, IP)
    assert invited.resource["name"] == "grace@example.net"
    assert promoted.resource["name"] == colleague.actor.name
    assert promoted.changes["role"] == {"before": "admin", "after": "developer"}


async def test_who_is_erased_is_an_id_from_then_on_and_the_chain_fits(town: Town) -> None:
    owner, colleague = await busy(town)
    await log_of(town, owner)
    system = town.services.system("a test")

    erased = await audit_people.erase(system, colleague.actor.id)
    again = await audit_people.erase(system, colleague.actor.id)

    (renamed,) = await log_of(town, owner, action="project.updated")
    (invited,) = await log_of(town, owner, action="member.invited")
    assert (erased, again) == (True, False)
    assert (renamed.actor["id"], renamed.actor["name"], renamed.actor["email"]) == (colleague.actor.id, None, None)
    assert renamed.ip == ""
    assert invited.actor["name"] == "Ada Lovelace"
    assert (await verify(town.work(owner), owner.organization.id)).fits


async def test_a_changed_name_is_sealed_before_and_after(town: Town, services: Services) -> None:
    owner = await town.person("Ada Lovelace")
    await accounts.rename(town.work(owner), name="Ada Byron")

    (entry,) = await kept(services.engine, "audit_log", action="user.renamed")

    assert "Byron" not in repr(entry)
    (read,) = await services.parts.store.people.opened([entry])
    assert read["changes"]["name"] == {"before": "Ada Lovelace", "after": "Ada Byron"}


async def test_what_was_sealed_for_one_entry_says_nothing_in_another(town: Town, services: Services) -> None:
    owner, _ = await busy(town)
    one, other = (await kept(services.engine, "audit_log", org_id=owner.organization.id))[:2]
    moved = {**other, "actor": {**other["actor"], "sealed": one["actor"]["sealed"]}}

    (read,) = await services.parts.store.people.opened([moved])

    assert read["actor"]["name"] is None


def test_a_key_of_somebody_else_or_of_another_installation_opens_nothing() -> None:
    ciphers = PersonCiphers(a_vault())
    mine, theirs = ciphers.fresh(), ciphers.fresh()
    sealed = ciphers.seal(mine, b"Ada", "aud_x:actor")

    assert ciphers.open(mine, sealed, "aud_x:actor") == b"Ada"
    assert ciphers.open(theirs, sealed, "aud_x:actor") is None
    assert ciphers.open(b"not a key of ours", sealed, "aud_x:actor") is None
    assert ciphers.open(mine, "not sealed", "aud_x:actor") is None


async def test_nodes_that_meet_somebody_at_once_make_one_key(services: Services, clock: MovableClock) -> None:
    nodes = [People(services.engine, clock, PersonCiphers(services.parts.vault)) for _ in range(8)]
    entry = {"_id": "aud_x", "actor": {"type": "user", "id": "usr_new", "name": "Ada", "email": "a@b.c"}, "ip": IP}

    sealed = [each for (each,) in await asyncio.gather(*(node.sealed([entry]) for node in nodes))]

    assert [each["actor"]["name"] for each in await nodes[0].opened(sealed)] == ["Ada"] * 8
    assert len(await kept(services.engine, "audit_people", _id="usr_new")) == 1
