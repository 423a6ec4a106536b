"""Whoever changes the log with access to the database is found: eight attacks, and whatever else hypothesis does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from pulse_dash.core import audit_checkpoints, audit_verify, organizations, projects
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.core.audit_verify import Verified, verify
from pulse_dash.core.errors import Invalid, NotFound
from pulse_dash.services import Services
from pulse_dash.store.audit_chain import Head, head_of
from pulse_dash.store.audit_form import GENESIS, hash_of, linked
from pulse_dash.store.engine import Document
from tests.core.soak import examples
from tests.doubles import Mailbox, MovableClock, kept
from tests.people import Person, Town


class Intruder:
    """Somebody who reads and writes the database, and has none of the installation's secrets."""

    def __init__(self, services: Services, org_id: str) -> None:
        self.org_id = org_id
        self.log = services.engine.collection("audit_log")
        self.heads = services.engine.collection("audit_heads")
        self.checkpoints = services.engine.collection("audit_checkpoints")

    async def entries(self) -> list[Document]:
        return await self.log.find({"org_id": self.org_id, "sequence": {"$gt": 0}}, sort=[("sequence", 1)])

    async def put(self, entries: list[Document]) -> None:
        """Let the log hold exactly these."""
        await self.log.delete_many({"org_id": self.org_id})
        await self.log.insert_many(entries)

    async def put_linked(self, entries: list[Document]) -> None:
        """The same, with hashes that fit, and a head that says so."""
        fresh = [{name: value for name, value in each.items() if name not in _OF_THE_CHAIN} for each in entries]
        links = linked(fresh, 0, GENESIS)
        await self.put(links)
        end = {"sequence": len(links), "hash": links[-1]["hash"], "kept_sequence": 0}
        await self.heads.update_one({"_id": self.org_id}, {"$set": end})
        await self.checkpoints.delete_many({"chain": self.org_id})


_OF_THE_CHAIN = {"sequence", "previous", "hash", "marks"}
Attack = Callable[[Intruder], Awaitable[None]]


async def edit(intruder: Intruder) -> None:
    third = (await intruder.entries())[2]
    await intruder.log.update_one({"_id": third["_id"]}, {"$set": {"actor.name": "Somebody Else"}})


async def delete_in_the_middle(intruder: Intruder) -> None:
    await intruder.log.delete_one({"_id": (await intruder.entries())[2]["_id"]})


async def cut_the_tail(intruder: Intruder) -> None:
    await intruder.log.delete_one({"_id": (await intruder.entries())[-1]["_id"]})


async def delete_all(intruder: Intruder) -> None:
    await intruder.log.delete_many({"org_id": intruder.org_id})


async def delete_all_and_the_head(intruder: Intruder) -> None:
    await delete_all(intruder)
    await intruder.heads.delete_one({"_id": intruder.org_id})
    await intruder.checkpoints.delete_many({"chain": intruder.org_id})


async def reorder(intruder: Intruder) -> None:
    entries = await intruder.entries()
    two, three = entries[1], entries[2]
    await intruder.put([entries[0], {**three, "sequence": 2}, {**two, "sequence": 3}, *entries[3:]])


async def insert(intruder: Intruder) -> None:
    entry = {**(await intruder.entries())[2], "_id": "aud_of_nobody", "action": "project.deleted"}
    await intruder.log.insert_one(entry)


async def insert_without_a_place(intruder: Intruder) -> None:
    entry = (await intruder.entries())[2]
    planted = {name: value for name, value in entry.items() if name not in _OF_THE_CHAIN}
    await intruder.log.insert_one({**planted, "_id": "aud_of_nobody"})


async def insert_beyond_the_end(intruder: Intruder) -> None:
    last = (await intruder.entries())[-1]
    entry = {**last, "_id": "aud_of_nobody", "sequence": last["sequence"] + 1, "previous": last["hash"]}
    await intruder.log.insert_one({**entry, "hash": hash_of(entry)})


async def hide_from_filters(intruder: Intruder) -> None:
    third = (await intruder.entries())[2]
    await intruder.log.update_one({"_id": third["_id"]}, {"$set": {"marks": []}})


async def edit_and_link_anew(intruder: Intruder) -> None:
    entries = await intruder.entries()
    entries[2]["ip"] = "192.0.2.66"
    await intruder.put_linked(entries)


