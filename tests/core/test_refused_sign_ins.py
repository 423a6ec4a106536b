"""Wrong passwords stand in the audit log, and writing them tells whoever gave them nothing."""

from __future__ import annotations

import pytest

from pulse_dash.core import accounts, audit, audit_people, refused_sign_ins
from pulse_dash.core.access import Anonymous, Role
from pulse_dash.core.audit import Filters
from pulse_dash.core.errors import Unauthenticated, Unavailable
from pulse_dash.core.work import Call
from pulse_dash.services import Services
from pulse_dash.store.audit_log import AuditEntry
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import PASSWORD, Person, Town

IP = "192.0.2.7"
REFUSED = Filters(action="session.refused")


async def tries(services: Services, email: str, password: str = "not the password", *, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            await accounts.log_in(services.as_(Anonymous(), Call(ip=IP)), email=email, password=password)


async def written(services: Services) -> None:
    await refused_sign_ins.write(services.system("a test"))
    await services.parts.store.logged()


async def seen_by(town: Town, person: Person) -> list[AuditEntry]:
    return list((await audit.listing(town.work(person), REFUSED)).items)


async def test_a_wrong_password_stands_in_the_log_of_the_account_alone(town: Town, services: Services) -> None:
    person, other = await town.person(), await town.person()

    await tries(services, person.actor.email)
    await written(services)

    (entry,) = await seen_by(town, person)
    assert (entry.status, entry.actor["type"], entry.ip) == ("failure", "anonymous", IP)
    assert entry.resource == {"type": "user", "id": person.actor.id, "name": person.actor.name}
    assert await seen_by(town, other) == []


async def test_the_rest_of_a_minute_is_one_entry(town: Town, services: Services, clock: MovableClock) -> None:
    person = await town.person()

    await tries(services, person.actor.email, times=4)
    await written(services)
    assert len(await seen_by(town, person)) == 1
    clock.move(61)
    await services.system("a test").store.refusals.close(clock.now())

    assert [entry.changes for entry in await seen_by(town, person)] == [{"again": {"before": None, "after": 3}}, {}]


async def test_the_right_password_and_an_unknown_address_leave_none(town: Town, services: Services) -> None:
    person = await town.person()

    await accounts.log_in(town.stranger, email=person.actor.email, password=PASSWORD)
    await tries(services, "nobody@example.com")
    await written(services)

    assert await kept(services.engine, "audit_log", action="session.refused") == []
    assert await seen_by(town, person) == []


async def test_a_known_address_costs_the_answer_no_more_of_the_database_than_an_unknown_one(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    person = await town.person()
    await services.parts.store.logged()

    async def cost(email: str) -> int:
        before = engine.operations
        await tries(services, email)
        return engine.operations - before

    assert await cost(person.actor.email) == await cost("nobody@example.com")


async def test_what_the_database_does_not_take_is_written_once_it_is_back(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    person = await town.person()
    await tries(services, person.actor.email)

    engine.gone = True
    with pytest.raises(Unavailable):
        await written(services)
    engine.gone = False
    await written(services)
    await written(services)

    assert len(await seen_by(town, person)) == 1


async def test_of_whoever_is_erased_neither_name_nor_address_stays(town: Town, services: Services) -> None:
    owner = await town.person()
    person = await town.member(owner.organization, Role.DEVELOPER)
    await accounts.use_organization(town.work(person), owner.organization.id)
    await tries(services, person.actor.email)
    await written(services)

    await audit_people.erase(services.system("a test"), person.actor.id)

    assert IP not in repr(await kept(services.engine, "audit_log", action="session.refused"))
    (entry,) = await seen_by(town, owner)
    assert (entry.resource["id"], entry.resource["name"], entry.ip) == (person.actor.id, None, "")
