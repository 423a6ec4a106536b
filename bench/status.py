"""Status under parts that hang: how late checks start, how fast `GET /v1/status` answers, how many incidents are false.

    python -m bench.status

It runs in one process with the callers, so it shows no network, and its rounds come each second instead of every 15.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import structlog

from bench import raw
from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.core import status
from pulse_dash.core.board import Board
from pulse_dash.core.checks import EVERY, Component, Result
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.outages import Outage
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.connect import connect

TARGETS, ROUNDS, REQUESTS, HOURS = 500, 10, 2_000, 1_000
_TIMEOUT = 0.8


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def lateness(services: Services) -> list[float]:
    """Seconds from the moment a round was due until each of its checks began."""
    late: list[float] = []
    due = 0.0

    async def hangs() -> None:
        late.append(time.perf_counter() - due)
        await asyncio.Event().wait()

    async def answers() -> None:
        late.append(time.perf_counter() - due)
        await asyncio.sleep(0.01)

    made = tuple(
        Component(f"target{number}", "Target", hangs if number % 5 == 0 else answers, timeout=_TIMEOUT)
        for number in range(TARGETS)
    )
    work = _with(services, made).system("a bench")
    began = time.perf_counter()
    for number in range(ROUNDS):
        due = began + number
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await status.check(work)
    return late


async def answers_while_all_hang(services: Services) -> list[float]:
    """Seconds of each `GET /v1/status` while every check hangs."""

    async def hangs() -> None:
        await asyncio.Event().wait()

    made = tuple(Component(each.name, each.title, hangs, timeout=60) for each in services.parts.board.components)
    hung = _with(services, made)
    checking = asyncio.ensure_future(status.check(hung.system("a bench")))
    took: list[float] = []
    transport = httpx.ASGITransport(CarefulAnswers(make_api(hung), https=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            answer = await client.get("/v1/status")
            took.append(time.perf_counter() - began)
            if answer.json()["status"] != "unknown":
                raise SystemExit(f"While everything hangs it said {answer.text}")
    checking.cancel()
    return took


def false_incidents() -> tuple[int, int]:
    """Checks of a thousand hours of which one in twenty fails, never two in a row, and what the rule made of them."""
    luck, outage, at = random.Random(7), Outage("x"), datetime(2026, 1, 1, tzinfo=UTC)
    failed = opened = 0
    before = False
    for _ in range(int(HOURS * 3600 / EVERY)):
        before = not before and luck.random() < 0.05
        failed += before
        opened += outage.note(Result("x", "down" if before else "operational", 1, at)) is not None
        at += timedelta(seconds=EVERY)
    return failed, opened


def _with(services: Services, components: tuple[Component, ...]) -> Services:
    board = Board(services.parts.clock, components, services.parts.board.traffic)
    return replace(services, parts=replace(services.parts, board=board))


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(pulse_data_dir=Path(folder) / "data", rate_limit_ip_per_minute=1_000_000)
        engine = await connect(mongo_uri=None, database="pulse", data_dir=settings.data_dir)
        await engine.prepare()
        services = assemble(settings, engine, SystemClock(), Passwords(password_cost=4))
        late = await lateness(services)
        took = await answers_while_all_hang(services)
        await services.close()
    failed, opened = false_incidents()
    print(f"{TARGETS} targets, a fifth hangs, {ROUNDS} rounds: late p99 {percentile(late, 0.99) * 1000:.1f} ms")
    print(
        f"GET /v1/status while all hang, {REQUESTS:,}: "
        f"p50 {percentile(took, 0.5) * 1000:.2f} ms, p99 {percentile(took, 0.99) * 1000:.2f} ms"
    )
    raw.keep("status", {"late_s": late, "answers_s": took, "single_failures": failed, "false_incidents": opened})
    print(f"{HOURS:,} simulated hours, {failed:,} single failures: {opened} false incidents")


if __name__ == "__main__":
    asyncio.run(main())
