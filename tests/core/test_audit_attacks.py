"""Whoever changes the log with access to the database is found: eight attacks, and whatever else hypothesis does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from pulse_dash.core import audit_walk, organizations
from pulse_dash.core.audit_checkpoints import written
from pulse_dash.services import Services
from pulse_dash.store.audit_chain import Head
from pulse_dash.store.audit_form import hash_of
from pulse_dash.store.engine import Document
from tests.core.intruding import OF_THE_CHAIN, Intruder, before, busy, stands, verified
from tests.core.soak import examples
from tests.doubles import kept
from tests.people import Town

__all__ = ["before"]

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
    planted = {name: value for name, value in entry.items() if name not in OF_THE_CHAIN}
    await intruder.log.insert_one({**planted, "_id": "aud_of_nobody"})


async def insert_beyond_the_end(intruder: Intruder) -> None:
    last = (await intruder.entries())[-1]
    entry = {**last, "_id": "aud_of_nobody", "sequence": last["sequence"] + 1, "previous": last["hash"]}
    await intruder.log.insert_one({**entry, "hash": hash_of(entry)})


async def hide_from_filters(intruder: Intruder) -> None:
    third = (await intruder.entries())[2]
    await intruder.log.update_one({"_id": third["_id"]}, {"$set": {"marks": []}})


async def add_a_field(intruder: Intruder) -> None:
    third = (await intruder.entries())[2]
    await intruder.log.update_one({"_id": third["_id"]}, {"$set": {"resource.note": "harmless"}})


async def write_bytes_that_read_the_same(intruder: Intruder) -> None:
    entries = await intruder.entries()
    entries[2] = dict(reversed(entries[2].items()))
    await intruder.put(entries)


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
    hide_from_filters: "changed",
    add_a_field: "changed",
    write_bytes_that_read_the_same: "changed",
    edit_and_link_anew: "head_forged",
    delete_and_link_anew: "head_forged",
    cut_the_tail_and_the_head_with_it: "head_forged",
}


# The first form is not over the order of fields, and not over the marks, which verify makes again.
FOUND_BEFORE = {
    attack: "marks_changed" if attack is hide_from_filters else reason
    for attack, reason in FOUND.items()
    if attack is not write_bytes_that_read_the_same
}


def encoded(entry: Document) -> bytes:
    """An entry as the store keeps it."""
    return bson.encode(entry)


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


@pytest.mark.parametrize("attack", FOUND_BEFORE, ids=lambda attack: attack.__name__)
async def test_the_same_is_found_among_entries_of_the_first_form(
    town: Town, services: Services, before: pytest.MonkeyPatch, attack: Attack
) -> None:
    owner = await busy(town)
    await verified(town, owner)
    await attack(Intruder(services, owner.organization.id))

    fault = (await verified(town, owner)).fault

    assert fault is not None
    assert fault.reason == FOUND_BEFORE[attack]


async def test_a_chain_that_was_begun_in_the_first_form_goes_on_in_the_second(
    town: Town, services: Services, before: pytest.MonkeyPatch
) -> None:
    owner = await busy(town)
    older = await stands(town, owner)
    before.undo()
    await organizations.change(town.work(owner), owner.organization.id, name="since then")

    found = await verified(town, owner, written(older))
    forms = [entry.get("version") for entry in await Intruder(services, owner.organization.id).entries()]

    assert found.fits
    assert forms == [None] * older.sequence + [2]


async def test_an_entry_that_cannot_be_read_any_more_is_found(town: Town, services: Services) -> None:
    owner = await busy(town)
    head = await stands(town, owner)
    bodies = [encoded(each) for each in await Intruder(services, owner.organization.id).entries()]
    spoiled = bodies[2].replace(b"\x02action\0", b"\x7faction\0")

    fault = audit_walk.Looked(services.parts.store.chains.signed_by_us, head, None).at(
        [*bodies[:2], spoiled, *bodies[3:]]
    )

    assert fault is not None
    assert (fault.reason, fault.sequence) == ("changed", 3)


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
    looked = audit_walk.Looked(services.parts.store.chains.signed_by_us, head, None)
    here = [each for each in entries if each["org_id"] == head.chain]
    placed = sorted((each for each in here if _is_place(each["sequence"])), key=lambda each: each["sequence"])
    if looked.at_head(len(here) - len(placed)) is not None:
        return True
    return looked.at(map(encoded, placed)) is not None or looked._sequence != head.sequence


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
