"""MongoDB's semantics by another hand: one collection in one SQLite file, litemongo's documents and matching.

The stand-in server answers from it, and our engine is compared with it. litemongo 0.2.0 commits each single write,
finds a unique conflict after the insert and undoes it in a second commit; here one operation is one transaction,
so that a process killed in between leaves either all of it or nothing.
"""

# litemongo carries no types, and its seams are its private names.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportMissingParameterType=false
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

from __future__ import annotations

import itertools
import operator as operator_module
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from bson.codec_options import CodecOptions
from litemongo._vendor import mongomock
from litemongo._vendor.mongomock import collection as mongomock_collection
from litemongo._vendor.mongomock import filtering, helpers
from litemongo._vendor.mongomock.codec_options import CodecOptions as MockCodecOptions
from litemongo.sqlite_store import CollectionStore, IndexDict, TableDict
from pymongo.errors import BulkWriteError, DuplicateKeyError

from pulse_dash.core.errors import Invalid, Unavailable
from pulse_dash.store.data_folder import FORMAT, check_mark, make_private, refused
from pulse_dash.store.engine import Document, duplicate_error
from pulse_dash.store.schema import CollectionSchema, Index

Answer = TypeVar("Answer")

LARGEST_DOCUMENT = 16 * 1024 * 1024
# Another program may look into the file (a backup, a curious sqlite3); we wait this long for it.
BUSY_SECONDS = 2.0
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


REFUSALS = (DuplicateKeyError, BulkWriteError, Invalid)
# mongomock asks its database for a server version only; the documents come from our files.
_DATABASE = mongomock.MongoClient(tz_aware=True)["pulse"]
_MOMENTS_WITH_ZONE = MockCodecOptions(tz_aware=True)


class _Connection(sqlite3.Connection):
    """Leaves the end of a transaction to CollectionFile: litemongo's `with connection:` would commit."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Any:
        return False


class _Documents(CollectionStore):
    """litemongo's store of one collection, opened our way, checking each document that is written."""

    def __init__(self, path: Path, schema: CollectionSchema, scans: bool) -> None:
        self._schema = schema
        self._scans = scans
        super().__init__(path, codec_options=CodecOptions())

    def open(self) -> None:
        # mode=rw: a file that went away while we run must not come back empty.
        uri = f"{self._path.as_uri()}?mode=rw"
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, factory=_Connection
        )
        try:
            check_mark(self._connection, self._path)
            self._connection.execute("PRAGMA journal_mode=WAL")
            # litemongo's NORMAL may lose the last commits when the power goes; accepted means durable.
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            key_format = self._init_info()
            self._cur = self._connection.cursor()
            parts = (self._connection, self._cur, self._codec_options)
            self._documents = TableDict(self.DOCUMENTS, *parts, key_format=key_format)
            self.indexes = IndexDict(self.INDEXES, *parts, key_format=key_format)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.close()
            raise
        self._ttl_indexes = {}
        self.forget()

    def forget(self) -> None:
        """What is kept in memory may differ from the file now; it is read again when it is asked for."""
        self._query_index = None
        self._data_version = None
        self.indexes.invalidate()

    def touch(self) -> None:
        """Write to the file without changing it."""
        self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def __setitem__(self, key: Any, value: Any) -> None:
        if complaint := self._schema.complaint(value):
            raise Invalid(detail=f"{self._schema.name}: {complaint}")
        if len(self._documents._encode_doc(value)) > LARGEST_DOCUMENT:
            raise Invalid(detail=f"{self._schema.name}: The document is over 16 MB.")
        super().__setitem__(key, value)

    def find_candidates(self, filter: Any) -> Any:
        """Everything, so that no index of litemongo's can hide what ours forgets; or what its own indexes find."""
        return self.documents if self._scans else super().find_candidates(filter)


class _Semantics(mongomock_collection.Collection):
    """mongomock's collection where it differs from MongoDB: it names the unique index that refuses, and
    null is less than everything for `$max` and `$min`."""

    def page(
        self, filter: Any, fields: Any, skip: int, limit: int, sort: list[tuple[str, int]] | None
    ) -> list[Document]:
        """What mongomock's cursor answers; it copies every match before it counts, here only the page is."""
        found: Iterable[Document] = self._iter_documents(helpers.patch_datetime_awareness_in_document(filter))
        if sort:
            found = list(found)
            for path, way in reversed(sort):
                found.sort(key=_sort_key(found, path), reverse=way < 0)
        page = itertools.islice(found, skip, skip + limit if limit else None)
        chosen = [each if fields is None else self._copy_only_fields(each, fields, dict) for each in page]
        return cast("list[Document]", helpers.make_datetime_timezone_aware_in_document(chosen))

    def _apply_update_document(
        self, existing_document: Document, spec: Any, document: Document, was_insert: bool
    ) -> None:
        update = {operator: dict(fields) for operator, fields in document.items()}
        for path in [path for path in update.get("$max", ()) if _is_null(existing_document, path)]:
            update.setdefault("$set", {})[path] = update["$max"].pop(path)
        for path in [path for path in update.get("$min", ()) if _is_null(existing_document, path)]:
            del update["$min"][path]
        super()._apply_update_document(existing_document, spec, update, was_insert)

    def _ensure_uniques(self, new_data: Document) -> None:
        for name, index in self._store.indexes.items():
            if not index.get("unique"):
                continue
            partial = index.get("partialFilterExpression")
            if partial is not None and not filtering.filter_applies(partial, new_data):
                continue
            same: dict[str, Any] = {}
            for key, _ in index["key"]:
                try:
                    same[key] = helpers.get_value_by_dot(new_data, key)
                except KeyError:
                    same[key] = None
            question = same if partial is None else {"$and": [partial, same]}
            if helpers.count_iter(self._iter_documents(question)) > 1:
                raise duplicate_error(name)


