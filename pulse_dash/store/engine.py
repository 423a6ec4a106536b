"""What every engine of the store promises, and the one place where a foreign exception becomes ours.

It knows the shape of a collection and the exceptions of pymongo, bson and sqlite3. Which operators may
be asked is told by subset, where documents lie by embedded and mongo.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias

import bson.errors
import pymongo.errors
from pymongo.pool_shared import _PoolClosedError  # pyright: ignore[reportPrivateUsage]

from pulse_dash.core.errors import Conflict, Invalid, PulseError, Unavailable

Document: TypeAlias = dict[str, Any]
Filter: TypeAlias = Mapping[str, Any]
Projection: TypeAlias = Mapping[str, Any] | Sequence[str]
Sort: TypeAlias = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Update:
    """One of the updates that `bulk_write` makes in no promised order."""

    filter: Filter
    update: Mapping[str, Any]
    upsert: bool = False


class Collection(Protocol):
    """Names and meaning as in pymongo's async collection; `find` answers a list.

    Every method raises Unavailable when the database is away, Invalid for a document that cannot be
    kept, DuplicateKey when a unique index refuses, and OutsideSubset for what Pulse does not ask."""

    async def insert_one(self, document: Document) -> None: ...

    async def insert_many(self, documents: list[Document]) -> None:
        """In order; at the first refusal what came before stays."""
        ...

    async def find_one(
        self, filter: Filter, *, projection: Projection | None = None, sort: Sort | None = None
    ) -> Document | None: ...

    async def find(
        self,
        filter: Filter,
        *,
        projection: Projection | None = None,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[Document]: ...

    async def find_bodies(self, filter: Filter, *, sort: Sort, limit: int) -> list[bytes]:
        """What `find` answers, in BSON as it is stored; where an index tells filter and order, none of it is read."""
        ...

    async def count_documents(self, filter: Filter) -> int: ...

    async def update_one(self, filter: Filter, update: Mapping[str, Any], *, upsert: bool = False) -> int:
        """How many matched, an upserted one counted as 1."""
        ...

    async def update_many(self, filter: Filter, update: Mapping[str, Any]) -> int: ...

    async def find_one_and_update(
        self,
        filter: Filter,
        update: Mapping[str, Any],
        *,
        sort: Sort | None = None,
        upsert: bool = False,
        projection: Projection | None = None,
    ) -> Document | None:
        """The document as it is after the update; two callers never change the same match."""
        ...

    async def delete_one(self, filter: Filter) -> int: ...

    async def delete_many(self, filter: Filter) -> int: ...

    async def bulk_write(self, updates: list[Update]) -> None:
        """All of them are tried; the first refusal is raised after the rest was made."""
        ...


class Engine(Protocol):
    """One opened database."""

    @property
    def name(self) -> Literal["embedded", "mongodb"]: ...

    @property
    def where(self) -> str:
        """For the sentence printed at start: a folder, or servers without their credentials."""
        ...

    def collection(self, name: str) -> Collection: ...

    async def ping(self) -> None:
        """Raises Unavailable while documents cannot be read, or could not be written the last time."""
        ...

    async def prepare(self) -> None:
        """Make the indexes and validators that store/catalog lists; safe to repeat."""
        ...

    async def close(self) -> None: ...


class DuplicateKey(Conflict):
    """A unique index holds this value already; `index` is its declared name, `_id_` for the id."""

    code = "already_exists"

    def __init__(self, index: str) -> None:
        super().__init__("Something with the same value is already there.")
        self.index = index


DUPLICATE_CODES = frozenset({11000, 11001, 12582})
VALIDATION_CODE = 121
# Over 16 MB as it was sent, and as an update would make it.
TOO_LARGE_CODES = frozenset({10334, 17419, 17420})


def duplicate_error(index: str) -> pymongo.errors.DuplicateKeyError:
    """The error as MongoDB words it, so that the embedded engine's refusal reads the same."""
    return pymongo.errors.DuplicateKeyError(f"E11000 duplicate key error index: {index} dup key", 11000)


def _away(_: Exception) -> PulseError:
    return Unavailable("store")


def _unkeepable(_: Exception) -> PulseError:
    return Invalid(detail="The document holds something that cannot be stored.")


