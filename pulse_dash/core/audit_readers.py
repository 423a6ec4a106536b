"""Who reads long stretches of the audit log: beside the node, so that nobody's token waits for somebody's export.

So many read at once, of each organization and of the house; whoever finds no place waits a little and is then asked to
come back. A caller who takes what is read too slowly is cut off, or a few of them would hold every place.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, Protocol

from pulse_dash.core import audit_file, audit_walk
from pulse_dash.core.audit_file import File
from pulse_dash.core.audit_walk import Walk
from pulse_dash.core.errors import RateLimited
from pulse_dash.store.audit_people import People
from pulse_dash.store.engine import Engine

AT_ONCE: Final = 4
"""How many read at once."""
AT_ONCE_OF_ONE: Final = 2
"""How many of them for one organization, or for one caller who asks for several."""
PLACE_SECONDS: Final = 10.0
"""How long somebody waits for a place."""
SLOWEST: Final = 32 * 1024
"""So many bytes a second are taken at least, on the whole; what follows is the grace before that counts."""
GRACE_SECONDS: Final = 60.0

Job = Walk | File


class Process(Protocol):
    """One reader that was started, and reads once."""

    def chunks(self, job: Job) -> AsyncGenerator[bytes]:
        """What the job comes to, as it is read. Raises Unavailable where its end can't be reached."""
        ...

    def end(self) -> None:
        """Let it go, whatever it is at; safe to repeat."""
        ...


class Busy(RateLimited):
    """Others are being verified or exported, and their turn has not come to its end."""

    code = "too_many_at_once"

    def __init__(self) -> None:
        super().__init__(round(PLACE_SECONDS))
        self.detail = (
            f"Other verifications and exports are still running, {AT_ONCE_OF_ONE} at once of an organization and "
            f"{AT_ONCE} in all. Try again in {self.retry_after} seconds."
        )


class AuditReaders:
    """Starts readers, not more than so many at once."""

    def __init__(self, start: Callable[[], Awaitable[Process]]) -> None:
        self._start = start
        self._taken: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    async def begin(self, whose: str) -> Reading:
        """A reader for this organization, or this caller. Raises Busy; Unavailable where none can be started."""
        await self._take(whose)
        try:
            process = await self._start()
        except BaseException:
            self._free(whose)
            raise
        return Reading(process, lambda: self._free(whose))

    async def _take(self, whose: str) -> None:
        if self._has_place(whose):
            self._taken[whose] += 1
            return
        waiting = whose, asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(PLACE_SECONDS):
                await waiting[1]
        except BaseException as error:
            if waiting[1].done() and not waiting[1].cancelled():
                # The place was given in the same moment.
                self._free(whose)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            self._waiting.remove(waiting)

    def _has_place(self, whose: str) -> bool:
        return self._taken[whose] < AT_ONCE_OF_ONE and self._taken.total() < AT_ONCE

    def _free(self, whose: str) -> None:
        self._taken[whose] -= 1
        for who, place in self._waiting:
            if not place.done() and self._has_place(who):
                self._taken[who] += 1
                place.set_result(None)
        # Without those who have none.
        self._taken = +self._taken


class Reading:
    """One reader and its place. It ends with what it reads, when nobody wants more, or who does is too slow."""

    def __init__(self, process: Process, free: Callable[[], None]) -> None:
        self._process = process
        self._free = free
        self._ended = False
        self._loop = asyncio.get_running_loop()
        # How long its caller let it wait, and how much they took in that time.
        self._waited, self._taken = 0.0, 0
        self._late = self._loop.call_later(GRACE_SECONDS, self.end)

    async def chunks(self, job: Job) -> AsyncGenerator[bytes]:
        """What the job comes to, as it is read. Raises Unavailable where its end can't be reached."""
        self._late.cancel()
        try:
            async with aclosing(self._process.chunks(job)) as chunks:
                async for chunk in chunks:
                    offered = self._loop.time()
                    patience = GRACE_SECONDS + self._taken / SLOWEST - self._waited
                    self._late = self._loop.call_later(patience, self.end)
                    yield chunk
                    self._late.cancel()
                    self._waited += self._loop.time() - offered
                    self._taken += len(chunk)
        finally:
            self.end()

    def end(self) -> None:
        """Let the reader and its place go; safe to repeat."""
        self._late.cancel()
        if not self._ended:
            self._ended = True
            self._process.end()
            self._free()


class Here:
    """Reads where it is asked: inside of the process beside the node, for the command line, and for tests."""

    def __init__(self, engine: Engine, people: People) -> None:
        self._engine = engine
        self._people = people

    async def start(self) -> Here:
        """It is there already."""
        return self

    async def chunks(self, job: Job) -> AsyncGenerator[bytes]:
        """What the job comes to. Raises Unavailable."""
        match job:
            case Walk():
                yield (await audit_walk.walked(self._engine, job)).written()
            case File():
                async for chunk in audit_file.written(self._engine, self._people, job):
                    yield chunk

    def end(self) -> None:
        """Nothing of it runs by itself."""
