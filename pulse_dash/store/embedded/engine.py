"""The embedded engine: one file, one thread that writes it and two that read it.

Its collections are told by collection, the file by file, its threads by worker. Exactly
one process uses it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal, TypeVar

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.data_folder import ProcessLock, open_folder, refused
from pulse_dash.store.embedded import takeover
from pulse_dash.store.embedded.collection import EmbeddedCollection
from pulse_dash.store.embedded.file import Session, StoreFile, readable, touch, whole
from pulse_dash.store.embedded.worker import Operation, Queue, Worker, done
from pulse_dash.store.engine import translated
from pulse_dash.store.schema import CollectionSchema

Answer = TypeVar("Answer")

READERS: Final = 2


class EmbeddedEngine:
    """The opened store. A read sees every write that was answered before it was asked."""

    name: Literal["embedded"] = "embedded"

    def __init__(self, folder: Path, lock: ProcessLock, schemas: Iterable[CollectionSchema]) -> None:
        self.where = str(folder)
        # Tests turn it on: a question that no index serves is then refused at any size.
        self.refuses_unserved = False
        self._lock = lock
        self._file = StoreFile(folder, schemas)
        self._writes: Queue = SimpleQueue()
        self._reads: Queue = SimpleQueue()
        self._writer = Session(self._file, writes=True)
        self._workers = [Worker("pulse-store-writer", self._writes, self._writer)]
        self._closed = False

    @classmethod
    async def open(
        cls, data_dir: Path, database: str, schemas: Iterable[CollectionSchema] = COLLECTIONS
    ) -> EmbeddedEngine:
        """Lock the data folder and open the file, or raise Unavailable with a sentence that says why not."""
        lock = ProcessLock(open_folder(data_dir))
        try:
            engine = cls(open_folder(data_dir / database), lock, schemas)
        except BaseException:
            lock.release()
            raise
        try:
            await engine._open()
        except BaseException:
            await engine.close()
            raise
        return engine

    def collection(self, name: str) -> EmbeddedCollection:
        return EmbeddedCollection(self, self._file.tables[name])

    async def ping(self) -> None:
        await self.read("reading the file", readable)
        if self._writer.failed:
            await self.write("writing to the file", touch)

    async def prepare(self) -> None:
        await self.write("preparing the indexes", self._file.prepare)

    async def check(self, *, rebuild: bool = False) -> list[str]:
        """A sentence for each damage and each index that disagrees with its documents; `rebuild` mends the indexes."""
        if damage := await self.read("checking the file", whole):
            return [f"{self._file.path} is damaged: {damage}."]
        found: list[str] = []
        for name, tables in self._file.tables.items():
            for index in tables.schema.indexes:
                wrong = await self.read(
                    "checking an index", lambda connection, t=tables, i=index: t.disagreements(connection, i)
                )
                if wrong:
                    found.append(f"The index {index.name} of {name} disagrees with the documents {wrong:,} times.")
                if wrong and rebuild:
                    await self.write(
                        "building an index", lambda connection, t=tables, i=index: self._file.build(connection, t, i)
                    )
        return found

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        readers = self._workers[1:]
        for _ in readers:
            self._reads.put(None)
        self._writes.put(None)
        for worker in self._workers:
            worker.join()
        self._lock.release()

    async def read(self, doing: str, question: Operation[Answer]) -> Answer:
        """Ask it of a reader's connection. Raises Unavailable."""
        return await self._done(self._reads, doing, question)

    async def write(self, doing: str, change: Operation[Answer]) -> Answer:
        """Make it with the writer's connection, in a transaction with others'. Raises Unavailable, and refusals."""
        return await self._done(self._writes, doing, change)

    async def _done(self, queue: Queue, doing: str, operation: Operation[Answer]) -> Answer:
        if self._closed:
            raise Unavailable("store", "The store is closed.")
        async with translated(doing):
            return await done(queue, operation)

    def _take_over(self, connection: sqlite3.Connection) -> None:
        self._file.prepare(connection)
        takeover.take_over(self._file, connection)

    async def _open(self) -> None:
        """Make or find the file and its tables, then let readers at it."""
        self._file.make()
        try:
            await self.write("opening the store", self._file.make_tables)
        except sqlite3.Error as error:
            raise refused(f"The file {self._file.path} cannot be used: {error}.") from error
        if takeover.old_files(self._file):
            await self.write("taking documents over", self._take_over)
            takeover.put_old_files_aside(self._file)
        self._file.note_made()
        self._writer.telling = False
        self._workers += [
            Worker(f"pulse-store-reader-{number}", self._reads, Session(self._file, writes=False))
            for number in range(READERS)
        ]
