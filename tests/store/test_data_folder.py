"""The embedded store's folder: one process, its owner alone, and a sentence for whatever is wrong with it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.catalog import BY_NAME
from pulse_dash.store.connect import connect
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import Collection
from tests.store.things import THINGS, a_thing

SCHEMAS = (THINGS, BY_NAME["meta"])


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = await EmbeddedEngine.open(folder, "pulse", SCHEMAS)
    try:
        await engine.prepare()
        yield engine
    finally:
        await engine.close()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A closed store with one thing in it."""
    folder = tmp_path / "data"
    async with opened(folder) as engine:
        await engine.collection("things").insert_one(a_thing("one"))
    return folder


async def refusal(folder: Path) -> str:
    with pytest.raises(Unavailable) as refused:
        async with opened(folder):
            pass
    return refused.value.detail


async def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(tmp_path / "data") as engine:
            await engine.collection("things").insert_one(a_thing())
            paths = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
            rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}
    finally:
        os.umask(before)

    assert {name for name, mode in rights.items() if mode & 0o077} == set()
    assert any(name.endswith("-wal") for name in rights)


@pytest.mark.parametrize("inside", ["", "pulse", "pulse/documents.sqlite", "pulse.lock"])
async def test_what_others_may_read_stops_the_start(folder: Path, inside: str) -> None:
    (folder / inside).chmod(0o755)

    sentence = await refusal(folder)

    assert "chmod" in sentence
    assert str(folder / inside) in sentence


async def test_a_second_process_is_refused_with_a_sentence_that_names_the_first(folder: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from pulse_dash.store.connect import connect\n"
        "asyncio.run(connect(mongo_uri=None, database='pulse', data_dir=Path(sys.argv[1])))"
    )
    async with opened(folder) as engine:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(folder), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()

        assert process.returncode == 1
        assert f"is used by another process (pid {os.getpid()})" in errors.decode()
        assert await engine.collection("things").count_documents({}) == 1


async def test_a_second_opening_by_the_same_process_is_refused_too(folder: Path) -> None:
    async with opened(folder):
        assert f"pid {os.getpid()}" in await refusal(folder)

    async with opened(folder) as again:
        await again.ping()


def _corrupt(path: Path) -> None:
    path.write_bytes(b"\0garbage" * 1000)


def _foreign(path: Path) -> None:
    path.unlink()
    _foreign_at(path)


def _foreign_at(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    path.chmod(0o600)


def _newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(_corrupt, "damaged"), (_foreign, "another program"), (_newer, "newer Pulse"), (Path.unlink, "missing")],
)
async def test_a_spoiled_file_stops_the_start_and_is_left_as_it_is(
    folder: Path, spoil: Callable[[Path], None], word: str
) -> None:
    path = folder / "pulse" / "documents.sqlite"
    spoil(path)
    before = path.read_bytes() if path.exists() else None

    sentence = await refusal(folder)

    assert word in sentence
    assert path.name in sentence
    assert (path.read_bytes() if path.exists() else None) == before


async def test_a_damaged_document_is_unavailable_and_not_a_crash(folder: Path) -> None:
    connection = sqlite3.connect(folder / "pulse" / "documents.sqlite")
    connection.execute("UPDATE things SET body = x'00'")
    connection.commit()
    connection.close()

    async with opened(folder) as engine:
        with pytest.raises(Unavailable):
            await engine.collection("things").find({})


async def _everything_is_unavailable(engine: EmbeddedEngine, things: Collection) -> None:
    for call in (
        engine.ping,
        lambda: things.find_one({"_id": "one"}),
        lambda: things.insert_one(a_thing()),
        lambda: things.update_one({"_id": "one"}, {"$set": {"size": 1}}),
    ):
        with pytest.raises(Unavailable) as away:
            await call()
        # People read the detail; where our files lie is not for them.
        assert "sqlite" not in away.value.detail


