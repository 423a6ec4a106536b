"""The helper process as the node sees it: started when it is first needed, and again after it ended."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import orjson

from pulse_dash.adapters.child_environment import child_environment
from pulse_dash.core.errors import Unavailable

# The helper keeps the time itself; this is for one that does not answer at all.
_GRACE_SECONDS: Final = 5.0


class Helper:
    """One process that answers one request after the other."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def real_join(self, url: str, *, speaker: str, listener: str, seconds: float) -> dict[str, float]:
        """Let two participants meet on a LiveKit: the seconds of `join`, `data` and `leave`. Raises Unavailable."""
        asked = {"url": url, "speaker": speaker, "listener": listener, "seconds": seconds}
        async with self._turn:
            try:
                async with asyncio.timeout(seconds + _GRACE_SECONDS):
                    found = await self._ask(asked)
            except TimeoutError:
                await self._end()
                raise Unavailable("livekit", "The helper that tries a join does not answer.") from None
        if "failed" in found:
            raise Unavailable("livekit", str(found["failed"]))
        return found

    async def close(self) -> None:
        """End the process, if there is one."""
        await self._end()

    async def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.returncode is not None:
            # What native code writes by itself would fill the log while LiveKit is away; failures come as words.
            pipe, away = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pulse_dash.helper"),
                stdin=pipe,
                stdout=pipe,
                stderr=away,
                env=child_environment(),
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - both are pipes, just above
        assert stdout is not None  # noqa: S101
        stdin.write(orjson.dumps(asked) + b"\n")
        line = await stdout.readline()
        if not line:
            await self._end()
            raise Unavailable("livekit", "The helper that tries a join ended.")
        return orjson.loads(line)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
