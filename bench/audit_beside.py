"""What verify and export take from others: POST /v1/tokens/create over sockets, at a steady rate, while the same node
walks or writes out a long log, beside the same while it does nothing else.

    python -m bench.audit_beside [--entries 300000] [--seconds 8] [--rate 200]

Load, node and whoever verifies share one machine, so what is taken from others here is also what the machine has no
room for; a node with a core of its own loses less. So the same is measured beside a process that only counts, as far
behind everything else as the one that reads: less than that costs nothing that runs at all. Latency counts from when a
request was due, not from when it could be sent. Quiet stretches lie between the others, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import structlog

from bench import raw
from bench.audit import entry
from bench.processes import Account, account, pulse
from pulse_dash.audit_helper import NICE
from pulse_dash.core.clock import SystemClock
from pulse_dash.core.passwords import Passwords
from pulse_dash.services import assemble
from pulse_dash.settings import load_settings
from pulse_dash.store import audit_chain
from pulse_dash.store.connect import connect

CONNECTIONS, ROUNDS, AT_ONCE = 16, 3, 5_000


async def fill(folder: Path, org_id: str, entries: int) -> None:
    """So many entries at the end of somebody's chain, many at once so that the disk is not waited for."""
    drawn = (folder / "secrets").read_text().split()
    named = dict(zip(("jwt_secret", "api_key_pepper", "encryption_keys"), drawn, strict=True))
    settings = load_settings(pulse_data_dir=folder / "data", **named)
    engine = await connect(mongo_uri=None, database=settings.mongo_db_name, data_dir=settings.data_dir)
    services = assemble(settings, engine, SystemClock(), Passwords(password_cost=4))
    audit_chain.AT_ONCE = AT_ONCE  # type: ignore[misc]
    for first in range(0, entries, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, entries))
        made = [entry(org_id, number, timedelta(seconds=20)) for number in numbers]
        await services.parts.store.chains.append(org_id, made)
    await services.close()


async def latencies(port: int, headers: dict[str, str], rate: int, seconds: float) -> list[float]:
    """Milliseconds of each request, from when it was due; ends the bench where one is not answered with a token."""
    body = json.dumps({"room": "bench", "identity": "somebody"}).encode()
    head = {**headers, "Host": f"127.0.0.1:{port}", "Content-Type": "application/json", "Content-Length": len(body)}
    request = b"POST /v1/tokens/create HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode()
    whole, took, began, turns = request + b"\r\n" + body, list[float](), time.perf_counter(), iter(range(10**9))

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (due := began + next(turns) / rate) < began + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(whole)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"No token: {answer!r}")
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
            took.append((time.perf_counter() - due) * 1_000)
        writer.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return took


@asynccontextmanager
async def again_and_again(who: Account, path: str) -> AsyncIterator[list[float]]:
    """Somebody asks for this until the block ends; the seconds of each time that it was answered whole."""
    bearer = f"Authorization: {who.bearer['Authorization']}"
    took, once = list[float](), asyncio.Event()

    async def ask() -> None:
        while True:
            began = time.perf_counter()
            command = ("curl", "-sf", "-o", "/dev/null", "-H", bearer, f"{who.pulse.url}{path}")
            curl = await asyncio.create_subprocess_exec(*command)
            try:
                if await curl.wait():
                    raise SystemExit(f"{path} was not answered")
            except asyncio.CancelledError:
                curl.kill()
                raise
            took.append(time.perf_counter() - began)
            once.set()

    asking, answered = asyncio.create_task(ask()), asyncio.create_task(once.wait())
    try:
        yield took
        await asyncio.wait({asking, answered}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            asking.result()
    finally:
        for task in (asking, answered):
            task.cancel()


@asynccontextmanager
async def counting() -> AsyncIterator[list[float]]:
    """A process that has nothing to do with us works until the block ends."""
    counts = f"import os; os.nice({NICE})\nwhile True: [str(each) for each in range(10_000)]"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", counts)
    try:
        yield []
    finally:
        process.kill()
        await process.wait()


def at(share: float, took: list[float]) -> float:
    """The milliseconds that this share of the requests did not exceed."""
    return sorted(took)[int(share * (len(took) - 1))]


async def measured(who: Account, headers: dict[str, str], arguments: argparse.Namespace) -> dict[str, float]:
    """p50 and p99 while nothing else is asked, beside a process that counts, a verify, and an export."""
    org = f"org_id={who.org_id}"
    paths = {
        "verify": f"/v1/audit-logs/verify?{org}",
        "export_csv": f"/v1/audit-logs/export?{org}",
        "export_jsonl": f"/v1/audit-logs/export?{org}&format=jsonl",
    }
    found: dict[str, list[float]] = {name: [] for name in ("quiet", "counting", *paths)}
    times: dict[str, list[float]] = {name: [] for name in paths}

    async def asked() -> list[float]:
        return await latencies(who.pulse.port, headers, arguments.rate, arguments.seconds)

    await asked()
    for _ in range(ROUNDS):
        async with counting():
            found["counting"] += await asked()
        for name, path in paths.items():
            found["quiet"] += await asked()
            async with again_and_again(who, path) as took:
                found[name] += await asked()
            times[name] += took
            # What the one who went away still had running.
            await asyncio.sleep(1)
    figures = {f"{name}_seconds": statistics.median(took) for name, took in times.items()}
    for name, took in found.items():
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = at(0.5, took), at(0.99, took)
        figures[f"{name}_p99_ratio"] = figures[f"{name}_p99_ms"] / at(0.99, found["quiet"])
        print(
            f"{name}: p50 {at(0.5, took):.2f} ms, p99 {at(0.99, took):.2f} ms "
            f"({figures[f'{name}_p99_ratio']:.2f} times quiet) of {len(took):,} requests"
        )
    return figures


async def main(arguments: argparse.Namespace) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as place:
        with pulse(Path(place)) as served:
            made = account(served)
            _, headers = made.project("Bench")
        await fill(Path(place), made.org_id, arguments.entries)
        with pulse(Path(place)) as served:
            figures = await measured(Account(served, made.org_id, made.bearer), headers, arguments)
    raw.keep("audit_beside", figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=int, default=200)
    asyncio.run(main(parser.parse_args()))