def _duplicate(error: Exception) -> PulseError:
    named = re.search(r"index: (?:\S+\.\$)?([^\s]+)", str(error))
    # litemongo names no index for the id; the others are named by us.
    return DuplicateKey(named.group(1) if named else "_id_")


def _by_code(error: Exception) -> PulseError:
    """MongoDB reports refusals of many kinds in one class; its code tells them apart."""
    failures: list[tuple[int | None, str]] = []
    if isinstance(error, pymongo.errors.OperationFailure):
        failures.append((error.code, str(error)))
        writes: list[Mapping[str, Any]] = (error.details or {}).get("writeErrors", [])
        failures += [(each.get("code"), str(each.get("errmsg"))) for each in writes]
    for code, message in failures:
        if code in DUPLICATE_CODES:
            return _duplicate(Exception(message))
        if code == VALIDATION_CODE:
            return Invalid(detail="The document lacks a field or holds one of the wrong type.")
        if code in TOO_LARGE_CODES:
            return Invalid(detail="The document is over 16 MB.")
    return _away(error)


# A row for every class, not only for the roots: a test walks the libraries and fails on a class without
# one, so that a new version's new error is thought about before it is met.
TRANSLATIONS: dict[type[Exception], Callable[[Exception], PulseError]] = {
    pymongo.errors.PyMongoError: _away,
    pymongo.errors.ProtocolError: _away,
    pymongo.errors.ConnectionFailure: _away,
    pymongo.errors.WaitQueueTimeoutError: _away,
    pymongo.errors.AutoReconnect: _away,
    pymongo.errors.NetworkTimeout: _away,
    pymongo.errors.NotPrimaryError: _away,
    pymongo.errors.ServerSelectionTimeoutError: _away,
    pymongo.errors._OperationCancelled: _away,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    _PoolClosedError: _away,
    pymongo.errors.ConfigurationError: _away,
    pymongo.errors.InvalidURI: _away,
    pymongo.errors.OperationFailure: _by_code,
    pymongo.errors.CursorNotFound: _away,
    pymongo.errors.ExecutionTimeout: _away,
    pymongo.errors.WriteConcernError: _away,
    pymongo.errors.WTimeoutError: _away,
    pymongo.errors.WriteError: _by_code,
    pymongo.errors.DuplicateKeyError: _duplicate,
    pymongo.errors.BulkWriteError: _by_code,
    pymongo.errors.ClientBulkWriteException: _by_code,
    pymongo.errors.InvalidOperation: _away,
    pymongo.errors.InvalidName: _away,
    pymongo.errors.CollectionInvalid: _away,
    pymongo.errors.EncryptionError: _away,
    pymongo.errors.EncryptedCollectionError: _away,
    pymongo.errors.DocumentTooLarge: _unkeepable,
    bson.errors.BSONError: _away,
    bson.errors.InvalidBSON: _away,  # what is stored cannot be read: the file is damaged
    bson.errors.InvalidStringData: _unkeepable,
    bson.errors.InvalidDocument: _unkeepable,
    bson.errors.InvalidId: _unkeepable,
    sqlite3.Error: _away,
    sqlite3.InterfaceError: _away,
    sqlite3.DatabaseError: _away,
    sqlite3.InternalError: _away,
    sqlite3.OperationalError: _away,
    sqlite3.ProgrammingError: _away,
    sqlite3.IntegrityError: _away,
    sqlite3.DataError: _unkeepable,
    sqlite3.NotSupportedError: _away,
    # Folder and file: moved, full, not ours to read.
    OSError: _away,
    # bson's words for an integer over 64 bits and for text that is no Unicode.
    OverflowError: _unkeepable,
    UnicodeError: _unkeepable,
}


def translation(error: BaseException) -> PulseError | None:
    """Ours for a foreign exception, or None for what is not the store's to translate."""
    for kind in type(error).__mro__:
        translate = TRANSLATIONS.get(kind)
        if translate is not None and isinstance(error, Exception):
            return translate(error)
    return None


class translated:  # noqa: N801  (read as a phrase: `async with translated("reading the key"):`)
    """What is done inside raises our errors only; `doing` stands in the note of the traceback."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or (ours := translation(error)) is None:
            return
        # For the log only: `detail` goes to people, who need neither file names nor hosts.
        ours.add_note(f"while {self._doing}: {type(error).__name__}: {error}")
        raise ours from error

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
