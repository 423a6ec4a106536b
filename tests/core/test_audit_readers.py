"""So many read the audit log at once, and nobody holds a place by doing nothing with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from pulse_dash.api import audit_verify
from pulse_dash.core import audit_readers
from pulse_dash.core.audit_readers import AT_ONCE, AT_ONCE_OF_ONE, AuditReaders, Busy, Job, Reading
from pulse_dash.core.errors import Unavailable

ANY = cast("Job", None)


class Endless:
    """A process that reads on until it is ended."""

    def __init__(self) -> None:
        self.ended = False

    async def chunks(self, job: Job) -> AsyncGenerator[bytes]:
        while not self.ended:
            yield b"some"
        raise Unavailable("audit")

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def started() -> list[Endless]:
    return []


@pytest.fixture
def readers(started: list[Endless], monkeypatch: pytest.MonkeyPatch) -> AuditReaders:
    """Those of a house in which nobody waits for long."""
    monkeypatch.setattr(audit_readers, "PLACE_SECONDS", 0.01)

    async def start() -> Endless:
        started.append(Endless())
        return started[-1]

    return AuditReaders(start)


async def test_one_organization_leaves_places_for_others(readers: AuditReaders) -> None:
    for _ in range(AT_ONCE_OF_ONE):
        await readers.begin("org_a")

    with pytest.raises(Busy):
        await readers.begin("org_a")
    await readers.begin("org_b")


async def test_the_house_has_so_many_places_and_no_more(readers: AuditReaders) -> None:
    for number in range(AT_ONCE):
        await readers.begin(f"org_{number}")

    with pytest.raises(Busy):
        await readers.begin("org_z")


async def test_who_waits_gets_the_place_that_is_left(readers: AuditReaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_readers, "PLACE_SECONDS", 60.0)
    first, *_ = [await readers.begin("org_a") for _ in range(AT_ONCE_OF_ONE)]
    waiting = asyncio.create_task(readers.begin("org_a"))
    await asyncio.sleep(0)
    first.end()

    assert isinstance(await waiting, Reading)


async def test_who_gives_up_waiting_holds_no_place(readers: AuditReaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_readers, "PLACE_SECONDS", 60.0)
    held = [await readers.begin("org_a") for _ in range(AT_ONCE_OF_ONE)]
    waiting = asyncio.create_task(readers.begin("org_a"))
    await asyncio.sleep(0)
    held[0].end()
    waiting.cancel()
    await asyncio.wait({waiting})
    for each in held:
        each.end()

    assert readers._taken.total() == 0


async def test_a_process_that_cannot_be_started_takes_no_place() -> None:
    async def start() -> Endless:
        raise Unavailable("audit")

    readers = AuditReaders(start)
    for _ in range(AT_ONCE + 1):
        with pytest.raises(Unavailable):
            await readers.begin("org_a")


async def test_who_takes_too_slowly_is_cut_off(
    readers: AuditReaders, started: list[Endless], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_readers, "GRACE_SECONDS", 0.01)
    reading = await readers.begin("org_a")
    chunks = reading.chunks(ANY)
    await anext(chunks)
    while not started[0].ended:
        await asyncio.sleep(0.01)

    with pytest.raises(Unavailable):
        await anext(chunks)
    assert readers._taken.total() == 0


async def test_what_nobody_reads_is_let_go(
    readers: AuditReaders, started: list[Endless], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_readers, "GRACE_SECONDS", 0.01)
    await readers.begin("org_a")
    while not started[0].ended:
        await asyncio.sleep(0.01)

    assert readers._taken.total() == 0


async def test_who_asked_to_verify_and_went_away_ends_it() -> None:
    ended = asyncio.Event()

    class Gone:
        async def receive(self) -> dict[str, Any]:
            return {"type": "http.disconnect"}

    async def walk() -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert await audit_verify._while_connected(cast("Any", Gone()), walk()) is None
    assert ended.is_set()
