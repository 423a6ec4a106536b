"""The embedded engine: every collection a file under the data folder, all of them used by one thread.

It knows folder, thread and the async face of a collection; one file's transactions are told by
collection_file, the folder's rights and lock by data_folder. Exactly one process uses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from pymongo.errors import BulkWriteError, DuplicateKeyError

from pulse_dash.core.errors import Invalid, Unavailable
from pulse_dash.store import subset
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.collection_file import CollectionFile
from pulse_dash.store.data_folder import ProcessLock, open_folder, refused
from pulse_dash.store.engine import Document, Filter, Projection, Sort, Update, translated
from pulse_dash.store.schema import CollectionSchema

Answer = TypeVar("Answer")


class EmbeddedEngine:
    """litemongo behind pymongo's async methods. SQLite's connections belong to the thread that made
    them, so one thread does everything, one operation after the other; that makes each of them atomic."""

    name: Literal["embedded"] = "embedded"

    def __init__(self, folder: Path, lock: ProcessLock, schemas: Iterable[CollectionSchema]) -> None:
        self.where = str(folder)
        self._lock = lock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pulse-store")
        self._files = {each.name: CollectionFile(folder / f"{each.name}.sqlite", each) for each in schemas}
        self._closed = False

    @classmethod
    async def open(
        cls, data_dir: Path, database: str, schemas: Iterable[CollectionSchema] = COLLECTIONS
    ) -> EmbeddedEngine:
        """Lock the data folder and open every file, or raise Unavailable with a sentence that says why not."""
        lock = ProcessLock(open_folder(data_dir))
        try:
            engine = cls(open_folder(data_dir / database), lock, schemas)
        except BaseException:
            lock.release()
            raise
        try:
            await engine.run("opening the store", engine._make_files)
        except BaseException:
            await engine.close()
            raise
        return engine

    def collection(self, name: str) -> EmbeddedCollection:
        return EmbeddedCollection(self, self._files[name], name)

    async def ping(self) -> None:
        def check_files() -> None:
            for file in self._files.values():
                file.check()

        await self.run("checking the files", check_files)

    async def prepare(self) -> None:
        def prepare_files() -> None:
            for file in self._files.values():
                file.prepare()

        await self.run("preparing the indexes", prepare_files)

    async def close(self) -> None:
        if self._closed:
            return
        try:
            await self.run("closing the store", self._close_files)
        finally:
            self._closed = True
            self._thread.shutdown(wait=False)
            self._lock.release()

    async def run(self, doing: str, operation: Callable[[], Answer]) -> Answer:
        """Do it on the store's thread. A caller that is cancelled leaves; the operation runs to its end."""
        if self._closed:
            raise Unavailable("store", "The store is closed.")
        async with translated(doing):
            return await asyncio.get_running_loop().run_in_executor(self._thread, operation)

    def _make_files(self) -> None:
        """A file that was there once and is gone is never made again empty: somebody must bring it back."""
        meta = self._files["meta"]
        absent = {name for name, file in self._files.items() if not file.path.exists()}
        if "meta" in absent and len(absent) < len(self._files):
            raise refused(f"The file {meta.path} is missing beside the others. Restore it from a backup.")
        meta.make()
        record: Document | None = meta.read(lambda collection: collection.find_one({"_id": "collections"}))
        known: list[str] = [] if record is None else record["names"]
        for name in sorted(absent & set(known)):
            raise refused(f"The file {self._files[name].path} is missing. Restore it from a backup.")
        for file in self._files.values():
            file.make()
        names = sorted({*known, *self._files})
        if names != known:
            change = Update({"_id": "collections"}, {"$set": {"names": names}}, upsert=True)
            meta.write(lambda collection: _update_one(collection, change))

    def _close_files(self) -> None:
        for file in self._files.values():
            file.close()


class EmbeddedCollection:
    """One collection, as engine.Collection promises it."""

    def __init__(self, engine: EmbeddedEngine, file: CollectionFile, name: str) -> None:
        self._engine = engine
        self._file = file
        self._name = name

    async def insert_one(self, document: Document) -> None:
        kept = subset.checked_document(document)
        await self._write(lambda collection: collection.insert_one(kept))

    async def insert_many(self, documents: list[Document]) -> None:
        kept = [subset.checked_document(document) for document in documents]
        if kept:
            await self._write(lambda collection: collection.insert_many(kept))

    async def find_one(
        self, filter: Filter, *, projection: Projection | None = None, sort: Sort | None = None
    ) -> Document | None:
        found = await self.find(filter, projection=projection, sort=sort, limit=1)
        return found[0] if found else None

    async def find(
        self,
        filter: Filter,
        *,
        projection: Projection | None = None,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[Document]:
        asked = subset.checked_filter(filter)
        fields = subset.checked_projection(projection)
        order = subset.checked_sort(sort)
        first, most = subset.checked_window(skip, limit)
        return await self._read(lambda collection: collection.page(asked, fields, first, most, order))

    async def count_documents(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        return await self._read(lambda collection: collection.count_documents(asked))

    async def update_one(self, filter: Filter, update: Mapping[str, Any], *, upsert: bool = False) -> int:
        change = subset.checked_change(Update(filter, update, upsert))
        return await self._write(lambda collection: _update_one(collection, change))

    async def update_many(self, filter: Filter, update: Mapping[str, Any]) -> int:
        change = subset.checked_change(Update(filter, update))
        return await self._write(lambda collection: collection.update_many(change.filter, change.update).matched_count)

    async def find_one_and_update(
        self,
        filter: Filter,
        update: Mapping[str, Any],
        *,
        sort: Sort | None = None,
        upsert: bool = False,
        projection: Projection | None = None,
    ) -> Document | None:
        change = subset.checked_change(Update(filter, update, upsert))
        order = subset.checked_sort(sort)
        fields = subset.checked_projection(projection)

        def claim(collection: Any) -> Document | None:
            chosen = next(iter(collection.page(change.filter, None, 0, 1, order)), None)
            if chosen is not None:
                _update_one(collection, Update({"_id": chosen["_id"]}, change.update))
                return _one(collection, chosen["_id"], fields)
            if not upsert:
                return None
            _update_one(collection, change)
            return _one(collection, change.filter["_id"], fields)

        return await self._write(claim)

    async def delete_one(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        return await self._write(lambda collection: collection.delete_one(asked).deleted_count)

    async def delete_many(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        return await self._write(lambda collection: collection.delete_many(asked).deleted_count)

    async def bulk_write(self, updates: list[Update]) -> None:
        changes = [subset.checked_change(each) for each in updates]
        if changes:
            await self._write(lambda collection: _every(collection, changes))

    async def _read(self, question: Callable[[Any], Answer]) -> Answer:
        return await self._engine.run(f"reading {self._name}", lambda: self._file.read(question))

    async def _write(self, change: Callable[[Any], Answer]) -> Answer:
        return await self._engine.run(f"writing {self._name}", lambda: self._file.write(change))


def _one(collection: Any, document_id: str, fields: Any) -> Document | None:
    return next(iter(collection.page({"_id": document_id}, fields, 0, 1, None)), None)


def _update_one(collection: Any, change: Update) -> int:
    made = collection.update_one(change.filter, change.update, upsert=change.upsert)
    return 1 if made.upserted_id is not None else made.matched_count


def _every(collection: Any, changes: list[Update]) -> None:
    first: Exception | None = None
    for change in changes:
        try:
            _update_one(collection, change)
        except (DuplicateKeyError, BulkWriteError, Invalid) as refusal:
            first = first or refusal
    if first is not None:
        raise first
