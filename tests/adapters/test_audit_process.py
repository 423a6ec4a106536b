"""The process that reads the audit log: it finds what the node would find, and no end of it is taken for a whole."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pulse_dash.adapters.audit_process import AuditProcess, AuditProcesses
from pulse_dash.core import audit, audit_export, audit_verify
from pulse_dash.core.audit import Filters
from pulse_dash.core.audit_export import Export
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from pulse_dash.store import connect
from tests.core.intruding import Intruder, busy
from tests.core.test_audit_attacks import edit
from tests.doubles import BreakableEngine, MovableClock
from tests.people import Person, Town

ROOT = str(Path(__file__).resolve().parents[2])


@pytest.fixture
async def apart(
    settings: Settings, engine: BreakableEngine, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    """A node as it serves: what is long is read beside it."""
    # The tests' own folder is not where Pulse is started from.
    monkeypatch.setenv("PYTHONPATH", ROOT)
    node = assemble(settings, engine, clock, Passwords(password_cost=4), apart=True)
    yield node
    assert node.audit_processes is not None
    await node.audit_processes.close()
    await node.parts.store.logged()
    await node.livekit.close()
    node.parts.passwords.close()


def processes(node: Services) -> AuditProcesses:
    assert node.audit_processes is not None
    return node.audit_processes


def running(node: Services) -> list[AuditProcess]:
    return list(processes(node)._running)


async def begun(node: Services, owner: Person, form: audit_export.Form = "csv") -> Export:
    return await audit_export.begin(Town(node).work(owner), Filters(owner.organization.id), form)


async def whole(export: Export) -> bytes:
    return b"".join([chunk async for chunk in export.chunks()])


async def test_it_finds_what_was_changed(apart: Services) -> None:
    owner = await busy(Town(apart))
    work, org_id = Town(apart).work(owner), owner.organization.id
    before = await audit_verify.verify(work, org_id)
    await edit(Intruder(apart, org_id))

    after = await audit_verify.verify(work, org_id)

    assert before.fits
    assert before.entries > 6
    assert after.fault is not None
    assert after.fault.reason == "changed"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_its_file_is_the_one_that_the_node_would_write(
    apart: Services, services: Services, clock: MovableClock, form: audit_export.Form
) -> None:
    owner = await busy(Town(apart))
    there = await whole(await begun(apart, owner, form))
    # Ids of two nodes have no order within a moment.
    clock.move(1)
    here = await whole(await begun(services, owner, form))

    # The second holds an entry of the second.
    entries = there.splitlines()[:-1] if form == "jsonl" else there.splitlines()
    assert here.splitlines()[: len(entries)] == entries
    assert owner.actor.email.encode() in there or form == "jsonl"


async def test_killed_while_it_verifies_it_is_told_of_and_the_next_call_works(apart: Services) -> None:
    owner = await busy(Town(apart))
    work, org_id = Town(apart).work(owner), owner.organization.id
    verifying = asyncio.create_task(audit_verify.verify(work, org_id))
    while not running(apart):
        await asyncio.sleep(0)
    os.kill(running(apart)[0]._process.pid, signal.SIGKILL)

    with pytest.raises(Unavailable, match="ended before"):
        await verifying
    assert (await audit_verify.verify(work, org_id)).fits


async def test_killed_while_it_exports_the_file_has_no_end(apart: Services) -> None:
    owner = await busy(Town(apart))
    export = await begun(apart, owner)
    os.kill(running(apart)[0]._process.pid, signal.SIGKILL)

    with pytest.raises(Unavailable, match="ended before"):
        await whole(export)


async def test_who_leaves_takes_it_along(apart: Services) -> None:
    export = await begun(apart, await busy(Town(apart)))
    (process,) = running(apart)
    async for _ in export.chunks():
        break
    export.end()

    assert await process._process.wait() == -signal.SIGKILL
    assert running(apart) == []


async def test_it_ends_with_the_node_that_started_it(apart: Services) -> None:
    process = await processes(apart).start()
    process._stdin.close()

    assert await process._process.wait() == 0


async def test_no_secret_stands_in_its_command_or_environment(
    apart: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "an-encryption-key-of-the-environment")
    process = await processes(apart).start()
    place = Path(f"/proc/{process._process.pid}")
    seen = place.joinpath("cmdline").read_bytes() + place.joinpath("environ").read_bytes()
    process.end()

    assert b"pulse_dash.audit_helper" in seen
    assert b"ENCRYPTION_KEYS" not in seen
    assert settings.encryption_keys.get_secret_value().encode() not in seen


async def test_where_none_can_be_started_it_is_said(apart: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await busy(Town(apart))
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(Unavailable, match="cannot be started"):
        await begun(apart, owner)
    exported = Filters(owner.organization.id, action="audit.exported")
    assert (await audit.listing(Town(apart).work(owner), exported)).items == []


async def test_whoever_looks_into_the_file_beside_the_node_writes_nothing(apart: Services, settings: Settings) -> None:
    looking = await connect.look(mongo_uri=None, database="pulse", data_dir=settings.data_dir, timeout_seconds=1)

    with pytest.raises(Unavailable, match="only reads"):
        await looking.collection("audit_log").insert_one({"_id": "x"})
    await looking.close()
