"""`python -m bench.starting`: from a warm start to the first token, a thousand keys after a restart, and idle memory.

All with the dashboard, as `make run` starts it, over a store that has been used before. It does not show the very first
start, which builds the dashboard.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import httpx

from bench import raw
from bench.processes import Contender, account, pulse

MINT = {"room": "lobby", "identity": "ada"}
# By then the helper that tries joins runs, too.
IDLE_SECONDS = 20
CALLERS = 32


def main() -> int:
    """Print each figure beside its promise."""
    asked = argparse.ArgumentParser(prog="python -m bench.starting")
    asked.add_argument("--keys", type=int, default=1_000)
    asked.add_argument("--starts", type=int, default=5)
    asked.add_argument("--api-only", action="store_true", help="without the dashboard, which must be built otherwise")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pulse(folder, dashboard=not options.api_only) as served:
            ada = account(served)
            project_id, first = ada.project("Bench")
            pairs = [first, *(ada.key(project_id, f"key {number}") for number in range(options.keys - 1))]
        starts: list[float] = []
        for _ in range(options.starts):
            began = time.perf_counter()
            with pulse(folder, dashboard=not options.api_only) as served:
                _mint(served, first)
                starts.append(time.perf_counter() - began)
        with pulse(folder, dashboard=not options.api_only) as served:
            time.sleep(IDLE_SECONDS)
            idle = served.memory()
            began = time.perf_counter()
            asyncio.run(_all(served, pairs))
            verified = time.perf_counter() - began
    print(f"warm start to the first token      median {statistics.median(starts):5.2f} s   promised 3 s")
    print(f"{options.keys:,} keys after a restart, verified  {verified:5.2f} s   promised 5 s")
    print(f"idle, all processes (PSS)           {idle:6.0f} MB   promised 250 MB")
    raw.keep("starting", {"starts_s": starts, "keys": options.keys, "verified_s": verified, "idle_mb": idle})
    return 0


def _mint(served: Contender, pair: dict[str, str]) -> None:
    httpx.post(f"{served.url}/v1/tokens/create", json=MINT, headers=pair, timeout=60).raise_for_status()


async def _all(served: Contender, pairs: list[dict[str, str]]) -> None:
    """One token with each key, many at a time."""
    # aiohttp, because httpx would take more processor time than what is measured.
    connections = aiohttp.TCPConnector(limit=CALLERS)
    async with aiohttp.ClientSession(connector=connections, raise_for_status=True) as client:

        async def one(pair: dict[str, str]) -> None:
            async with client.post(f"{served.url}/v1/tokens/create", json=MINT, headers=pair) as answer:
                await answer.read()

        await asyncio.gather(*(one(pair) for pair in pairs))


if __name__ == "__main__":
    sys.exit(main())