class CollectionFile:
    """The file of one collection, opened, used and closed on the engine's one thread."""

    def __init__(self, path: Path, schema: CollectionSchema, *, scans: bool = True) -> None:
        self.path = path
        self._schema = schema
        self._scans = scans
        self._documents: _Documents | None = None
        self._identity: tuple[int, int] | None = None
        self._write_failed = False

    def make(self) -> None:
        """Make the file if it is not there, and open it. Raises Unavailable with the sentence for people."""
        make_private(self.path)
        try:
            self._opened()
        except sqlite3.Error as error:
            raise refused(f"The file {self.path} cannot be used: {error}.") from error

    def prepare(self) -> None:
        """Bring the indexes of the file to what is declared."""
        wanted = {index.name: _litemongo_index(index) for index in self._schema.indexes}
        try:
            self.write(lambda collection: _bring(collection, wanted))
        except DuplicateKeyError as error:
            raise refused(f"{self.path} holds documents that one of its unique indexes forbids.") from error

    def check(self) -> None:
        """Raise while documents cannot be read, or after a failed write until one works again."""
        self.read(lambda collection: collection.find_one({"_id": ""}))
        if self._write_failed:
            self.write(lambda collection: collection._store.touch())

    def read(self, question: Callable[[Any], Answer]) -> Answer:
        documents = self._at_work()
        try:
            return question(_collection(documents))
        except sqlite3.Error as error:
            self._leave(error)
            raise

    def write(self, change: Callable[[Any], Answer]) -> Answer:
        """Make the change in one transaction. A refusal keeps what the change made before it, as MongoDB
        does for a list of documents; a fault keeps nothing."""
        documents = self._at_work()
        connection = documents._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                answer = change(_collection(documents))
            except REFUSALS:
                connection.execute("COMMIT")
                raise
            connection.execute("COMMIT")
            # Written into a file that was moved away meanwhile is not written.
            self._stays()
        except REFUSALS:
            raise
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            documents.forget()
            self._write_failed = True
            self._leave(error)
            raise
        self._write_failed = False
        return answer

    def close(self) -> None:
        if self._documents is not None:
            documents, self._documents = self._documents, None
            documents.close()

    def _leave(self, error: Exception) -> None:
        """After a fault the file is opened anew by the next operation; not when it is only busy or full."""
        passing = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
        if isinstance(error, sqlite3.Error | OSError) and not passing:
            self.close()

    def _at_work(self) -> _Documents:
        try:
            return self._opened()
        except Unavailable as error:
            # Its sentence names our files, and is for the one who starts Pulse; now callers would read it.
            raise Unavailable("store") from error

    def _opened(self) -> _Documents:
        if self._documents is not None:
            try:
                self._stays()
            except OSError:
                self.close()
                raise
        if self._documents is None:
            self._documents = _Documents(self.path, self._schema, self._scans)
            self._identity = _identity(self.path)
        return self._documents

    def _stays(self) -> None:
        if _identity(self.path) != self._identity:
            raise FileNotFoundError(f"{self.path} was replaced while it was open")


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _collection(documents: _Documents) -> _Semantics:
    return _Semantics(_DATABASE, "documents", {"documents": documents}, codec_options=_MOMENTS_WITH_ZONE)


def _sort_key(found: list[Document], path: str) -> Callable[[Document], Any]:
    """BSON's order of the values; where all are of one plain type it is Python's own, which is much quicker."""
    kinds = {type(each.get(path)) for each in found}
    if kinds <= {str} or kinds <= {datetime} or kinds <= {int}:
        return operator_module.itemgetter(path)
    return partial(filtering.resolve_sort_key, path)


def _is_null(document: Document, path: str) -> bool:
    try:
        return helpers.get_value_by_dot(document, path) is None
    except KeyError:
        return False


def _litemongo_index(index: Index) -> dict[str, Any]:
    made: dict[str, Any] = {"key": list(index.keys)}
    if index.unique:
        made["unique"] = True
    if index.partial_filter is not None:
        made["partialFilterExpression"] = index.partial_filter
    return made


def _bring(collection: _Semantics, wanted: dict[str, dict[str, Any]]) -> None:
    there = dict(collection._store.indexes.items())
    for name, index in there.items():
        if index != wanted.get(name):
            collection._store.drop_index(name)
    for name, index in wanted.items():
        if there.get(name) != index:
            options = {option: value for option, value in index.items() if option != "key"}
            collection.create_index(index["key"], name=name, **options)
