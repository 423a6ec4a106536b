"""The embedded store as another process of ours looks into it while its own one has it open: it reads, and no more.

SQLite keeps a reader from the writer's half-made changes in this process too (WAL). It works on the thread that asks,
because this process has nothing else to do. What the file is, is told by file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.data_folder import open_folder
from pulse_dash.store.embedded.collection import EmbeddedCollection
from pulse_dash.store.embedded.file import Session, StoreFile, readable
from pulse_dash.store.embedded.worker import Operation
from pulse_dash.store.engine import translated
from pulse_dash.store.schema import CollectionSchema

Answer = TypeVar("Answer")


class LookingEngine:
    """The store's file, opened to be read beside the process that writes it."""

    name: Literal["embedded"] = "embedded"

    def __init__(self, folder: Path, schemas: Iterable[CollectionSchema] = COLLECTIONS) -> None:
        self.where = str(folder)
        self.refuses_unserved = False
        self._file = StoreFile(open_folder(folder), schemas)
        self._session = Session(self._file, writes=False)

    def collection(self, name: str) -> EmbeddedCollection:
        return EmbeddedCollection(self, self._file.tables[name])

    async def ping(self) -> None:
        """Raises Unavailable."""
        await self.read("reading the file", readable)

    async def prepare(self) -> None:
        """The process that writes the file has done it."""

    async def close(self) -> None:
        self._session.close()

    async def read(self, doing: str, question: Operation[Answer]) -> Answer:
        """Ask it of one moment of the file. Raises Unavailable."""
        async with translated(doing):
            try:
                self._session.begin()
                # Which indexes hold lists, the other process may have written since.
                self._file.recall(self._session.connection)
                answer = self._session.attempt(question)
                self._session.commit()
            except Exception as error:
                self._session.abandon(error)
                raise
            return answer

    async def write(self, doing: str, change: Operation[Answer]) -> NoReturn:
        """Nothing is written from here. Raises Unavailable."""
        raise Unavailable("store", f"This process only reads, so it is not {doing}.")