async def test_a_folder_that_goes_away_is_unavailable_until_it_is_back(folder: Path) -> None:
    async with opened(folder) as engine:
        things = engine.collection("things")

        (folder / "pulse").rename(folder / "elsewhere")
        await _everything_is_unavailable(engine, things)
        (folder / "elsewhere").rename(folder / "pulse")

        await engine.ping()
        await things.insert_one(a_thing("two"))
        assert sorted(thing["_id"] for thing in await things.find({})) == ["one", "two"]


async def test_a_file_that_is_replaced_under_us_is_unavailable(folder: Path) -> None:
    async with opened(folder) as engine:
        path = folder / "pulse" / "documents.sqlite"
        path.rename(path.with_suffix(".kept"))
        _foreign_at(path)

        await _everything_is_unavailable(engine, engine.collection("things"))
        path.with_suffix(".kept").rename(path)

        assert await engine.collection("things").count_documents({}) == 1


async def test_a_folder_that_is_deleted_under_us_acknowledges_nothing_and_makes_no_empty_one(folder: Path) -> None:
    async with opened(folder) as engine:
        for path in (folder / "pulse").iterdir():
            path.unlink()

        await _everything_is_unavailable(engine, engine.collection("things"))

        assert list((folder / "pulse").iterdir()) == []


async def test_a_file_that_another_program_holds_is_unavailable_until_it_lets_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulse_dash.store.embedded.file.BUSY_SECONDS", 0.05)
    async with opened(folder) as engine:
        things = engine.collection("things")
        other = sqlite3.connect(folder / "pulse" / "documents.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable):
            await things.insert_one(a_thing("two"))
        assert await things.count_documents({}) == 1
        other.execute("ROLLBACK")
        other.close()

        await things.insert_one(a_thing("two"))
        assert await things.count_documents({}) == 2


async def test_a_full_disk_is_unavailable_and_keeps_nothing_half(folder: Path) -> None:
    """In a process of its own, whose files may not grow."""
    code = """
import asyncio, resource, signal, sys
from pathlib import Path
from pulse_dash.core.errors import Unavailable
from pulse_dash.store.embedded import EmbeddedEngine
from tests.store.test_data_folder import SCHEMAS, a_thing

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    engine = await EmbeddedEngine.open(Path(sys.argv[1]), "pulse", SCHEMAS)
    await engine.prepare()
    things = engine.collection("things")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    kept = 0
    try:
        for _ in range(50):
            await things.insert_one(a_thing(blob=b"x" * 5000))
            kept += 1
    except Unavailable:
        pass
    try:
        await things.insert_many([a_thing(blob=b"x" * 50_000), a_thing(blob=b"x" * 50_000)])
    except Unavailable:
        pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    red = False
    try:
        await engine.ping()
    except Unavailable:
        red = True
    assert red
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await engine.ping()
    assert 0 < kept < 50, kept
    assert await things.count_documents({}) == kept + 1
    await things.insert_one(a_thing())
    assert await things.count_documents({}) == kept + 2
    await engine.close()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(folder), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()


async def test_a_closed_store_is_unavailable_and_closes_once(folder: Path) -> None:
    engine = await EmbeddedEngine.open(folder, "pulse", SCHEMAS)
    await engine.close()
    await engine.close()

    with pytest.raises(Unavailable):
        await engine.collection("things").find({})


async def test_an_index_that_is_declared_later_is_made_and_one_that_is_dropped_goes(folder: Path) -> None:
    without = type(THINGS)(THINGS.name, THINGS.fields, ())
    engine = await EmbeddedEngine.open(folder, "pulse", (without, BY_NAME["meta"]))
    await engine.prepare()
    await engine.collection("things").insert_many([a_thing("two", name="same"), a_thing("three", name="same")])
    await engine.close()

    assert "unique" in await refusal(folder)


async def test_without_an_address_of_mongodb_the_store_is_a_folder(tmp_path: Path) -> None:
    engine = await connect(mongo_uri=None, database="pulse", data_dir=tmp_path / "data")
    await engine.prepare()
    await engine.prepare()
    await engine.ping()
    await engine.close()

    assert engine.name == "embedded"
    assert engine.where == str(tmp_path / "data" / "pulse")
