"""`python -m bench.store`: the embedded store with a million documents, beside raw sqlite3, BSON alone and litemongo.

Prints what issue and docs promise as numbers of one run, each with the ratio to its neighbour. It does not show a
network, MongoDB, a cold page cache, or a disk that is slower than this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson

from bench import raw as results
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import Collection
from pulse_dash.store.schema import CollectionSchema, Index

NEWEST = [("at", -1), ("_id", -1)]
ENTRIES = CollectionSchema(
    "entries",
    {"_id": "string", "org_id": "string", "at": "date", "name": "string"},
    (
        Index("organization", (("org_id", 1), ("at", -1), ("_id", -1))),
        Index("at", (("at", 1),)),
        Index("name", (("name", 1),), unique=True),
    ),
)
DELIVERIES = CollectionSchema(
    "deliveries", {"_id": "string", "due_at?": "date"}, (Index("due_at", (("due_at", 1),), partial="due_at"),)
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANTS = 20
CALLERS = 32
BATCH = 1_000


def entry(number: int) -> dict[str, Any]:
    """A document of about 500 bytes."""
    return {
        "_id": f"aud_{number:012}",
        "org_id": f"org_{number % TENANTS:02}",
        "at": NOON + timedelta(milliseconds=number),
        "name": f"entry {number}",
        "action": "project.updated",
        "request_id": f"req_{number:026}",
        "changes": {"name": {"before": "x" * 110, "after": "y" * 110}, "number": number},
    }


def main() -> int:
    """Measure and print; the exit status tells whether every answer was right."""
    asked = argparse.ArgumentParser(prog="python -m bench.store")
    asked.add_argument("--documents", type=int, default=1_000_000)
    asked.add_argument("--due", type=int, default=100_000)
    asked.add_argument("--seconds", type=float, default=3.0)
    options = asked.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options, figures))
    results.keep("store", figures)
    print(json.dumps(figures))
    return 0


async def measure(folder: Path, options: argparse.Namespace, figures: dict[str, Any]) -> None:
    """All rows of the table, in order."""
    many, few = options.documents, min(10_000, options.documents)
    bson_rate = bson_speed(min(many, 20_000))
    raw_rate = raw_speed(folder / "raw.sqlite", min(many, 100_000))
    async with opened(folder / "many") as engine:
        rate, size = await load(engine.collection("entries"), many)
        say(
            figures, "insert_many, documents a second", rate, f"{rate / raw_rate:.2f} of raw sqlite3 with the same keys"
        )
        say(figures, "BSON alone, encoded and decoded a second", bson_rate, "pymongo's C")
    async with opened(folder / "few") as engine:
        await load(engine.collection("entries"), few)
    on_disk = sum(path.stat().st_size for path in (folder / "many").rglob("documents.sqlite*"))
    say(figures, "size on disk by BSON", on_disk / size, f"{on_disk / 1e6:,.0f} MB")
    starts = {name: await start_seconds(folder / name) for name in ("few", "many")}
    say(figures, "start to first answer, ms", starts["many"] * 1e3, f"{starts['few'] * 1e3:.1f} ms with {few:,}")
    before = memory()
    async with opened(folder / "few") as small, opened(folder / "many") as large:
        await pages(small.collection("entries"), large.collection("entries"), many, few, figures)
        entries = large.collection("entries")
        await callers(entries, many, options.seconds, figures, raw=folder / "raw.sqlite")
        say(figures, "memory more than empty, MB", memory() - before, "after all of the above")
        await claims(large.collection("deliveries"), options.due, options.seconds, figures)
    await beside_litemongo(folder, few, figures)


def say(figures: dict[str, Any], name: str, value: float, beside: str) -> None:
    """One row, as it is known."""
    figures[name] = value
    print(f"{name:48}{value:>14,.2f}   {beside}", flush=True)


def bson_speed(count: int) -> float:
    """Documents encoded and decoded again in a second."""
    documents = [entry(number) for number in range(count)]
    began = time.perf_counter()
    for document in documents:
        bson.decode(bson.encode(document))
    return count / (time.perf_counter() - began)


def raw_speed(path: Path, count: int) -> float:
    """The same bodies and three keys each, written by nobody's store: what SQLite itself costs."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB)")
        for table in "abc":
            connection.execute(
                f"CREATE TABLE {table} (key BLOB, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID"
            )
        began = time.perf_counter()
        for first in range(0, count, BATCH):
            connection.execute("BEGIN")
            for number in range(first, min(first + BATCH, count)):
                body = bson.encode(entry(number))
                identity, key = f"aud_{number:012}".encode(), number.to_bytes(16, "big")
                connection.execute("INSERT INTO entries (id, body) VALUES (?, ?)", (identity, body))
                connection.execute("INSERT INTO a VALUES (?, ?)", (f"org_{number % TENANTS:02}".encode() + key, number))
                connection.execute("INSERT INTO b VALUES (?, ?)", (key, number))
                connection.execute("INSERT INTO c VALUES (?, ?)", (f"entry {number}".encode(), number))
            connection.execute("COMMIT")
        return count / (time.perf_counter() - began)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[EmbeddedEngine]:
    """The store in that folder."""
    engine = await EmbeddedEngine.open(folder, "pulse", (ENTRIES, DELIVERIES))
    try:
        await engine.prepare()
        yield engine
    finally:
        await engine.close()