async def delete_and_link_anew(intruder: Intruder) -> None:
    entries = await intruder.entries()
    await intruder.put_linked(entries[:2] + entries[3:])


async def cut_the_tail_and_the_head_with_it(intruder: Intruder) -> None:
    await intruder.put_linked((await intruder.entries())[:-1])


FOUND: dict[Attack, str] = {
    edit: "changed",
    delete_in_the_middle: "missing",
    cut_the_tail: "end_missing",
    delete_all: "end_missing",
    delete_all_and_the_head: "chain_missing",
    reorder: "not_ours",
    insert: "twice",
    insert_without_a_place: "unchained_differ",
    insert_beyond_the_end: "beyond",
    hide_from_filters: "marks_changed",
    edit_and_link_anew: "head_forged",
    delete_and_link_anew: "head_forged",
    cut_the_tail_and_the_head_with_it: "head_forged",
}


async def busy(town: Town, changes: int = 6) -> Person:
    """Somebody whose organization has a few entries."""
    owner = await town.person()
    house = await town.project(owner)
    for number in range(changes):
        await projects.change(town.work(owner), house.id, name=f"name {number}")
    return owner


async def verified(town: Town, owner: Person, checkpoint: str | None = None) -> Verified:
    return await verify(town.work(owner), owner.organization.id, checkpoint=checkpoint)


async def stands(town: Town, owner: Person) -> Head:
    """Where the chain of somebody's organization stands now."""
    head = (await verified(town, owner)).head
    assert head is not None
    return head


# --- the eight attacks -------------------------------------------------------------------------------------------


async def test_a_log_that_nobody_touched_fits(town: Town) -> None:
    owner = await busy(town)

    found = await verified(town, owner)

    assert found.fits
    assert found.entries > 8
    assert (found.unchained, found.anchored, found.compared) == (0, False, False)
    assert set(found.finds) == {"edit", "delete", "delete_all", "reorder", "insert", "swap"}


@pytest.mark.parametrize("attack", FOUND, ids=lambda attack: attack.__name__)
async def test_what_is_done_to_the_log_with_access_to_the_database_is_found(
    town: Town, services: Services, attack: Attack
) -> None:
    owner = await busy(town)
    await verified(town, owner)
    await attack(Intruder(services, owner.organization.id))

    fault = (await verified(town, owner)).fault

    assert fault is not None
    assert fault.reason == FOUND[attack]
    assert fault.sentence


async def test_the_entry_that_was_changed_is_named(town: Town, services: Services) -> None:
    owner = await busy(town)
    await verified(town, owner)
    intruder = Intruder(services, owner.organization.id)
    await edit(intruder)

    fault = (await verified(town, owner)).fault

    assert fault is not None
    assert (fault.sequence, fault.entry_id) == (3, (await intruder.entries())[2]["_id"])


async def test_tenants_whose_logs_are_swapped_are_found_both(town: Town, services: Services) -> None:
    one, other = await busy(town), await busy(town)
    for owner in (one, other):
        await verified(town, owner)
    intruders = [Intruder(services, owner.organization.id) for owner in (one, other)]
    logs, heads = [await each.entries() for each in intruders], [(await stands(town, each)) for each in (one, other)]
    for each, entries, head in zip(intruders, reversed(logs), reversed(heads), strict=True):
        await each.log.delete_many({"org_id": each.org_id})
        swapped = {**head.fields, "key": head.key, "signature": head.signature}
        await each.heads.update_one({"_id": each.org_id}, {"$set": swapped})
        for entry in entries:
            await each.log.delete_one({"_id": entry["_id"]})
            await each.log.insert_one({**entry, "org_id": each.org_id})

    for owner in (one, other):
        assert not (await verified(town, owner)).fits


async def test_an_older_backup_that_is_put_back_is_found_by_what_left_the_house_before(
    town: Town, services: Services
) -> None:
    owner = await busy(town)
    intruder = Intruder(services, owner.organization.id)
    before = await stands(town, owner)
    entries, (head,) = await intruder.entries(), await kept(services.engine, "audit_heads", _id=intruder.org_id)
    await organizations.change(town.work(owner), owner.organization.id, name="a name that shall be forgotten")
    mailed = written(await stands(town, owner))
    await intruder.put(entries)
    await intruder.heads.delete_one({"_id": intruder.org_id})
    await intruder.heads.insert_one(head)

    alone, compared = await verified(town, owner), await verified(town, owner, mailed)

    assert alone.fits
    assert "restore" not in alone.finds
    assert compared.fault is not None
    assert compared.fault.reason == "before_checkpoint"
    assert {"cut", "restore"} < set(compared.finds)
    assert (await verified(town, owner, written(before))).fits
    # And once the log has gone on from there.
    for name in ("one", "another"):
        await organizations.change(town.work(owner), owner.organization.id, name=name)
    again = await verified(town, owner, mailed)
    assert again.fault is not None
    assert again.fault.reason == "checkpoint_differs"


