"""Checking, rebuilding, copying and taking over the embedded store's file."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import bson
import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.catalog import BY_NAME
from pulse_dash.store.data_folder import APPLICATION_ID
from pulse_dash.store.embedded import EmbeddedEngine, copying
from tests.store.things import NOON, THINGS, a_thing

SCHEMAS = (THINGS, BY_NAME["meta"])


async def opened(folder: Path) -> EmbeddedEngine:
    engine = await EmbeddedEngine.open(folder, "pulse", SCHEMAS)
    await engine.prepare()
    return engine


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A closed store with some things in it."""
    engine = await opened(tmp_path / "data")
    await engine.collection("things").insert_many(
        [a_thing(f"t{n}", size=n % 3, owner="o", made_at=NOON, parts=[{"id": "a"}, {"id": "b"}]) for n in range(20)]
    )
    await engine.close()
    return tmp_path / "data"


def _by_hand(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "pulse" / "documents.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM "things/pair" WHERE number = 3',
        "INSERT INTO \"things/pair\" (key, number) VALUES (x'00', 3)",
        "UPDATE \"things/name\" SET key = x'00' WHERE number = 3",
        "DELETE FROM things WHERE number = 3",
    ],
)
async def test_an_index_that_disagrees_is_named_and_made_anew(folder: Path, statement: str) -> None:
    _by_hand(folder, statement)
    engine = await opened(folder)

    found = await engine.check()
    await engine.check(rebuild=True)

    assert found
    assert "disagrees with the documents" in found[0]
    assert await engine.check() == []
    await engine.close()


async def test_a_whole_store_is_found_whole(folder: Path) -> None:
    engine = await opened(folder)

    assert await engine.check() == []
    await engine.close()


async def test_a_copy_taken_while_writing_holds_all_that_was_there_and_comes_back(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    engine = await opened(folder)
    things = engine.collection("things")

    async def write() -> None:
        for number in range(200):
            await things.insert_one(a_thing(f"late{number:03}"))

    writing = asyncio.create_task(write())
    size = await asyncio.to_thread(copying.back_up, folder / "pulse", copy)
    await writing
    await engine.close()

    assert size == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    aside = copying.restore(folder, "pulse", copy, SCHEMAS)
    assert aside is not None
    assert aside.exists()
    engine = await opened(folder)
    names = sorted(thing["_id"] for thing in await engine.collection("things").find({}))
    late = [name for name in names if name.startswith("late")]
    assert len(names) - len(late) == 20
    assert late == [f"late{number:03}" for number in range(len(late))]
    assert await engine.check() == []
    await engine.close()


async def test_nothing_is_restored_under_a_running_store(folder: Path, tmp_path: Path) -> None:
    copying.back_up(folder / "pulse", tmp_path / "copy")
    engine = await opened(folder)

    with pytest.raises(Unavailable, match="used by another process"):
        copying.restore(folder, "pulse", tmp_path / "copy", SCHEMAS)
    await engine.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database")


def _of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (_garbage, "damaged"),
        (_of_another_program, "another program"),
        (_empty, "another program"),
        (_newer, "newer Pulse"),
        (lambda _: None, "no file"),
    ],
)
async def test_what_is_no_backup_replaces_nothing(
    folder: Path, tmp_path: Path, make: Callable[[Path], None], word: str
) -> None:
    source = tmp_path / "source"
    make(source)

    with pytest.raises(Unavailable, match=word):
        copying.restore(folder, "pulse", source, SCHEMAS)

    engine = await opened(folder)
    assert await engine.collection("things").count_documents({}) == 20
    await engine.close()


async def test_a_backup_writes_over_nothing(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")

    with pytest.raises(Unavailable, match="there already"):
        copying.back_up(folder / "pulse", target)
    with pytest.raises(Unavailable, match="no store"):
        copying.back_up(tmp_path, tmp_path / "new")

    assert target.read_text() == "precious"


def _write_format_1(path: Path, *documents: dict[str, object]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("CREATE TABLE documents (_id PRIMARY KEY, doc)")
        for document in documents:
            connection.execute("INSERT INTO documents VALUES (?, ?)", (f"s:{document['_id']}", bson.encode(document)))
        connection.commit()
    path.chmod(0o600)


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """A store as Pulse kept it before: a file for each collection."""
    folder = tmp_path / "old"
    (folder / "pulse").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    _write_format_1(folder / "pulse" / "things.sqlite", *(a_thing(f"t{n}", made_at=NOON) for n in range(5)))
    _write_format_1(folder / "pulse" / "meta.sqlite", {"_id": "collections", "names": ["meta", "things"]})
    return folder


async def test_documents_of_the_old_format_are_taken_over_once_and_kept_aside(old_folder: Path) -> None:
    for _ in range(2):
        engine = await opened(old_folder)
        assert await engine.collection("things").count_documents({"made_at": NOON}) == 5
        assert await engine.check() == []
        await engine.close()

    assert sorted(path.name for path in (old_folder / "pulse" / "format-1").iterdir()) == [
        "meta.sqlite",
        "things.sqlite",
    ]


async def test_of_a_damaged_old_file_nothing_is_taken_over_and_all_stays(old_folder: Path) -> None:
    with closing(sqlite3.connect(old_folder / "pulse" / "things.sqlite")) as connection:
        connection.execute("UPDATE documents SET doc = x'00' WHERE _id = 's:t4'")
        connection.commit()

    with pytest.raises(Unavailable, match=r"things\.sqlite is damaged"):
        await opened(old_folder)

    assert (old_folder / "pulse" / "things.sqlite").exists()
    with closing(sqlite3.connect(old_folder / "pulse" / "documents.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)
