"""The lines of answered requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pulse_dash.logs import _RequestLines


class Stream:
    """Counts how often it is written to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.written.append(data)
        return len(data)

    def flush(self) -> None:
        return None


async def test_lines_of_one_turn_of_the_loop_are_written_at_once_and_in_their_order() -> None:
    lines: Any = _RequestLines()
    stream = Stream()

    for turn in range(2):
        for number in range(3):
            lines.write(stream, json.dumps({"turn": turn, "number": number}).encode())
        await asyncio.sleep(0)

    assert len(stream.written) == 2
    told = [json.loads(line) for written in stream.written for line in written.splitlines()]
    assert told == [{"turn": turn, "number": number} for turn in range(2) for number in range(3)]
