"""A server for the MongoDB driver to talk to, where no MongoDB can be had: the wire and the commands of the
subset, with the embedded engine's files behind them.

It shows that the driver is called rightly: commands, concerns, answers, error codes. It is not MongoDB and
proves nothing about one; PULSE_TEST_MONGO_URI gives the same suite a real server.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bson
from pymongo.errors import DuplicateKeyError

from pulse_dash.core.errors import Invalid
from pulse_dash.store.engine import Document
from pulse_dash.store.schema import CollectionSchema
from tests.store.litemongo_file import CollectionFile

_OP_MSG = 2013
_HELLO: Document = {
    "isWritablePrimary": True,
    "ismaster": True,
    "helloOk": True,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
}
_MAJORITY = {"w": "majority", "j": True, "wtimeout": 5000}
_COLLECTION_EXISTS = {"ok": 0.0, "code": 48, "errmsg": "Collection already exists."}


class Standin:
    """Answers on a port of its own until it is closed."""

    def __init__(self, schemas: Iterable[CollectionSchema], folder: Path) -> None:
        self._schemas = {each.name: each for each in schemas}
        self._files = {name: CollectionFile(folder / name, schema) for name, schema in self._schemas.items()}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> str:
        """The address to connect to."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"mongodb://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for file in self._files.values():
            file.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length, request, _, opcode = struct.unpack("<iiii", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                assert opcode == _OP_MSG
                answer = b"\0\0\0\0\0" + bson.encode({"ok": 1.0, **self._answer(_command(body))})
                writer.write(struct.pack("<iiii", 16 + len(answer), 0, request, _OP_MSG) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, command: Document) -> Document:
        name, target = next(iter(command.items()))
        if name in ("hello", "ismaster"):
            return _HELLO
        if name in ("ping", "endSessions", "dropDatabase"):
            return {}
        if name in ("create", "collMod"):
            return self._validator(name, self._schemas[target], command)
        if name in ("insert", "update", "delete", "findAndModify"):
            assert command["writeConcern"] == _MAJORITY, command
        if name in ("find", "aggregate"):
            assert command["readConcern"] == {"level": "majority"}, command
        try:
            return self._files[target].write(lambda collection: _ANSWERS[name](collection, command))
        except (DuplicateKeyError, Invalid) as error:
            return {"ok": 0.0, **_failure(error)}

    def _validator(self, name: str, schema: CollectionSchema, command: Document) -> Document:
        assert command["validator"] == {"$jsonSchema": schema.json_schema()}
        file = self._files[schema.name]
        if name == "create" and file.path.exists():
            return _COLLECTION_EXISTS
        file.make()
        return {}


def _each(command: Document, items: str, do: Callable[[int, Document], int]) -> Document:
    done, errors = 0, []
    for index, item in enumerate(command[items]):
        try:
            done += do(index, item)
        except (DuplicateKeyError, Invalid) as error:
            errors.append({"index": index, **_failure(error)})
            if command.get("ordered", True):
                break
    return {"n": done, **({"writeErrors": errors} if errors else {})}


def _insert(collection: Any, command: Document) -> Document:
    return _each(command, "documents", lambda _, each: len([collection.insert_one(each)]))


def _update(collection: Any, command: Document) -> Document:
    upserted: list[Document] = []

    def update(index: int, each: Document) -> int:
        make = collection.update_many if each.get("multi") else collection.update_one
        made = make(each["q"], each["u"], upsert=each.get("upsert", False))
        if made.upserted_id is None:
            return made.matched_count
        upserted.append({"index": index, "_id": made.upserted_id})
        return 1

    answer = _each(command, "updates", update)
    return {**answer, "nModified": answer["n"], **({"upserted": upserted} if upserted else {})}


def _delete(collection: Any, command: Document) -> Document:
    def delete(_: int, each: Document) -> int:
        make = collection.delete_one if each["limit"] else collection.delete_many
        return make(each["q"]).deleted_count

    return _each(command, "deletes", delete)


def _find(collection: Any, command: Document) -> Document:
    window = (command.get("skip", 0), command.get("limit", 0))
    found = collection.find(command["filter"], command.get("projection"), *window, sort=_sort(command))
    return {"cursor": {"id": 0, "ns": "pulse.x", "firstBatch": list(found)}}


def _count(collection: Any, command: Document) -> Document:
    match, group = command["pipeline"]
    assert group == {"$group": {"_id": 1, "n": {"$sum": 1}}}
    number = collection.count_documents(match["$match"])
    return {"cursor": {"id": 0, "ns": "pulse.x", "firstBatch": [{"_id": 1, "n": number}] if number else []}}


def _find_and_modify(collection: Any, command: Document) -> Document:
    assert command["new"] is True
    chosen = collection.find_one(command["query"], {"_id": 1}, sort=_sort(command))
    if chosen is None and not command.get("upsert"):
        return {"value": None}
    query = chosen or command["query"]
    collection.update_one(query, command["update"], upsert=True)
    return {"value": collection.find_one({"_id": query["_id"]}, command.get("fields"))}


def _create_indexes(collection: Any, command: Document) -> Document:
    for index in command["indexes"]:
        options = {name: value for name, value in index.items() if name != "key"}
        collection.create_index(list(index["key"].items()), **options)
    return {}


_ANSWERS: dict[str, Callable[[Any, Document], Document]] = {
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "find": _find,
    "aggregate": _count,
    "findAndModify": _find_and_modify,
    "createIndexes": _create_indexes,
}


def _sort(command: Document) -> list[tuple[str, int]] | None:
    return list(command["sort"].items()) if "sort" in command else None


def _command(body: bytes) -> Document:
    """The one document of an OP_MSG, with the lists that came in sections of their own."""
    at, command, lists = 4, {}, {}
    while at < len(body):
        kind = body[at]
        (size,) = struct.unpack_from("<i", body, at + 1)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            command = bson.decode(section)
        else:
            name, _, documents = section[4:].partition(b"\0")
            lists[name.decode()] = bson.decode_all(documents)
        at += 1 + size
    return {**command, **lists}


def _failure(error: Exception) -> Document:
    """MongoDB's code and words for a refusal."""
    if isinstance(error, Invalid):
        return {"code": 10334 if "16 MB" in error.detail else 121, "errmsg": "Document failed validation"}
    message = str(error) if "index:" in str(error) else "E11000 duplicate key error collection: x index: _id_ dup key"
    return {"code": 11000, "errmsg": message}
