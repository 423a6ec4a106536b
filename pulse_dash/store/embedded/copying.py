"""Copies of the store's file: one that is taken while Pulse runs, and the way back from one while it does not.

What stands beside the file (secrets, keys) is not in a copy; who calls tells people so.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from pulse_dash.store.data_folder import ProcessLock, check_mark, make_private, open_folder, refused
from pulse_dash.store.embedded.file import StoreFile, whole
from pulse_dash.store.schema import CollectionSchema

BEFORE = ".before-restore"
# So many pages at a time, and between them the writer goes on.
_PAGES = 1_000


def back_up(folder: Path, target: Path) -> int:
    """Copy the store as it is at one moment into a new file, and answer how many bytes that is.

    Pulse may run meanwhile, in this or another process. Raises Unavailable with the sentence for people."""
    file = StoreFile(folder, ())
    if not file.path.exists():
        raise refused(f"There is no store in {folder}.")
    if target.exists():
        raise refused(f"{target} is there already; a backup never writes over a file.")
    make_private(target)
    try:
        with closing(file.connect(writes=False)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=_PAGES)
            # One file and nothing beside it, so that it can be moved about.
            copy.execute("PRAGMA journal_mode=DELETE")
            _refuse_damaged(copy, target)
        _sync(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise refused(f"The backup could not be written to {target}: {error}.") from error
    return target.stat().st_size


def restore(data_dir: Path, database: str, source: Path, schemas: Iterable[CollectionSchema]) -> Path | None:
    """Put a backup in the store's place; answers where the store that was there lies now.

    Raises Unavailable: Pulse runs, the file is no backup, is damaged, or is of a newer Pulse."""
    lock = ProcessLock(open_folder(data_dir))
    try:
        file = StoreFile(open_folder(data_dir / database), schemas)
        if not source.is_file():
            raise refused(f"There is no file {source}.")
        try:
            with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                check_mark(connection, source, empty=False)
                _refuse_damaged(connection, source)
                draft = file.path.with_suffix(".restoring")
                draft.unlink(missing_ok=True)
                make_private(draft)
                with closing(sqlite3.connect(draft)) as copy:
                    connection.backup(copy)
        except sqlite3.Error as error:
            raise refused(f"The backup {source} cannot be read: {error}.") from error
        _sync(draft)
        return _swap(file, draft)
    finally:
        lock.release()


def _swap(file: StoreFile, draft: Path) -> Path | None:
    """The file that was there goes aside first, with what SQLite left beside it; one that was kept before stays."""
    aside: Path | None = None
    if file.path.exists():
        number = 1
        while (aside := file.path.with_name(f"{file.path.name}{BEFORE}-{number}")).exists():
            number += 1
        for ending in ("-wal", "-shm", ""):
            beside = file.path.with_name(file.path.name + ending)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + ending))
    draft.rename(file.path)
    file.note_made()
    return aside


def _refuse_damaged(connection: sqlite3.Connection, path: Path) -> None:
    if damage := whole(connection):
        raise refused(f"{path} is damaged: {damage}.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
