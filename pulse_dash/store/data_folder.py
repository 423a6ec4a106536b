"""The folder that holds the embedded store: who may read it, and that one process alone uses it.

It knows rights, the lock and the mark on the file; what the file holds is told by embedded.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from pathlib import Path

from pulse_dash.core.errors import Unavailable

LOCK = "pulse.lock"
# "PuLs": SQLite keeps this number in a file's head, so that a file of another program is known at once.
APPLICATION_ID = 0x50754C73
FORMAT = 2


def refused(sentence: str) -> Unavailable:
    """The store cannot be opened; the sentence is for the one who starts it."""
    return Unavailable("store", sentence)


def open_folder(folder: Path) -> Path:
    """The folder, made for its owner alone; one that others can enter is not used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rights = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise refused(f"The data folder {folder} cannot be made: {error.strerror}.") from error
    if rights & 0o077:
        raise refused(
            f"The data folder {folder} can be entered by others (rights {rights:04o}). Run: chmod 700 {folder}"
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise refused(f"The data folder {folder} cannot be written by this user.")
    return folder


def make_private(path: Path) -> None:
    """An empty file for its owner alone; SQLite gives its side files the same rights."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        rights = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise refused(f"The file {path} cannot be opened: {error.strerror}.") from error
    if rights & 0o077:
        raise refused(f"The file {path} can be read by others (rights {rights:04o}). Run: chmod 600 {path}")


class ProcessLock:
    """Held from opening to closing. The system gives it back when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        make_private(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise refused(
                f"The store in {folder} is used by another process (pid {holder}). The embedded store serves one "
                "process; stop that one, choose another PULSE_DATA_DIR, or set MONGO_URI."
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def check_mark(connection: sqlite3.Connection, path: Path, *, empty: bool = True) -> None:
    """A file is ours when it carries our mark; one that is `empty` becomes so. Raises Unavailable with the sentence."""
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise refused(f"The file {path} is damaged or not a database ({error}). Restore it from a backup.") from error
    if mark != APPLICATION_ID and (tables or not empty):
        raise refused(f"The file {path} is a database of another program; Pulse leaves it alone.")
    if version > FORMAT:
        raise refused(f"The file {path} was written by a newer Pulse (format {version}); this one reads {FORMAT}.")
    if mark != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
