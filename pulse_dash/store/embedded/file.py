"""The one file of the embedded store: how it is opened, made, kept and told from others, and what a transaction is.

Folder, rights and lock are told by data_folder, what the tables hold by tables, who calls when by worker.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pulse_dash.core.errors import Conflict, Invalid, Unavailable
from pulse_dash.store.data_folder import FORMAT, check_mark, make_private, refused
from pulse_dash.store.embedded.tables import Tables
from pulse_dash.store.embedded.worker import Operation, TransactionLost
from pulse_dash.store.engine import DuplicateKey
from pulse_dash.store.schema import CollectionSchema, Index

NAME: Final = "documents.sqlite"
# Stands beside the file from the moment it was made: a file that went away is never made again empty.
MADE: Final = "documents.made"
# Another program may look into the file (a backup, a curious sqlite3); we wait this long for it.
BUSY_SECONDS = 2.0
_CACHED_KIB: Final = 16 * 1024
_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


class StoreFile:
    """Where the documents of all collections lie."""

    def __init__(self, folder: Path, schemas: Iterable[CollectionSchema]) -> None:
        self.path = folder / NAME
        self.tables: Mapping[str, Tables] = {schema.name: Tables(schema) for schema in schemas}
        self._made = folder / MADE

    def make(self) -> None:
        """Make an empty file where none ever was. Raises Unavailable with the sentence for people."""
        if self._made.exists() and not self.path.exists():
            raise refused(f"The file {self.path} is missing. Restore it from a backup.")
        make_private(self.path)

    def note_made(self) -> None:
        """From now on a missing file is a loss."""
        make_private(self._made)

    def connect(self, *, writes: bool) -> sqlite3.Connection:
        """A connection of the calling thread. Raises Unavailable, sqlite3.Error."""
        # mode=rw: a file that went away while we run must not come back empty.
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            cached_statements=512,
        )
        try:
            check_mark(connection, self.path)
            connection.execute("PRAGMA journal_mode=WAL")
            # FULL: a commit that was answered survives a power cut; NORMAL may lose the last ones.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA cache_size=-{_CACHED_KIB}")
            connection.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        except BaseException:
            connection.close()
            raise
        return connection

    def identity(self) -> tuple[int, int]:
        """Which file lies there now."""
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def make_tables(self, connection: sqlite3.Connection) -> None:
        """The tables of every declared collection, without their indexes."""
        connection.execute(
            "CREATE TABLE IF NOT EXISTS pulse_indexes (collection TEXT NOT NULL, name TEXT NOT NULL, "
            "declared TEXT NOT NULL, lists INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (collection, name)) WITHOUT ROWID"
        )
        for tables in self.tables.values():
            tables.make(connection)
        self.recall(connection)

    def recall(self, connection: sqlite3.Connection) -> None:
        """Read again which indexes hold lists; a transaction that was not kept may have said more than is true."""
        held: dict[str, set[str]] = {}
        for collection, name in connection.execute("SELECT collection, name FROM pulse_indexes WHERE lists"):
            held.setdefault(collection, set()).add(name)
        for name, tables in self.tables.items():
            tables.lists = frozenset(held.get(name, ()))

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Bring the indexes to what is declared. Raises Unavailable where the documents forbid one."""
        for name, tables in self.tables.items():
            found = connection.execute("SELECT name, declared FROM pulse_indexes WHERE collection = ?", (name,))
            there = dict(found.fetchall())
            wanted = {index.name: index for index in tables.schema.indexes}
            for gone in there.keys() - wanted.keys():
                self._drop(connection, name, gone)
            for index in wanted.values():
                if there.get(index.name) != _declared(index):
                    self.build(connection, tables, index)

    def build(self, connection: sqlite3.Connection, tables: Tables, index: Index) -> None:
        """Make an index anew from the documents. Raises Unavailable where they forbid it."""
        self._drop(connection, tables.schema.name, index.name)
        connection.execute(
            "INSERT INTO pulse_indexes (collection, name, declared) VALUES (?, ?, ?)",
            (tables.schema.name, index.name, _declared(index)),
        )
        tables.lists -= {index.name}
        try:
            tables.make_index(connection, index)
        except DuplicateKey as error:
            raise refused(
                f"{self.path} holds documents that the unique index {index.name} of {tables.schema.name} forbids."
            ) from error

    def _drop(self, connection: sqlite3.Connection, collection: str, index: str) -> None:
        connection.execute(f'DROP TABLE IF EXISTS "{collection}/{index}"')
        connection.execute("DELETE FROM pulse_indexes WHERE collection = ? AND name = ?", (collection, index))


