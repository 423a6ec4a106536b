"""Jobs: one sick job does not stop the rest, and stopping waits for those under way."""

from __future__ import annotations

import asyncio

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.jobs import schedule
from pulse_dash.jobs.schedule import Job, Schedule
from pulse_dash.services import Services


async def test_stopping_lets_a_job_under_way_end(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await asyncio.sleep(0.2)
        ended.set()

    monkeypatch.setattr(schedule, "jobs", lambda _: [Job("slow", 3600, slow), *_looks()])
    running = Schedule(services)
    running.start()
    await begun.wait()

    await running.stop()

    assert ended.is_set()


async def test_a_job_that_never_ends_does_not_keep_the_node_and_says_so_without_a_traceback(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(schedule, "_STOP_SECONDS", 0.05)
    monkeypatch.setattr(schedule, "jobs", lambda _: [Job("endless", 3600, endless), *_looks()])
    running = Schedule(services)
    running.start()
    await begun.wait()

    await running.stop()
    await asyncio.sleep(0.05)

    assert "Traceback" not in caplog.text


async def test_a_sick_job_does_not_stop_the_rest(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = asyncio.Event()

    async def sick() -> None:
        raise Unavailable("database")

    async def well() -> None:
        healthy.set()

    monkeypatch.setattr(schedule, "jobs", lambda _: [Job("sick", 3600, sick), Job("well", 3600, well), *_looks()])
    running = Schedule(services)
    running.start()
    async with asyncio.timeout(5):
        await healthy.wait()

    await running.stop()


def _looks() -> list[Job]:
    """The two that are started again when LiveKit speaks."""

    async def look() -> None:
        return None

    return [Job("look_at_livekit", 3600, look), Job("hold_accountable", 3600, look)]


async def test_a_word_that_comes_while_its_job_runs_begins_it_once_more(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs, again, go_on = 0, asyncio.Event(), asyncio.Event()

    async def look() -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            again.set()
        await go_on.wait()

    async def nothing() -> None:
        return None

    others = [Job("hold_accountable", 3600, nothing)]
    monkeypatch.setattr(schedule, "_BREATH_SECONDS", 0)
    monkeypatch.setattr(schedule, "jobs", lambda _: [Job("look_at_livekit", 3600, look), *others])
    running = Schedule(services)
    running.start()
    while not runs:
        await asyncio.sleep(0.01)
    for _ in range(5):
        services.parts.bus.say("livekit:")
    await asyncio.sleep(0.05)
    go_on.set()
    async with asyncio.timeout(5):
        await again.wait()
    await asyncio.sleep(0.05)

    await running.stop()

    assert runs == 2
    assert "skipped" not in caplog.text
