"""The outbox: whatever dies between a change and its entry, the log holds it once and what was promised is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from pulse_dash.core import accounts, bans, keys, organizations, projects, revocations, sessions
from pulse_dash.core.errors import Unavailable
from pulse_dash.services import Services
from pulse_dash.store.audit_form import chain_of
from tests.doubles import BreakableEngine, kept
from tests.doubles import logged as logged_by_now
from tests.people import HOSTILE, PASSWORD, House, Person, Town

NOUNS = ("users", "organizations", "projects", "keys", "sessions", "revocations")


async def sign_up(town: Town, owner: Person, house: House) -> None:
    await accounts.sign_up(
        town.stranger, email="new@example.com", password=PASSWORD, name="New", organization_name="New & Co"
    )


async def create_project(town: Town, owner: Person, house: House) -> None:
    await projects.create(town.work(owner), org_id=owner.organization.id, name="New")


async def create_organization(town: Town, owner: Person, house: House) -> None:
    await organizations.create(town.work(owner), name="New")


async def rename_organization(town: Town, owner: Person, house: House) -> None:
    await organizations.change(town.work(owner), owner.organization.id, name="Renamed")


async def delete_organization(town: Town, owner: Person, house: House) -> None:
    await organizations.delete(town.work(owner), owner.organization.id)


async def rename_project(town: Town, owner: Person, house: House) -> None:
    await projects.change(town.work(owner), house.id, name="Renamed")


async def delete_project(town: Town, owner: Person, house: House) -> None:
    await projects.delete(town.work(owner), house.id)


async def create_key(town: Town, owner: Person, house: House) -> None:
    await keys.create(town.work(owner), house.id, name="New")


async def regenerate_key(town: Town, owner: Person, house: House) -> None:
    await keys.regenerate(town.work(owner), house.id)


async def revoke_key(town: Town, owner: Person, house: House) -> None:
    await keys.revoke(town.work(owner), house.id, house.key.id)


async def revoke_tokens(town: Town, owner: Person, house: House) -> None:
    await revocations.deny(town.work(owner), house.project, "ada", None)


async def ban(town: Town, owner: Person, house: House) -> None:
    await bans.ban(town.work(owner), house.id, identity="ada", reason="spam")


async def sign_out(town: Town, owner: Person, house: House) -> None:
    await sessions.end(town.work(owner))


Change = Callable[[Town, Person, House], Awaitable[None]]
# What each change leaves in the log.
CHANGES: dict[Change, set[str]] = {
    sign_up: {"user.created", "organization.created", "session.started"},
    create_organization: {"organization.created"},
    rename_organization: {"organization.updated"},
    delete_organization: {"organization.deleted"},
    create_project: {"project.created", "key.created"},
    rename_project: {"project.updated"},
    delete_project: {"project.deleted"},
    create_key: {"key.created"},
    regenerate_key: {"key.regenerated"},
    revoke_key: {"key.revoked"},
    revoke_tokens: {"token.revoked"},
    ban: {"identity.banned"},
    sign_out: {"session.ended"},
}


async def actions(services: Services, seen: set[str]) -> list[str]:
    """What the log holds beside what it held before."""
    entries = await kept(services.engine, "audit_log")
    return sorted(entry["action"] for entry in entries if entry["_id"] not in seen)


async def logged(services: Services) -> set[str]:
    return {entry["_id"] for entry in await kept(services.engine, "audit_log")}


async def assert_settled(services: Services) -> None:
    """Nothing is owed, and every document that was promised is there."""
    for noun in NOUNS:
        for document in await services.engine.collection(noun).find({}):
            assert document["pending"] == []
            assert "pending_at" not in document
            assert not document.get("makes")
    for user in await services.engine.collection("users").find({}):
        assert await services.engine.collection("organizations").find_one({"_id": user["last_organization_id"]})
    for project in await services.engine.collection("projects").find({}):
        assert await services.engine.collection("keys").find_one({"project_id": project["_id"]})
    changes = {change["_id"] for change in await services.engine.collection("changes").find({})}
    assert await logged(services) <= changes
    chains: dict[str, list[int]] = {}
    for entry in await kept(services.engine, "audit_log"):
        chains.setdefault(chain_of(entry), []).append(entry["sequence"])
    for places in chains.values():
        assert sorted(places) == list(range(1, len(places) + 1))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_change_is_logged_at_once_and_once(town: Town, services: Services, change: Change) -> None:
    owner = await town.person()
    house = await town.project(owner)
    seen = await logged(services)

    await change(town, owner, house)

    assert await actions(services, seen) == sorted(CHANGES[change])
    await assert_settled(services)
    await services.parts.store.drain()
    assert await actions(services, seen) == sorted(CHANGES[change])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_kill_after_any_operation_of_a_change_loses_and_repeats_nothing(
    town: Town, services: Services, engine: BreakableEngine, change: Change
) -> None:
    failing, happened = 1, 0
    while True:
        engine.gone = False
        owner = await town.person()
        house = await town.project(owner)
        await engine.collection("users").delete_many({"login": "new@example.com"})
        seen = await logged(services)
        whole = await _dies_at(engine, failing, change(town, owner, house))
        engine.gone = False
        await services.parts.store.drain()
        await services.parts.store.drain()

        left = await actions(services, seen)
        # All that one write decided, or nothing: a sign-up is two, the account and then its first session.
        assert left in ([], sorted(CHANGES[change]), sorted(CHANGES[change] - {"session.started"}))
        happened += bool(left)
        await assert_settled(services)
        if whole:
            break
        failing += 1
    assert happened
    assert failing > 2


async def _dies_at(engine: BreakableEngine, operation: int, change: Awaitable[Any]) -> bool:
    """Let the database go at the nth operation; True once the change and its entry are over before it."""
    engine.gone_after = operation - 1
    with suppress(Unavailable):
        await change
    await logged_by_now()
    over, engine.gone_after = not engine.gone, None
    return over


async def test_an_entry_says_who_did_what_from_where_and_no_secret(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await keys.regenerate(town.work(owner), house.id, grace_seconds=60)

    (entry,) = await services.parts.store.people.opened(
        await kept(services.engine, "audit_log", action="key.regenerated")
    )

    assert entry["actor"] == {
        "type": "user",
        "id": owner.actor.id,
        "name": owner.actor.name,
        "email": owner.actor.email,
    }
    assert (entry["org_id"], entry["status"]) == (owner.organization.id, "success")
    assert entry["resource"] == {"type": "key", "id": house.key.id, "name": house.key.name}
    assert entry["changes"] == {"grace_seconds": {"before": None, "after": 60}}
    assert "pulse_secret_" not in repr(entry)


async def test_a_rename_tells_the_name_before_and_after(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner, name=HOSTILE)

    await projects.change(town.work(owner), house.id, name="  Plain  ")

    (entry,) = await kept(services.engine, "audit_log", action="project.updated")
    assert entry["changes"] == {"name": {"before": HOSTILE, "after": "Plain"}}


async def test_a_change_that_changes_nothing_is_not_logged(town: Town, services: Services) -> None:
    owner = await town.person()
    house = await town.project(owner)
    seen = await logged(services)

    await projects.change(town.work(owner), house.id, name=house.project.name, region=house.project.region)
    await organizations.change(town.work(owner), owner.organization.id, name=owner.organization.name)

    assert await actions(services, seen) == []


async def test_one_sick_document_does_not_keep_the_others_waiting(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    seen = await logged(services)
    # A promise that can't be kept: its document's unique part belongs to another one by now.
    stolen = await engine.collection("keys").find_one({"_id": house.key.id})
    assert stolen is not None
    promise = {"noun": "keys", "document": {**stolen, "_id": "key_of_nobody"}}
    now = services.parts.clock.now()
    await engine.collection("users").update_one(
        {"_id": owner.actor.id}, {"$set": {"makes": [promise], "pending_at": now}}
    )
    await _dies_at(engine, 4, keys.create(town.work(owner), house.id, name="later"))
    engine.gone = False

    await services.parts.store.drain()

    assert await actions(services, seen) == ["key.created"]


async def test_all_that_is_owed_is_settled_however_much_it_is(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    owner = await town.person()
    owed = 450
    organizations = engine.collection("organizations")
    template = await organizations.find_one({"_id": owner.organization.id})
    assert template is not None
    waiting = {**template, "pending": [], "pending_at": services.parts.clock.now()}
    for number in range(owed):
        await organizations.insert_one({**waiting, "_id": f"org_{number:026}"})

    assert await services.parts.store.drain() == owed
    assert await services.parts.store.drain() == 0
