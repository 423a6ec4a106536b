"""The chains of the audit log on every engine: entries follow on each other once, in order, whoever writes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import bson

from pulse_dash.core.person_ciphers import PersonCiphers
from pulse_dash.store.audit_chain import Chains, Head
from pulse_dash.store.audit_form import GENESIS, follows, hash_of, linked
from pulse_dash.store.audit_people import People
from pulse_dash.store.engine import Document, Engine
from pulse_dash.store.migrations import migrate
from tests.doubles import MovableClock, a_signing, a_vault
from tests.store.things import HOSTILE, NOON

ORG = "org_x"
_numbers = itertools.count()


def an_entry(entry_id: str | None = None, **fields: Any) -> Document:
    """An entry as a change carries it."""
    return {
        "_id": entry_id or f"aud_{next(_numbers):08}",
        "org_id": ORG,
        "at": NOON,
        "actor": {"type": "user", "id": "usr_x", "name": HOSTILE, "email": "x@example.com"},
        "action": "project.updated",
        "resource": {"type": "project", "id": "prj_x", "name": HOSTILE},
        "status": "success",
        "ip": "203.0.113.9",
        "user_agent": "curl/8",
        "request_id": "trail-1",
        "changes": {"name": {"before": None, "after": HOSTILE}},
        **fields,
    }


def a_node(engine: Engine, clock: MovableClock) -> Chains:
    """One of the nodes that write into this store."""
    return Chains(engine, clock, a_signing(), People(engine, clock, PersonCiphers(a_vault())))


async def in_order(engine: Engine, chain: str | None = ORG) -> list[Document]:
    """The entries of a chain, by their place."""
    return await engine.collection("audit_log").find(
        {"org_id": chain, "sequence": {"$gt": 0}}, sort=[("sequence", 1), ("_id", 1)]
    )


def assert_whole(entries: list[Document], head: Head | None) -> None:
    """No gap, no fork, each with the hash that follows from it, and the head at the end."""
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["previous"] for entry in entries] == [GENESIS, *(entry["hash"] for entry in entries)][:-1]
    assert [entry["hash"] for entry in entries] == [hash_of(entry) for entry in entries]
    assert head is not None
    assert (head.sequence, head.hash) == (len(entries), entries[-1]["hash"])


async def test_entries_follow_on_each_other_from_a_beginning_that_is_known(engine: Engine, clock: MovableClock) -> None:
    node = a_node(engine, clock)
    await node.append(ORG, [an_entry("a"), an_entry("b")])
    await node.append(ORG, [an_entry("c")])

    entries = await in_order(engine)

    assert [entry["_id"] for entry in entries] == ["a", "b", "c"]
    assert_whole(entries, await node.head(ORG))


async def test_each_organization_and_the_installation_have_a_chain_of_their_own(
    engine: Engine, clock: MovableClock
) -> None:
    node = a_node(engine, clock)
    await node.append(ORG, [an_entry("a")])
    await node.append("installation", [an_entry("b", org_id=None)])
    await node.append("org_y", [an_entry("c", org_id="org_y")])

    for chain, org_id in ((ORG, ORG), ("installation", None), ("org_y", "org_y")):
        assert_whole(await in_order(engine, org_id), await node.head(chain))


async def test_an_entry_that_is_appended_again_is_there_once(engine: Engine, clock: MovableClock) -> None:
    one, other = a_node(engine, clock), a_node(engine, clock)
    for chain in (f"org_{number}" for number in range(10)):
        entries = [an_entry(org_id=chain) for _ in range(5)]
        await asyncio.gather(
            one.append(chain, entries), other.append(chain, entries[::-1]), one.append(chain, entries[2:])
        )

        assert len(await in_order(engine, chain)) == 5
        assert_whole(await in_order(engine, chain), await one.head(chain))


async def test_sixty_four_writers_make_one_chain_without_a_gap(engine: Engine, clock: MovableClock) -> None:
    # The stand-in answers on the thread of the tests, where as many take half a minute.
    writers = 64 if engine.name == "embedded" else 12
    nodes = [a_node(engine, clock) for _ in range(writers)]

    async def write(node: Chains) -> None:
        await node.append(ORG, [an_entry()])
        await node.append(ORG, [an_entry(), an_entry()])

    await asyncio.gather(*map(write, nodes))

    assert len(await in_order(engine)) == writers * 3
    assert_whole(await in_order(engine), await nodes[0].head(ORG))


async def test_what_a_node_left_in_the_head_when_it_died_is_placed_by_the_next(
    engine: Engine, clock: MovableClock
) -> None:
    node = a_node(engine, clock)
    await node.append(ORG, [an_entry("a"), an_entry("b")])
    (_, b) = await in_order(engine)
    # It died between the head and the log.
    await engine.collection("audit_log").delete_one({"_id": "b"})
    await engine.collection("audit_heads").update_one({"_id": ORG}, {"$set": {"open": [b]}})

    await a_node(engine, clock).append(ORG, [an_entry("c")])

    assert [entry["_id"] for entry in await in_order(engine)] == ["a", "b", "c"]
    assert_whole(await in_order(engine), await node.head(ORG))


async def test_a_clock_that_is_set_back_changes_no_order(engine: Engine, clock: MovableClock) -> None:
    node = a_node(engine, clock)
    for number, back in enumerate((0, 3_600, 60)):
        await node.append(ORG, [an_entry(str(number), at=NOON - timedelta(seconds=back))])

    assert [entry["_id"] for entry in await in_order(engine)] == ["0", "1", "2"]
    assert_whole(await in_order(engine), await node.head(ORG))


async def test_a_hash_is_over_what_the_store_gives_back(engine: Engine, clock: MovableClock) -> None:
    odd: Mapping[str, Any] = {
        "finer than kept": NOON + timedelta(microseconds=123_456),
        "numbers": [0, -1, 2**63 - 1, 0.1, 1e300],
        "bytes": b"\0\xff",
        "nothing": None,
        "nested": {"ß": [True, {"ꟸ": "\u2028\x00\x7f\U0001f39b"}]},
    }
    await a_node(engine, clock).append(ORG, [an_entry(changes=odd)])

    (entry,) = await in_order(engine)

    assert entry["hash"] == hash_of(entry)
    assert entry["changes"]["finer than kept"].endswith(".123Z")


async def test_an_entry_as_it_is_stored_follows_on_the_one_before_and_on_no_other(
    engine: Engine, clock: MovableClock
) -> None:
    await a_node(engine, clock).append(ORG, [an_entry(), an_entry()])
    one, two = await engine.collection("audit_log").find_bodies(
        {"org_id": ORG, "sequence": {"$gt": 0}}, sort=[("sequence", 1), ("_id", 1)], limit=10
    )

    first = follows(one, 1, GENESIS)

    assert first is not None
    assert follows(two, 2, first) is not None
    assert follows(two, 3, first) is follows(two, 2, GENESIS) is follows(one, 2, first) is None
    assert follows(two + b"\0", 2, first) is follows(b"", 2, first) is None


def test_a_place_beyond_two_thousand_million_is_a_place() -> None:
    (link,) = linked([an_entry()], 2**31, GENESIS)

    assert follows(bson.encode(link), 2**31 + 1, GENESIS) == link["hash"]


async def test_a_log_of_before_there_were_chains_is_counted_and_found_by_its_marks(
    engine: Engine, clock: MovableClock
) -> None:
    log = engine.collection("audit_log")
    await log.insert_many([an_entry(), an_entry(), an_entry(org_id="org_y")])
    await migrate(engine, clock, "me")
    node = a_node(engine, clock)
    await node.append(ORG, [an_entry("a")])

    head = await node.head(ORG)

    assert head is not None
    assert (head.unchained, head.sequence) == (2, 1)
    assert await log.count_documents({"org_id": ORG, "marks": "action:project.updated"}) == 3


async def test_a_checkpoint_is_kept_every_thousand_entries_and_an_hour_after_the_last(
    engine: Engine, clock: MovableClock
) -> None:
    node = a_node(engine, clock)
    await node.append(ORG, [an_entry() for _ in range(1_001)])
    await node.append("org_y", [an_entry(org_id="org_y")])
    kept = [each.sequence for each in await node.checkpoints(ORG, 0, 2_000)]
    clock.move(3_601)

    await node.keep_due()
    await node.keep_due()

    assert kept == [1_000]
    assert [each.sequence for each in await node.checkpoints(ORG, 0, 2_000)] == [1_000, 1_001]
    (of_y,) = await node.checkpoints("org_y", 0, 2_000)
    assert node.signed_by_us(of_y)
