"""The tables of one collection in the store's file: its documents, and the keys of each declared index beside them.

It reads by plan and writes document and keys together; transactions and threads are told by file and worker.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions

from pulse_dash.core.errors import Conflict, Invalid
from pulse_dash.store.embedded.matching import Matches, matcher, projected, sort_key
from pulse_dash.store.embedded.order import keys_of
from pulse_dash.store.embedded.plan import IDS, Plan, Walk, planned
from pulse_dash.store.embedded.updating import begun, updated
from pulse_dash.store.engine import Document, DuplicateKey, Filter, Update
from pulse_dash.store.schema import CollectionSchema, Index
from pulse_dash.store.subset import Unserved

LARGEST_DOCUMENT: Final = 16 * 1024 * 1024
# What is sorted in memory is held in memory; a list that grows without end needs an index for its order.
MOST_SORTED: Final = 100_000
_MOMENTS_WITH_ZONE: Final[CodecOptions[Document]] = CodecOptions(tz_aware=True, tzinfo=UTC)

Row = tuple[int, Document]


class Keys:
    """The table of one index, and what is said to it for each document."""

    def __init__(self, table: str) -> None:
        self.table = table
        self._insert = f"INSERT INTO {table} (key, number) VALUES (?, ?)"
        self._delete = f"DELETE FROM {table} WHERE key = ? AND number = ?"
        self._others = f"SELECT 1 FROM {table} WHERE key = ? AND number != ? LIMIT 1"

    def put(self, connection: sqlite3.Connection, entries: Iterable[tuple[bytes, int]]) -> None:
        """Let documents stand under these keys, each with its number."""
        connection.executemany(self._insert, entries)

    def take(self, connection: sqlite3.Connection, keys: Iterable[bytes], number: int) -> None:
        """Let it stand under these no longer."""
        for key in keys:
            connection.execute(self._delete, (key, number))

    def taken(self, connection: sqlite3.Connection, keys: Iterable[bytes], number: int) -> bool:
        """Whether another document stands under one of them."""
        return any(connection.execute(self._others, (key, number)).fetchone() for key in keys)


class Tables:
    """One collection. Every method takes the connection of the thread that calls it."""

    def __init__(self, schema: CollectionSchema) -> None:
        self.schema = schema
        self.documents = f'"{schema.name}"'
        self._insert = f"INSERT INTO {self.documents} (id, body) VALUES (?, ?)"
        self._replace = f"UPDATE {self.documents} SET body = ? WHERE number = ?"
        self._identified = f"SELECT 1 FROM {self.documents} WHERE id = ?"
        # Which indexes hold a document under several keys; it is written beside them and only ever grows.
        self.lists: frozenset[str] = frozenset()
        self._keys = {index.name: Keys(f'"{schema.name}/{index.name}"') for index in schema.indexes}

    def keys(self, index: Index) -> str:
        """The table of an index."""
        return self._keys[index.name].table

    # --- reading

    def plan(self, filter: Filter, sort: Sequence[tuple[str, int]] | None) -> Plan:
        """How that question is answered."""
        return planned(filter, sort, self.schema.indexes, self.lists, self.schema.singles)

    def find(
        self,
        connection: sqlite3.Connection,
        plan: Plan,
        filter: Filter,
        *,
        sort: list[tuple[str, int]] | None = None,
        skip: int = 0,
        limit: int = 0,
        fields: Mapping[str, int] | None = None,
    ) -> list[Document]:
        """What `engine.Collection.find` answers."""
        rows = self.rows(connection, plan, filter, sort=sort, skip=skip, limit=limit)
        return [projected(document, fields) for _, document in rows]

    def bodies(
        self,
        connection: sqlite3.Connection,
        plan: Plan,
        filter: Filter,
        *,
        sort: list[tuple[str, int]] | None,
        limit: int,
    ) -> list[bytes]:
        """What `engine.Collection.find_bodies` answers."""
        if not plan.ordered:
            one = f"SELECT body FROM {self.documents} WHERE number = ?"
            rows = self.rows(connection, plan, filter, sort=sort, limit=limit)
            return [connection.execute(one, (number,)).fetchone()[0] for number, _ in rows]
        fits = None if plan.exact else matcher(filter)
        with contextlib.closing(self._candidates(connection, plan)) as candidates:
            fitting = (body for _, body in candidates if fits is None or fits(decoded(body)))
            return list(itertools.islice(fitting, limit or None))

    def rows(
        self,
        connection: sqlite3.Connection,
        plan: Plan,
        filter: Filter,
        *,
        sort: list[tuple[str, int]] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[Row]:
        """The documents that fit, in order, with their numbers."""
        stop = skip + limit if limit else None
        # Closed here and on this thread: a statement that waits for its next row would hold the reader's snapshot.
        with contextlib.closing(self._fitting(connection, plan, None if plan.exact else matcher(filter))) as fitting:
            if plan.ordered or not sort:
                return list(itertools.islice(fitting, skip, stop))
            bounded = list(itertools.islice(fitting, MOST_SORTED + 1))
        if len(bounded) > MOST_SORTED:
            raise Unserved(f"{self.schema.name}: more than {MOST_SORTED:,} documents are sorted by {sort} of no index.")
        if stop is not None and stop < len(bounded):
            return heapq.nsmallest(stop, bounded, key=lambda row: (sort_key(row[1], sort), row[0]))[skip:]
        return sorted(bounded, key=lambda row: sort_key(row[1], sort))[skip:stop]

    def count(self, connection: sqlite3.Connection, plan: Plan, filter: Filter) -> int:
        """How many fit; where the index tells it all, without reading one of them."""
        if not plan.exact:
            return sum(1 for _ in self._fitting(connection, plan, matcher(filter)))
        if not plan.walks:
            return _number(connection.execute(f"SELECT count(*) FROM {self.documents}"))
        (walk,) = plan.walks
        column, table = ("id", self.documents) if walk.index is IDS else ("key", self.keys(walk.index))
        total = 0
        for span in walk.spans:
            where, bounds = _where(column, span.low, span.high)
            total += _number(connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", bounds))
        return total

    def _fitting(self, connection: sqlite3.Connection, plan: Plan, fits: Matches | None) -> Generator[Row]:
        for number, body in self._candidates(connection, plan):
            document = decoded(body)
            if fits is None or fits(document):
                yield number, document

    def _candidates(self, connection: sqlite3.Connection, plan: Plan) -> Generator[tuple[int, bytes]]:
        if not plan.walks:
            yield from connection.execute(f"SELECT number, body FROM {self.documents} ORDER BY number")
            return
        streams = [self._walked(connection, walk) for walk in plan.walks]
        if len(streams) == 1 and plan.walks[0].index.name not in self.lists:
            yield from streams[0]
            return
        seen: set[int] = set()
        for number, body in itertools.chain.from_iterable(streams):
            if number not in seen:
                seen.add(number)
                yield number, body

    def _walked(self, connection: sqlite3.Connection, walk: Walk) -> Iterator[tuple[int, bytes]]:
        """The documents of a walk in its order; of several spans, merged by what follows their prefix."""
        if len(walk.spans) == 1 or not walk.ordered:
            for span in walk.spans:
                for _, number, body in self._spanned(connection, walk, span.low, span.high):
                    yield number, body
            return
        merged = heapq.merge(
            *(self._suffixed(connection, walk, span.prefix, span.low, span.high) for span in walk.spans),
            key=lambda entry: entry[:2],
            reverse=walk.backwards,
        )
        for _, number, body in merged:
            yield number, body

    def _suffixed(
        self, connection: sqlite3.Connection, walk: Walk, prefix: bytes, low: bytes, high: bytes | None
    ) -> Iterator[tuple[bytes, int, bytes]]:
        for key, number, body in self._spanned(connection, walk, low, high):
            yield key[len(prefix) :], number, body

    def _spanned(
        self, connection: sqlite3.Connection, walk: Walk, low: bytes, high: bytes | None
    ) -> Iterator[tuple[bytes, int, bytes]]:
        way = " DESC" if walk.backwards else ""
        if walk.index is IDS:
            where, bounds = _where("id", low, high)
            statement = f"SELECT id, number, body FROM {self.documents} WHERE {where} ORDER BY id{way}"
        else:
            where, bounds = _where("k.key", low, high)
            statement = (
                f"SELECT k.key, d.number, d.body FROM {self.keys(walk.index)} k "
                f"CROSS JOIN {self.documents} d ON d.number = k.number WHERE {where} ORDER BY k.key{way}, k.number{way}"
            )
        return connection.execute(statement, bounds)

    # --- writing

    def insert(
        self,
        connection: sqlite3.Connection,
        document: Document,
        later: dict[str, list[tuple[bytes, int]]] | None = None,
    ) -> None:
        """Keep a new document. Keys that promise nothing unique may be written `later`, together with others'.

        Raises DuplicateKey, Invalid, and then nothing of it is kept."""
        body = self._checked(document)
        entries = [(index, self._keys_in(connection, document, index)) for index in self.schema.indexes]
        identity = (_id_key(document),)
        for index, keys in entries:
            if index.unique and self._keys[index.name].taken(connection, keys, 0):
                # Of two promises that it breaks the id is named: who writes a document twice asks for that.
                known = connection.execute(self._identified, identity).fetchone()
                raise DuplicateKey("_id_" if known else index.name)
        try:
            number = connection.execute(self._insert, (*identity, body)).lastrowid or 0
        except sqlite3.IntegrityError as error:
            raise DuplicateKey("_id_") from error
        for index, keys in entries:
            if index.unique or later is None:
                self._keys[index.name].put(connection, [(key, number) for key in keys])
            else:
                later.setdefault(index.name, []).extend((key, number) for key in keys)

    def insert_each(self, connection: sqlite3.Connection, documents: Iterable[Document]) -> None:
        """In order; at the first refusal what came before stays."""
        later: dict[str, list[tuple[bytes, int]]] = {}
        try:
            for document in documents:
                self.insert(connection, document, later)
        except (Conflict, Invalid):
            self._put_later(connection, later)
            raise
        self._put_later(connection, later)

    def _put_later(self, connection: sqlite3.Connection, later: Mapping[str, list[tuple[bytes, int]]]) -> None:
        """In the order of the index, whose pages are then each touched once."""
        for name, entries in later.items():
            self._keys[name].put(connection, sorted(entries))

    def change_one(
        self, connection: sqlite3.Connection, plan: Plan, change: Update, sort: list[tuple[str, int]] | None
    ) -> Document | None:
        """Change the first that fits, or make it where the change says so; answers it as it is then.

        Raises DuplicateKey, Invalid."""
        found = self.rows(connection, plan, change.filter, sort=sort, limit=1)
        if found:
            return self._rewrite(connection, found[0], change.update)
        if not change.upsert:
            return None
        made = updated(begun(change.filter), change.update, now=_now(), inserts=True)
        made = {"_id": made["_id"], **made}
        self.insert(connection, made)
        return made

    def update_many(self, connection: sqlite3.Connection, plan: Plan, change: Update) -> int:
        """Change all that fit; at a refusal those before it stay changed, as in MongoDB."""
        found = self.rows(connection, plan, change.filter)
        for row in found:
            self._rewrite(connection, row, change.update)
        return len(found)

    def delete(self, connection: sqlite3.Connection, plan: Plan, filter: Filter, limit: int) -> int:
        """Delete the first so many that fit, or all of them; answers how many."""
        found = self.rows(connection, plan, filter, limit=limit)
        for number, document in found:
            connection.execute(f"DELETE FROM {self.documents} WHERE number = ?", (number,))
            for index in self.schema.indexes:
                self._keys[index.name].take(connection, self._own_keys(document, index)[0], number)
        return len(found)

    def _rewrite(self, connection: sqlite3.Connection, row: Row, update: Mapping[str, Any]) -> Document:
        number, document = row
        before = [self._own_keys(document, index)[0] for index in self.schema.indexes]
        changed = updated(document, update, now=_now())
        body = self._checked(changed)
        moved: list[tuple[Keys, set[bytes], set[bytes]]] = []
        for index, old in zip(self.schema.indexes, before, strict=True):
            new = self._keys_in(connection, changed, index)
            if new == old:
                continue
            keys = self._keys[index.name]
            if index.unique and keys.taken(connection, new - old, number):
                raise DuplicateKey(index.name)
            moved.append((keys, old - new, new - old))
        connection.execute(self._replace, (body, number))
        for keys, gone, come in moved:
            keys.take(connection, gone, number)
            keys.put(connection, [(key, number) for key in come])
        return changed

    def _keys_in(self, connection: sqlite3.Connection, document: Document, index: Index) -> set[bytes]:
        """The keys of a document that is written; the first list that comes into an index is noted with it."""
        keys, lists = self._own_keys(document, index)
        if lists and index.name not in self.lists:
            connection.execute(
                "UPDATE pulse_indexes SET lists = 1 WHERE collection = ? AND name = ?", (self.schema.name, index.name)
            )
            self.lists |= {index.name}
        return keys

    def _own_keys(self, document: Document, index: Index) -> tuple[set[bytes], bool]:
        if index.partial is not None and index.partial not in document:
            return set(), False
        return keys_of(document, index.keys, index.name)

    def _checked(self, document: Document) -> bytes:
        if complaint := self.schema.complaint(document):
            raise Invalid(detail=f"{self.schema.name}: {complaint}")
        body = bson.encode(document)
        if len(body) > LARGEST_DOCUMENT:
            raise Invalid(detail=f"{self.schema.name}: The document is over 16 MB.")
        return body

    # --- making, checking

    def make(self, connection: sqlite3.Connection) -> None:
        """The table of the documents, if it is not there."""
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.documents} "
            "(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL)"
        )

    def make_index(self, connection: sqlite3.Connection, index: Index) -> None:
        """Fill the table of an index from the documents. Raises DuplicateKey where they break its promise."""
        connection.execute(
            f"CREATE TABLE {self.keys(index)} (key BLOB NOT NULL, number INTEGER NOT NULL, "
            "PRIMARY KEY (key, number)) WITHOUT ROWID"
        )
        rows = connection.execute(f"SELECT number, body FROM {self.documents} ORDER BY number")
        for number, body in rows:
            document = decoded(body)
            keys = self._keys_in(connection, document, index)
            self._keys[index.name].put(connection, [(key, number) for key in keys])
        if index.unique:
            twice = f"SELECT 1 FROM {self.keys(index)} GROUP BY key HAVING count(*) > 1 LIMIT 1"
            if connection.execute(twice).fetchone():
                raise DuplicateKey(index.name)

    def disagreements(self, connection: sqlite3.Connection, index: Index) -> int:
        """How many keys stand in the index without their document, or are missing from it."""
        wrong = 0
        expected = 0
        there = f"SELECT 1 FROM {self.keys(index)} WHERE key = ? AND number = ?"
        for number, body in connection.execute(f"SELECT number, body FROM {self.documents}"):
            for key in self._own_keys(decoded(body), index)[0]:
                expected += 1
                wrong += connection.execute(there, (key, number)).fetchone() is None
        held = _number(connection.execute(f"SELECT count(*) FROM {self.keys(index)}"))
        return wrong + max(0, held - (expected - wrong))


def decoded(body: bytes) -> Document:
    """A document as it was kept, its moments in UTC."""
    return bson.decode(body, _MOMENTS_WITH_ZONE)  # pyright: ignore[reportUnknownMemberType]


def _where(column: str, low: bytes, high: bytes | None) -> tuple[str, tuple[bytes, ...]]:
    if high is None:
        return f"{column} >= ?", (low,)
    return f"{column} >= ? AND {column} < ?", (low, high)


def _id_key(document: Mapping[str, Any]) -> bytes:
    (key,) = keys_of(document, IDS.keys, IDS.name)[0]
    return key


def _number(cursor: sqlite3.Cursor) -> int:
    return int(cursor.fetchone()[0])


def _now() -> datetime:
    """The engine's own clock, for `$currentDate` alone."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
