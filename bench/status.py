"""Status under parts that hang: how late checks start, how fast `GET /v1/status` answers, how many incidents are false.

    python -m bench.status

The rounds of checks come each second instead of every 15. `GET /v1/status` is asked by wrk as fast as it is answered,
on the same machine: it shows no network, and with many connections it shows how many fit, not how long one takes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import subprocess
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bench import raw
from bench.faults import Engines, node_with, states, until
from bench.processes import Contender, on_uvicorn
from pulse_dash.core import status
from pulse_dash.core.board import Board
from pulse_dash.core.checks import EVERY, Component, Result
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.outages import Outage
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import Services, assemble
from pulse_dash.settings import load_settings
from pulse_dash.store.connect import connect

TARGETS, ROUNDS, HOURS = 500, 10, 1_000
CONNECTIONS, SECONDS = (1, 4, 16), 5
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


def answers_while_all_hang(folder: Path) -> dict[str, tuple[float, float, float, float]]:
    """`GET /v1/status` over a real socket, while LiveKit, mail, storage and the database of a running node hang; and
    beside it a server that only says hello. Requests a second, p50 and p99 in ms, processor's µs of one."""
    engines = Engines.made(folder)
    with engines.running(), node_with(engines) as node:
        until(lambda: set(states(node).values()) == {"operational"}, "all is well")
        for each in engines.programs:
            each.halt()
        until(lambda: [name for name, state in states(node).items() if state != "down"] == ["api"], "all hang")
        with on_uvicorn("empty answer", "bench.neighbours.empty:application") as empty:
            return {
                f"{contender.name}, {connections} connections": _asked(contender, path, connections)
                for connections in CONNECTIONS
                for contender, path in ((node, "/v1/status"), (empty, "/"))
            }


def _asked(contender: Contender, path: str, connections: int) -> tuple[float, float, float, float]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", f"{contender.url}{path}"]
    before = contender.cpu_seconds()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent = contender.cpu_seconds() - before
    if "Non-2xx" in said:
        raise SystemExit(f"It refused requests:\n{said}")
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    within = {share: _ms(said, share) for share in ("50", "99")}
    each = spent / int(count[1]) * 1e6 if count else 0.0
    return (float(rate[1]) if rate else 0.0, within["50"], within["99"], each)


def _ms(said: str, share: str) -> float:
    found = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)\b", said)
    if found is None:
        raise SystemExit(said)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


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
        await services.close()
        (Path(folder) / "engines").mkdir()
        took = answers_while_all_hang(Path(folder) / "engines")
    failed, opened = false_incidents()
    print(f"{TARGETS} targets, a fifth hangs, {ROUNDS} rounds: late p99 {percentile(late, 0.99) * 1000:.1f} ms")
    print("GET /v1/status while all hang (p99 below 5 ms allowed):")
    for name, (rate, p50, p99, each) in took.items():
        print(f"  {name:30} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  {rate:7,.0f} a second  processor {each:5.0f} µs each")
    figures = {"late_s": late, "answers": took, "single_failures": failed, "false_incidents": opened}
    raw.keep("status", figures)
    print(f"{HOURS:,} simulated hours, {failed:,} single failures: {opened} false incidents")


if __name__ == "__main__":
    asyncio.run(main())
