"""One collection of the embedded engine, as engine.Collection promises it: checked, planned, and handed to a thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar

import structlog

from pulse_dash.core.errors import Conflict, Invalid
from pulse_dash.store import subset
from pulse_dash.store.embedded.matching import projected
from pulse_dash.store.embedded.plan import Plan
from pulse_dash.store.embedded.tables import Tables
from pulse_dash.store.embedded.worker import Operation
from pulse_dash.store.engine import Document, Filter, Projection, Sort, Update

Answer = TypeVar("Answer")

SLOW_SECONDS: Final = 0.1
DELETED_AT_ONCE: Final = 500

log = structlog.get_logger(__name__)


class Threads(Protocol):
    """Where operations are done, and whether a question that no index serves is refused."""

    refuses_unserved: bool

    async def read(self, doing: str, question: Operation[Answer]) -> Answer: ...

    async def write(self, doing: str, change: Operation[Answer]) -> Answer: ...


class EmbeddedCollection:
    """The documents of one noun."""

    def __init__(self, threads: Threads, tables: Tables) -> None:
        self._threads = threads
        self._tables = tables
        self._reading = f"reading {tables.schema.name}"
        self._writing = f"writing {tables.schema.name}"

    async def insert_one(self, document: Document) -> None:
        kept = subset.checked_document(document)
        await self._write(lambda connection: self._tables.insert(connection, kept))

    async def insert_many(self, documents: list[Document]) -> None:
        kept = [subset.checked_document(document) for document in documents]
        if kept:
            await self._write(lambda connection: self._tables.insert_each(connection, kept))

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

        def question(connection: sqlite3.Connection) -> list[Document]:
            with _Planned(self, asked, order) as plan:
                return self._tables.find(connection, plan, asked, sort=order, skip=first, limit=most, fields=fields)

        return await self._threads.read(self._reading, question)

    async def find_bodies(self, filter: Filter, *, sort: Sort, limit: int) -> list[bytes]:
        asked = subset.checked_filter(filter)
        order = subset.checked_sort(sort)
        _, most = subset.checked_window(0, limit)

        def question(connection: sqlite3.Connection) -> list[bytes]:
            with _Planned(self, asked, order) as plan:
                return self._tables.bodies(connection, plan, asked, sort=order, limit=most)

        return await self._threads.read(self._reading, question)

    async def count_documents(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)

        def question(connection: sqlite3.Connection) -> int:
            with _Planned(self, asked, None) as plan:
                return self._tables.count(connection, plan, asked)

        return await self._threads.read(self._reading, question)

    async def update_one(self, filter: Filter, update: Mapping[str, Any], *, upsert: bool = False) -> int:
        return 0 if await self._change_one(Update(filter, update, upsert), None) is None else 1

    async def update_many(self, filter: Filter, update: Mapping[str, Any]) -> int:
        change = subset.checked_change(Update(filter, update))

        def make(connection: sqlite3.Connection) -> int:
            with _Planned(self, change.filter, None) as plan:
                return self._tables.update_many(connection, plan, change)

        return await self._write(make)

    async def find_one_and_update(
        self,
        filter: Filter,
        update: Mapping[str, Any],
        *,
        sort: Sort | None = None,
        upsert: bool = False,
        projection: Projection | None = None,
    ) -> Document | None:
        fields = subset.checked_projection(projection)
        changed = await self._change_one(Update(filter, update, upsert), sort)
        return None if changed is None else projected(changed, fields)

    async def delete_one(self, filter: Filter) -> int:
        return await self._delete(filter, 1)

    async def delete_many(self, filter: Filter) -> int:
        """In slices, each a transaction, as MongoDB deletes each document by itself: no writer waits for all of it."""
        deleted = 0
        while (slice_ := await self._delete(filter, DELETED_AT_ONCE)) == DELETED_AT_ONCE:
            deleted += slice_
        return deleted + slice_

    async def bulk_write(self, updates: list[Update]) -> None:
        changes = [subset.checked_change(each) for each in updates]
        if changes:
            await self._write(lambda connection: self._change_each(connection, changes))

    async def _change_one(self, asked: Update, sort: Sort | None) -> Document | None:
        change = subset.checked_change(asked)
        order = subset.checked_sort(sort)

        def make(connection: sqlite3.Connection) -> Document | None:
            with _Planned(self, change.filter, order) as plan:
                return self._tables.change_one(connection, plan, change, order)

        return await self._write(make)

    async def _delete(self, filter: Filter, limit: int) -> int:
        asked = subset.checked_filter(filter)

        def make(connection: sqlite3.Connection) -> int:
            with _Planned(self, asked, None) as plan:
                return self._tables.delete(connection, plan, asked, limit)

        return await self._write(make)

    def _change_each(self, connection: sqlite3.Connection, changes: list[Update]) -> None:
        first: Conflict | Invalid | None = None
        for change in changes:
            try:
                self._tables.change_one(connection, self.plan(change.filter, None), change, None)
            except (Conflict, Invalid) as refusal:
                first = first or refusal
        if first is not None:
            raise first

    async def _write(self, change: Operation[Answer]) -> Answer:
        return await self._threads.write(self._writing, change)

    def plan(self, filter: Filter, sort: Sort | None) -> Plan:
        """How a question is answered, on the thread that answers it. Raises Unserved in a store that refuses scans."""
        plan = self._tables.plan(filter, sort)
        if self._threads.refuses_unserved and not plan.served:
            raise subset.Unserved(f"No index of {self._tables.schema.name} serves {filter} sorted by {sort}.")
        return plan

    def note_slow(self, plan: Plan, filter: Filter, seconds: float) -> None:
        """Log a slow answer with its plan; of the filter only the fields, for their values are people's."""
        log.warning(
            "store.slow",
            collection=self._tables.schema.name,
            fields=sorted(filter),
            plan=plan.words,
            milliseconds=round(seconds * 1000),
        )


class _Planned:
    """The plan of a question, and its time taken."""

    def __init__(self, collection: EmbeddedCollection, filter: Filter, sort: Sort | None) -> None:
        self._collection = collection
        self._filter = filter
        self._plan = collection.plan(filter, sort)

    def __enter__(self) -> Plan:
        self._began = time.perf_counter()
        return self._plan

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._began
        if seconds > SLOW_SECONDS:
            self._collection.note_slow(self._plan, self._filter, seconds)