async def test_a_checkpoint_that_somebody_put_beside_the_log_is_found(town: Town, services: Services) -> None:
    owner = await busy(town)
    head = await stands(town, owner)
    intruder = Intruder(services, owner.organization.id)
    forged = {**head.fields, "sequence": 4, "hash": (await intruder.entries())[3]["hash"]}
    await intruder.checkpoints.insert_one(
        {"_id": "x", "chain": intruder.org_id, **forged, "key": head.key, "signature": head.signature}
    )

    fault = (await verified(town, owner)).fault

    assert fault is not None
    assert (fault.reason, fault.sequence) == ("checkpoint_forged", 4)


# --- any mutation is found ---------------------------------------------------------------------------------------

_PLACES = some.integers(0, 8)
_TEXTS = some.sampled_from(["", "x", "usr_x", "0" * 64])
_VALUES = some.one_of(some.none(), some.booleans(), some.integers(-1, 12), _TEXTS, some.dictionaries(_TEXTS, _TEXTS))
_FIELDS = some.sampled_from(
    [
        "at",
        "actor",
        "action",
        "resource",
        "status",
        "ip",
        "user_agent",
        "request_id",
        "changes",
        "sequence",
        "previous",
        "hash",
        "marks",
        "_id",
        "org_id",
    ]
)


def _changed(entries: list[Document], place: int, field: str, value: Any) -> list[Document]:
    changed = [dict(each) for each in entries]
    if field == "at":
        value = changed[place]["at"] + timedelta(milliseconds=1)
    changed[place][field] = value
    return changed


def _moved(entries: list[Document], place: int, to: int) -> list[Document]:
    """One entry in the place of another, those between each a place on."""
    rest = entries[:place] + entries[place + 1 :]
    ordered = [*rest[:to], entries[place], *rest[to:]]
    return [{**each, "sequence": number} for number, each in enumerate(ordered, start=1)]


_MUTATIONS = some.one_of(
    some.builds(
        lambda place, field, value: lambda all_: _changed(all_, place, field, value), _PLACES, _FIELDS, _VALUES
    ),
    some.builds(lambda place: lambda all_: all_[:place] + all_[place + 1 :], _PLACES),
    some.builds(lambda place, to: lambda all_: _moved(all_, place, to), _PLACES, _PLACES),
    some.builds(
        lambda place, to: lambda all_: [*all_, {**all_[place], "_id": "aud_x", "sequence": to}], _PLACES, _PLACES
    ),
    some.builds(lambda keep: lambda all_: all_[:keep], _PLACES),
)


def _is_place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _found(services: Services, head: Head, entries: list[Document]) -> bool:
    """What verify does with a log that holds exactly these."""
    looked = audit_verify.Looked(services.system("a test"), head, None)
    here = [each for each in entries if each["org_id"] == head.chain]
    placed = sorted((each for each in here if _is_place(each["sequence"])), key=lambda each: each["sequence"])
    if looked.at_head(len(here) - len(placed)) is not None:
        return True
    return looked.at(placed) is not None or looked._sequence != head.sequence


@pytest.fixture
async def untouched(town: Town, services: Services) -> tuple[Services, list[Document], Head]:
    """A log of nine entries as they lie in the store, and its head."""
    owner = await busy(town)
    head = await stands(town, owner)
    return services, await Intruder(services, owner.organization.id).entries(), head


@settings(max_examples=examples(400, 20_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations=some.lists(_MUTATIONS, min_size=1, max_size=3))
def test_any_mutation_is_found(untouched: tuple[Services, list[Document], Head], mutations: list[Any]) -> None:
    services, entries, head = untouched
    mutated = entries
    for mutation in mutations:
        mutated = mutation(mutated) if len(mutated) == len(entries) else mutated

    # For Python 1 is True; what is written of them differs.
    assert _found(services, head, mutated) == (repr(mutated) != repr(entries))


# --- checkpoints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "{",
        "[]",
        "null",
        "x" * 2_000,
        '{"chain":"org_x"}',
        '{"chain":["org_x"],"sequence":1}',
    ],
)
async def test_what_is_no_checkpoint_is_told(town: Town, spoiled: str) -> None:
    owner = await busy(town, 1)

    with pytest.raises(Invalid):
        audit_checkpoints.read(town.work(owner), owner.organization.id, spoiled)


