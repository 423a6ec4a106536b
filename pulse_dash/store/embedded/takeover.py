"""Takes the documents of format 1 over: a file for each collection, as Pulse kept them until November 2026."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import structlog
from bson.errors import BSONError

from pulse_dash.store.data_folder import refused
from pulse_dash.store.embedded.file import StoreFile, put_aside
from pulse_dash.store.embedded.tables import decoded
from pulse_dash.store.engine import Document

log = structlog.get_logger(__name__)

ASIDE = "format-1"


def old_files(file: StoreFile) -> list[Path]:
    """The files of format 1 that lie beside the store's, with what SQLite left beside them."""
    folder = file.path.parent
    return sorted(path for path in folder.glob("*.sqlite*") if not path.name.startswith(file.path.name))


def take_over(file: StoreFile, connection: sqlite3.Connection) -> None:
    """Bring the documents of all old files into this one; within the caller's transaction, so all of them or none.

    A start that was interrupted after that finds them here already and brings none twice. Raises Unavailable."""
    taken = 0
    for name, tables in file.tables.items():
        old = file.path.parent / f"{name}.sqlite"
        if not old.exists() or connection.execute(f"SELECT 1 FROM {tables.documents} LIMIT 1").fetchone():
            continue
        try:
            for document in _documents(old):
                tables.insert(connection, document)
                taken += 1
        except (sqlite3.Error, BSONError) as error:
            raise refused(f"The file {old} is damaged ({error}). Restore it from a backup.") from error
    log.info("store.taken_over", documents=taken)


def put_old_files_aside(file: StoreFile) -> None:
    """They are kept for a way back, where no start looks."""
    if paths := old_files(file):
        put_aside(paths, file.path.parent / ASIDE)


def _documents(path: Path) -> Iterator[Document]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as connection:
        for (body,) in connection.execute("SELECT doc FROM documents ORDER BY rowid"):
            yield decoded(body)