async def load(collection: Collection, count: int) -> tuple[float, int]:
    """Documents a second by insert_many, and how many bytes of BSON they are."""
    size = sum(len(bson.encode(entry(number))) for number in range(0, count, max(1, count // 1000)))
    size *= max(1, count // 1000)
    took = 0.0
    for first in range(0, count, BATCH):
        batch = [entry(number) for number in range(first, min(first + BATCH, count))]
        began = time.perf_counter()
        await collection.insert_many(batch)
        took += time.perf_counter() - began
    return count / took, size


async def start_seconds(folder: Path) -> float:
    """From nothing to the newest 50 of a tenant."""
    began = time.perf_counter()
    async with opened(folder) as engine:
        found = await engine.collection("entries").find({"org_id": "org_07"}, sort=NEWEST, limit=50)
        took = time.perf_counter() - began
    check(len(found), min(50, len(found)))
    return took


async def pages(small: Collection, large: Collection, many: int, few: int, figures: dict[str, Any]) -> None:
    """Pages and ranges, among many and among few in turn."""

    async def page(collection: Collection) -> Any:
        return await collection.find({"org_id": "org_07"}, sort=NEWEST, limit=50)

    newest = {name: await page(collection) for name, collection in (("few", small), ("many", large))}

    async def next_page(collection: Collection, name: str) -> None:
        last = newest[name][-1]
        older = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": last["_id"]}}]
        found = await collection.find(
            {"org_id": "org_07", "at": {"$lte": last["at"]}, "$or": older}, sort=NEWEST, limit=50
        )
        check(found[0]["at"] < last["at"], True)

    for title, ask in (
        ("newest 50 of a tenant, ms", lambda collection, _: page(collection)),
        ("next page by cursor, ms", next_page),
    ):
        a, b = await in_turn(lambda f=ask: f(small, "few"), lambda f=ask: f(large, "many"))
        say(figures, title, b * 1e3, f"{b / a:.2f} times that of {few:,}")
    middle = NOON + timedelta(milliseconds=many // 2)
    width = min(1_000, many // 2)

    async def range_of_1000() -> None:
        found = await large.find({"at": {"$gte": middle, "$lt": middle + timedelta(milliseconds=width)}})
        check(len(found), width)

    (took, _) = await in_turn(range_of_1000, range_of_1000)
    say(figures, "a range of 1,000 by time, ms", took * 1e3, "")


async def in_turn(
    one: Callable[[], Awaitable[Any]], other: Callable[[], Awaitable[Any]], times: int = 40
) -> tuple[float, float]:
    """The medians of two, asked alternately."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for ask, seconds in zip((one, other), took, strict=True):
            began = time.perf_counter()
            await ask()
            seconds.append(time.perf_counter() - began)
    return statistics.median(took[0]), statistics.median(took[1])


async def callers(entries: Collection, many: int, seconds: float, figures: dict[str, Any], raw: Path) -> None:
    """32 callers at once: finds by id and by unique name, and single inserts that are on the disk when answered."""
    chance = random.Random(1)

    async def by_id() -> None:
        number = chance.randrange(many)
        found = await entries.find_one({"_id": f"aud_{number:012}"})
        check((found or {}).get("name"), f"entry {number}")

    async def by_name() -> None:
        number = chance.randrange(many)
        found = await entries.find_one({"name": f"entry {number}"})
        check((found or {}).get("_id"), f"aud_{number:012}")

    numbers = iter(range(many, 10 * many + 1_000_000))

    async def insert() -> None:
        await entries.insert_one(entry(next(numbers)))

    for title, ask in (("find by id, a second", by_id), ("find by unique name, a second", by_name)):
        say(figures, title, await rate(ask, seconds), f"{CALLERS} callers")
    commits = raw_commits(raw, 200)
    got = await rate(insert, seconds)
    say(figures, "acknowledged single inserts, a second", got, f"{got / commits:.1f} of raw commits, one at a time")


def raw_commits(path: Path, count: int) -> float:
    """Commits a second of one row each, synced: what a power-cut-safe write costs on this disk."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        began = time.perf_counter()
        for number in range(count):
            connection.execute("INSERT INTO entries (id, body) VALUES (?, ?)", (f"raw_{number}".encode(), b"x" * 500))
        return count / (time.perf_counter() - began)


async def rate(ask: Callable[[], Awaitable[None]], seconds: float) -> float:
    """How often a second, asked by 32 callers without a pause."""
    done, ends = 0, time.perf_counter() + seconds

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await ask()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return done / (time.perf_counter() - began)


async def claims(deliveries: Collection, due: int, seconds: float, figures: dict[str, Any]) -> None:
    """Claims of the delivery that is due first, by 32 workers; nobody may get another's."""
    for first in range(0, due, BATCH):
        await deliveries.insert_many(
            [
                {"_id": f"dlv_{n:09}", "due_at": NOON + timedelta(seconds=n)}
                for n in range(first, min(first + BATCH, due))
            ]
        )
    claimed: list[str] = []
    end = NOON + timedelta(days=3650)

    async def claim() -> None:
        found = await deliveries.find_one_and_update(
            {"due_at": {"$lte": end}}, {"$unset": {"due_at": ""}}, sort=[("due_at", 1)]
        )
        if found is not None:
            claimed.append(found["_id"])

    got = await rate(claim, seconds)
    check(len(set(claimed)), len(claimed))
    say(figures, "claims of a due document, a second", got, f"among {due:,}, none claimed twice")


async def beside_litemongo(folder: Path, count: int, figures: dict[str, Any]) -> None:
    """The newest 50 of a tenant as plain litemongo answers them, with few documents: it would sort all of many."""
    from tests.store.litemongo_file import CollectionFile  # noqa: PLC0415 - it is there where tests are

    theirs = CollectionFile(folder / "litemongo.sqlite", ENTRIES, scans=False)
    theirs.make()
    theirs.prepare()
    documents = [entry(number) for number in range(count)]
    theirs.write(lambda collection: collection.insert_many(documents))

    async def litemongo() -> None:
        found = theirs.read(lambda collection: collection.page({"org_id": "org_07"}, None, 0, 50, NEWEST))
        check(len(found), min(50, count // TENANTS))

    async with opened(folder / "few") as engine:
        entries = engine.collection("entries")

        async def ours() -> None:
            check(len(await entries.find({"org_id": "org_07"}, sort=NEWEST, limit=50)), min(50, count // TENANTS))

        a, b = await in_turn(ours, litemongo, times=10)
    theirs.close()
    say(figures, "litemongo's newest 50 by ours, times", b / a, f"with {count:,} documents")


def memory() -> float:
    """Megabytes that this process holds now."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def check(found: object, wanted: object) -> None:
    """A wrong answer is never timed."""
    if found != wanted:
        raise SystemExit(f"The store answered {found!r} where {wanted!r} is right.")


if __name__ == "__main__":
    sys.exit(main())
