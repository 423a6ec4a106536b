"""The process that reads the audit log, as the node sees it: one for each job, so that ending one ends nothing else.

What it needs goes to it through its standard input, secrets too, and what it reads comes back through its standard
output in frames, so that an end that was cut off never looks like one. How it works: pulse_dash/audit_job.py.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from pulse_dash.adapters.child_environment import child_environment
from pulse_dash.core.errors import Unavailable

log = structlog.get_logger(__name__)

FRAME: Final = struct.Struct(">cI")
"""Before each frame: which kind it is of, and how long it is."""
READY: Final = b"r"
DATA: Final = b"d"
END: Final = b"e"
FAILED: Final = b"f"

# It takes what others leave, and half a second of the processor's.
_START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the store is, and the keys under which those of people are sealed."""

    mongo_uri: str | None
    database: str
    data_dir: Path
    timeout_seconds: int
    encryption_keys: tuple[str, ...]

    def __repr__(self) -> str:
        return "Place(…)"


def framed(kind: bytes, body: bytes = b"") -> bytes:
    """A frame as it goes through a pipe."""
    return FRAME.pack(kind, len(body)) + body


class AuditProcesses:
    """Starts them, each with what it needs to open the store, and ends those that are left."""

    def __init__(self, place: Place) -> None:
        self._place = pickle.dumps(place)
        self._running: set[AuditProcess] = set()
        self._ends: set[asyncio.Task[None]] = set()

    async def start(self) -> AuditProcess:
        """A process that has opened the store. Raises Unavailable."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pulse_dash.audit_helper"),
                stdin=PIPE,
                stdout=PIPE,
                env=child_environment(),
                # What a terminal tells its whole group ends the node, and the node ends this.
                start_new_session=True,
            )
        except OSError as error:
            log.exception("audit.helper_not_started")
            raise Unavailable("audit", "The process that reads the audit log cannot be started.") from error
        started = AuditProcess(process, self)
        self._running.add(started)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await started.opened(self._place)
        except BaseException as error:
            started.end()
            if isinstance(error, TimeoutError):
                raise Unavailable("audit", "The process that reads the audit log does not answer.") from None
            raise
        return started

    async def close(self) -> None:
        """End all that are left."""
        for each in list(self._running):
            each.end()
        while self._ends:
            await asyncio.wait(self._ends)

    def ended(self, process: AuditProcess, rest: Coroutine[Any, Any, None]) -> None:
        """It was told to end; what is left of it goes by itself."""
        self._running.discard(process)
        task = asyncio.get_running_loop().create_task(rest)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)


class AuditProcess:
    """One that was started."""

    def __init__(self, process: Process, owner: AuditProcesses) -> None:
        self._process = process
        self._owner = owner
        self._ended = False
        assert process.stdin is not None  # noqa: S101 - both are pipes, just above
        assert process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = process.stdin, process.stdout

    async def opened(self, place: bytes) -> None:
        """Give it what it needs, and wait until it has opened the store. Raises Unavailable."""
        self._say(place)
        if (await self._frame())[0] != READY:
            raise self._gone()

    async def chunks(self, job: object) -> AsyncGenerator[bytes]:
        """What the job comes to, as it is read; it goes no further than what is taken. Raises Unavailable."""
        self._say(pickle.dumps(job))
        try:
            while (frame := await self._frame())[0] == DATA:
                yield frame[1]
        finally:
            self.end()
        if frame[0] != END:
            raise self._gone()

    def end(self) -> None:
        """Kill it; safe to repeat."""
        if not self._ended:
            self._ended = True
            if self._process.returncode is None:
                self._process.kill()
            self._owner.ended(self, self._rest())

    def _say(self, body: bytes) -> None:
        # A process that is gone does not read it, which shows when it is asked for an answer.
        if not self._ended:
            self._stdin.write(framed(DATA, body))

    async def _frame(self) -> tuple[bytes, bytes]:
        """The next one. Raises Unavailable for one that tells of a failure, and where there is none."""
        try:
            kind, length = FRAME.unpack(await self._stdout.readexactly(FRAME.size))
            body = await self._stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise self._gone() from None
        if kind == FAILED:
            raise Unavailable(**orjson.loads(body))
        return kind, body

    def _gone(self) -> Unavailable:
        if not self._ended:
            log.error("audit.helper_ended", status=self._process.returncode)
        return Unavailable("audit", "The process that reads the audit log ended before it came to the end.")

    async def _rest(self) -> None:
        """What lies in its pipes is taken out, or they would stay open."""
        self._stdin.close()
        await self._process.wait()
        while True:
            try:
                if not await self._stdout.read(1 << 16):
                    return
            except RuntimeError:
                # Somebody waits for its next frame, and finds that there is none.
                return