class Session:
    """A connection that is opened when it is needed, and again after the file went away and came back."""

    def __init__(self, file: StoreFile, *, writes: bool) -> None:
        self._file = file
        self._writes = writes
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        # While the store is opened a sentence tells people what is wrong; later callers must not read of our files.
        self.telling = writes
        self.failed = False

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection; inside of `begin` and `commit` there is one."""
        if self._connection is None:
            raise Unavailable("store")
        return self._connection

    def begin(self) -> None:
        if self._connection is not None:
            self._stays()
        else:
            self._open()
        if self._writes:
            self.connection.execute("BEGIN IMMEDIATE")
        else:
            # SQLite takes the snapshot at the first read. It is taken here, before anything is planned: a plan may
            # know of lists that the snapshot does not hold yet, never the other way round.
            self.connection.execute("BEGIN")
            readable(self.connection)

    def attempt(self, operation: Operation[Any]) -> Any:
        connection = self.connection
        if not self._writes:
            return operation(connection)
        connection.execute("SAVEPOINT operation")
        try:
            answer = operation(connection)
        except (Conflict, Invalid):
            # A refusal keeps what was made before it, as MongoDB does for a list of documents.
            connection.execute("RELEASE operation")
            raise
        except Exception as error:
            if not connection.in_transaction:
                raise TransactionLost(error) from error
            connection.execute("ROLLBACK TO operation")
            connection.execute("RELEASE operation")
            self._file.recall(connection)
            raise
        connection.execute("RELEASE operation")
        return answer

    def commit(self) -> None:
        self.connection.execute("COMMIT")
        # What was written into a file that was moved away meanwhile is not written.
        self._stays()
        self.failed = False

    def abandon(self, error: BaseException) -> None:
        self.failed = self.failed or self._writes
        connection = self._connection
        if connection is None:
            return
        passing = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
        if isinstance(error, sqlite3.Error | OSError) and not passing:
            self.close()
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._file.recall(connection)
        except sqlite3.Error:
            # Whoever waits is answered all the same; the next transaction opens the file anew.
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> None:
        try:
            self._connection = self._file.connect(writes=self._writes)
            self._identity = self._file.identity()
            if self._writes and not self.telling:
                self._file.recall(self._connection)
        except Unavailable as error:
            if self.telling:
                raise
            raise Unavailable("store") from error

    def _stays(self) -> None:
        if self._file.identity() != self._identity:
            raise FileNotFoundError(f"{self._file.path} was replaced while it was open")


def readable(connection: sqlite3.Connection) -> None:
    """Read from the file. Nothing of the statement is left: one that waits for its next row holds the snapshot."""
    connection.execute("SELECT 1 FROM pulse_indexes LIMIT 1").fetchall()


def touch(connection: sqlite3.Connection) -> None:
    """Write to the file without changing it."""
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def whole(connection: sqlite3.Connection) -> str | None:
    """SQLite's own words on damage of the file, None where it finds none."""
    (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return None if said == "ok" else str(said)


def _declared(index: Index) -> str:
    return json.dumps({"keys": index.keys, "unique": index.unique, "partial": index.partial})


def put_aside(paths: Iterable[Path], folder: Path) -> None:
    """Move files into a folder of their own, for their owner alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in paths:
        path.replace(folder / path.name)
