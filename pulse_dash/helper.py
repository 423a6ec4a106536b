"""The helper process: what needs native WebRTC runs here, so that the node itself never loads it.

One JSON object a line comes on standard input, and one goes back on standard output for each. It ends with its parent.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
import time
from typing import Any

import orjson
from livekit import rtc
from livekit.rtc.participant import PublishDataError


async def real_join(url: str, speaker: str, listener: str) -> dict[str, float]:
    """Two participants join with their tokens, one says something, the other hears it, both leave.

    The seconds of each step. Raises what the client of LiveKit raises."""
    rooms, heard, said = (rtc.Room(), rtc.Room()), asyncio.Event(), secrets.token_bytes(16)

    def on_words(packet: rtc.DataPacket) -> None:
        if packet.data == said:
            heard.set()

    rooms[1].on("data_received", on_words)
    began = time.perf_counter()
    try:
        await rooms[1].connect(url, listener)
        await rooms[0].connect(url, speaker)
        joined = time.perf_counter()
        await rooms[0].local_participant.publish_data(said, reliable=True)
        await heard.wait()
        arrived = time.perf_counter()
    finally:
        for room in rooms:
            await room.disconnect()
    return {"join": joined - began, "data": arrived - joined, "leave": time.perf_counter() - arrived}


async def answer(line: bytes) -> dict[str, Any]:
    """What one request comes to; a failure is words, because the parent must not end with it."""
    asked: dict[str, Any] = orjson.loads(line)
    try:
        async with asyncio.timeout(asked["seconds"]):
            return await real_join(asked["url"], asked["speaker"], asked["listener"])
    except TimeoutError:
        return {"failed": f"Nobody could join and be heard within {asked['seconds']:g} seconds."}
    except (rtc.ConnectError, PublishDataError, OSError) as error:
        return {"failed": f"Nobody could join: {error}"}


async def main() -> None:
    """Answer until standard input ends."""
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        sys.stdout.buffer.write(orjson.dumps(await answer(line)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    # A terminal tells the whole group; this process ends when its parent lets go of its standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main())
