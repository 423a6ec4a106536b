"""A thread that owns a connection and does what callers on event loops ask of it, many at a time.

What has been asked when it looks is done in one transaction and answered with one call into the loop: a commit
that reaches the disk, and a wake-up of the loop, cost the same for one caller as for a hundred.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeAlias, TypeVar

Answer = TypeVar("Answer")
Operation: TypeAlias = Callable[[sqlite3.Connection], Answer]

# After that long a batch is committed and answered, so that a slow question delays the quick ones by no more.
LONGEST_BATCH_SECONDS = 0.01


class Connection(Protocol):
    """What a worker works on; all calls come from the worker's thread."""

    def begin(self) -> None: ...

    def attempt(self, operation: Operation[Any]) -> Any:
        """What the operation answers or raises. Raises TransactionLost when nothing since `begin` can be kept."""
        ...

    def commit(self) -> None:
        """Everything since `begin` is kept, or this raises and nothing of it is."""
        ...

    def abandon(self, error: BaseException) -> None:
        """Nothing since `begin` is kept, because of that."""
        ...

    def close(self) -> None: ...


class TransactionLost(Exception):
    """An operation broke the transaction that it shared; `cause` is what every caller in it is told."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(slots=True)
class Asked:
    """An operation that somebody waits for."""

    operation: Operation[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    answer: Any = None
    error: BaseException | None = None
    done: bool = False


Queue = SimpleQueue[Asked | None]


async def done(queue: Queue, operation: Operation[Answer]) -> Answer:
    """Have a worker of that queue do it. Who stops waiting leaves; the operation runs to its end all the same."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()
    queue.put(Asked(operation, loop, future))
    return await future


class Worker:
    """One thread at a queue, which it may share with others. A None in the queue ends it, after what came before."""

    def __init__(self, name: str, queue: Queue, connection: Connection) -> None:
        self._queue = queue
        self._connection = connection
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                batch, ends = self._gather(first)
                while batch:
                    batch = self._answer(batch)
                if ends:
                    return
        finally:
            self._connection.close()

    def _gather(self, first: Asked) -> tuple[list[Asked], bool]:
        """All that is asked by now, and whether the end is among it. Taken before the transaction begins: what is
        asked later may speak of a later commit, which this transaction would not see."""
        batch = [first]
        for _ in range(self._queue.qsize()):
            try:
                asked = self._queue.get_nowait()
            except Empty:
                break
            if asked is None:
                return batch, True
            batch.append(asked)
        return batch, False

    def _answer(self, batch: list[Asked]) -> list[Asked]:
        """Do and answer a batch; what is left when it took too long is for the next transaction."""
        late = time.monotonic() + LONGEST_BATCH_SECONDS
        done = 0
        try:
            self._connection.begin()
            for asked in batch:
                self._attempt(asked)
                done += 1
                if time.monotonic() > late:
                    break
            self._connection.commit()
        except TransactionLost as lost:
            self._lose(batch[: done + 1], lost.cause)
        except Exception as error:  # noqa: BLE001 - it is told to everybody who waits, on other threads
            self._lose(batch[: max(done, 1)], error)
        answered = [asked for asked in batch[: done + 1] if asked.done]
        _deliver(answered)
        return batch[len(answered) :]

    def _attempt(self, asked: Asked) -> None:
        try:
            asked.answer = self._connection.attempt(asked.operation)
        except TransactionLost:
            raise
        except Exception as error:  # noqa: BLE001 - it is the caller's, who waits on another thread
            asked.error = error
        asked.done = True

    def _lose(self, batch: list[Asked], error: BaseException) -> None:
        self._connection.abandon(error)
        for asked in batch:
            asked.error, asked.done = asked.error or error, True


def _deliver(batch: list[Asked]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[Asked]] = {}
    for asked in batch:
        loops.setdefault(asked.loop, []).append(asked)
    for loop, answered in loops.items():
        # A loop that is closed has nobody who waits; the thread goes on for the others.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, answered)


def _tell(answered: list[Asked]) -> None:
    for asked in answered:
        if asked.future.done():
            continue
        if asked.error is not None:
            asked.future.set_exception(asked.error)
        else:
            asked.future.set_result(asked.answer)