async def test_a_checkpoint_that_was_changed_or_is_anothers_is_told(town: Town) -> None:
    owner, other = await busy(town, 1), await busy(town, 1)
    head = await stands(town, owner)

    for wrong in (
        replace(head, sequence=head.sequence + 1),
        replace(head, hash=GENESIS),
        replace(head, at=head.at + timedelta(seconds=1)),
        await stands(town, other),
    ):
        with pytest.raises(Invalid, match=r"checkpoint|fields"):
            audit_checkpoints.read(town.work(owner), owner.organization.id, written(wrong))
    assert audit_checkpoints.read(town.work(owner), owner.organization.id, written(head)).hash == head.hash


async def test_owners_get_a_checkpoint_by_mail_once_a_week_and_the_log_is_anchored_then(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    town = Town(mailing)
    owner = await town.person()
    system = mailing.system("a test")
    entry = system.entry("user.verified", org_id=None, resource="user", resource_id=owner.actor.id, name="x")
    await system.store.users.change(owner.actor.id, {"verified_at": clock.now()}, entry)
    before = await verify(town.work(owner), owner.organization.id)
    early = await audit_checkpoints.mail(system)
    clock.move(7 * 86_400 + 1)

    first, again = await audit_checkpoints.mail(system), await audit_checkpoints.mail(system)

    assert (before.anchored, early, first, again) == (False, 0, 1, 0)
    mail = mailbox.mails[-1]
    assert (mail.to, "\n" in mail.subject) == (owner.actor.email, False)
    (line,) = [line for line in mail.text.splitlines() if line.startswith("{")]
    after = await verify(town.work(owner), owner.organization.id, checkpoint=line)
    assert after.fits
    assert after.anchored
    assert after.compared


async def test_a_mail_server_that_is_away_is_asked_again(
    mailing: Services, mailbox: Mailbox, clock: MovableClock
) -> None:
    town = Town(mailing)
    owner = await town.person()
    system = mailing.system("a test")
    entry = system.entry("user.verified", org_id=None, resource="user", resource_id=owner.actor.id, name="x")
    await system.store.users.change(owner.actor.id, {"verified_at": clock.now()}, entry)
    await mailing.parts.store.logged()
    clock.move(7 * 86_400 + 1)
    mailbox.gone = True
    away = await audit_checkpoints.mail(system)
    mailbox.gone = False

    assert (away, await audit_checkpoints.mail(system)) == (0, 1)


async def test_without_a_mail_server_nothing_leaves_and_nothing_is_claimed(
    town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await busy(town, 1)
    await verified(town, owner)
    clock.move(8 * 86_400)

    assert await audit_checkpoints.mail(services.system("a test")) == 0
    assert not (await verified(town, owner)).anchored


# --- whose -------------------------------------------------------------------------------------------------------


async def test_nobody_verifies_another_tenants_log(town: Town) -> None:
    owner, stranger = await busy(town, 1), await town.person()

    with pytest.raises(NotFound):
        await verify(town.work(stranger), owner.organization.id)


async def test_the_command_line_walks_every_chain_and_names_what_does_not_fit(town: Town, services: Services) -> None:
    owners = [await busy(town, 1) for _ in range(3)]
    for owner in owners:
        await verified(town, owner)
    await delete_all_and_the_head(Intruder(services, owners[1].organization.id))

    found = {each.chain: each async for each in audit_verify.every(services.system("a test"), "", None)}

    assert set(found) == {"installation", *(owner.organization.id for owner in owners)}
    assert found["installation"].fault is None
    assert [chain for chain, each in found.items() if not each.fits] == [owners[1].organization.id]
    assert "does not fit" in audit_verify.told(found[owners[1].organization.id])


async def test_a_head_is_known_by_its_document(services: Services, town: Town) -> None:
    owner = await busy(town, 1)
    head = await stands(town, owner)
    (document,) = await kept(services.engine, "audit_heads", _id=owner.organization.id)

    assert head_of(document) == head
