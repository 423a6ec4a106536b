"""`python -m bench.sockets`: memory over ten thousand connects, each a page that nobody had before.

The first frame is the one that a real Chromium sends for the log-in page; each connect repeats it with a client token
and an address of its own, waits until the page is filled, and goes away. It does not show pages that stay open.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import uuid
from itertools import count
from pathlib import Path

import aiohttp
from playwright.async_api import WebSocket

from bench import raw
from bench.processes import Contender, pulse
from tests.browser.visitor import visiting
from tests.engines.browser import chromium_running
from tests.served import Served

AT_ONCE = 16
# What Reflex keeps for a client that may come back is full by then.
WARM = 1_000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_numbers = count(1)


async def first_words(served: Served) -> tuple[str, str]:
    """The address of a page's socket, and the frame with which it asks to be filled."""
    sockets: list[WebSocket] = []
    frames: list[str] = []

    def noted(socket: WebSocket) -> None:
        sockets.append(socket)
        socket.on("framesent", lambda frame: frames.append(str(frame)))

    async with chromium_running() as browser, visiting(browser, served) as visitor:
        visitor.page.on("websocket", noted)
        await visitor.go("/login")
        await visitor.page.wait_for_timeout(1000)
    return sockets[0].url, next(frame for frame in frames if frame.startswith("40/_event"))


async def connect(client: aiohttp.ClientSession, origin: str, url: str, frame: str) -> None:
    """One visitor with a client token of their own, until their page is filled."""
    token, number = str(uuid.uuid4()), next(_numbers)
    headers = {"Origin": origin, "X-Forwarded-For": f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"}
    async with client.ws_connect(_UUID.sub(token, url), headers=headers, max_msg_size=0) as socket:
        await socket.receive_str()
        await socket.send_str(_UUID.sub(token, frame))
        while '"is_hydrated_rx_state_":true' not in await socket.receive_str():
            pass


async def come_and_go(served: Contender, url: str, frame: str, times: int) -> None:
    """So many visitors, a few at a time."""
    left = iter(range(times))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

        async def one_after_the_other() -> None:
            for _ in left:
                await connect(client, f"http://localhost:{served.port}", url, frame)

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


def main() -> int:
    """Print the memory after each quarter."""
    asked = argparse.ArgumentParser(prog="python -m bench.sockets")
    asked.add_argument("--connects", type=int, default=10_000)
    options = asked.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        pulse(Path(folder), dashboard=True, more={"TRUSTED_PROXIES": "127.0.0.0/8"}) as served,
    ):
        url, frame = asyncio.run(first_words(Served(served.port, Path(folder) / "data", Path(folder) / "log")))
        asyncio.run(come_and_go(served, url, frame, WARM))
        seen = [(WARM, served.memory())]
        for _ in range(4):
            asyncio.run(come_and_go(served, url, frame, options.connects // 4))
            seen.append((seen[-1][0] + options.connects // 4, served.memory()))
            print(f"after {seen[-1][0]:6,} connects {seen[-1][1]:6.1f} MB", flush=True)
    grown = seen[-1][1] - seen[0][1]
    print(f"grown by {grown:.1f} MB from {seen[0][1]:.0f} MB over {options.connects:,} connects")
    raw.keep("sockets", {"memory_mb": seen})
    return 0


if __name__ == "__main__":
    sys.exit(main())
