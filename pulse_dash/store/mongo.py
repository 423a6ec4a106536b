"""The engine for a MongoDB server or cluster: pymongo's async client with the settings that keep writes.

It knows the connection, indexes and validators; the language it may be asked is subset's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, IndexModel, ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, OperationFailure

from pulse_dash.core.errors import Unavailable
from pulse_dash.store import subset
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.engine import Document, Filter, Projection, Sort, Update, translated
from pulse_dash.store.schema import CollectionSchema

Answer = TypeVar("Answer")

# What a URI says of these is overruled: with lesser ones Jepsen saw acknowledged writes lost and reads of
# writes that were rolled back, and revocation and uniqueness hang on both.
CONCERNS: Mapping[str, Any] = {
    "w": "majority",
    "journal": True,
    "wtimeoutMS": 5_000,
    "readConcernLevel": "majority",
    "readPreference": "primary",
    "retryWrites": True,
    "retryReads": True,
    "tz_aware": True,
}
POOL_SIZE = 100
TIMEOUT_SECONDS = 10
_LONGEST_LOOK_MS = 2_000
_NAMESPACE_EXISTS = 48
_INDEX_CONFLICTS = frozenset({85, 86})
_AS_STORED: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class MongoEngine:
    """One database of one deployment."""

    name: Literal["mongodb"] = "mongodb"

    def __init__(
        self, client: AsyncMongoClient[Document], database: str, where: str, schemas: Iterable[CollectionSchema]
    ) -> None:
        self.where = where
        self._client = client
        self._database: AsyncDatabase[Document] = client[database]
        self._schemas = {each.name: each for each in schemas}

    @classmethod
    async def open(
        cls,
        uri: str,
        database: str,
        schemas: Iterable[CollectionSchema] = COLLECTIONS,
        *,
        pool_size: int = POOL_SIZE,
        timeout_seconds: int = TIMEOUT_SECONDS,
    ) -> MongoEngine:
        """The engine, whether the server answers or not: it is looked for at every call."""
        limits = {**_timeouts(timeout_seconds), "maxPoolSize": pool_size}
        try:
            client: AsyncMongoClient[Document] = AsyncMongoClient(uri, appname="pulse", **limits, **CONCERNS)
        except (InvalidURI, ConfigurationError, ValueError) as error:
            # The driver's words may hold the password of the URI.
            raise Unavailable("store", "MONGO_URI is not an address of a MongoDB that the driver takes.") from error
        return cls(client, database, f"{_hosts(uri)}/{database}", schemas)

    def collection(self, name: str) -> MongoCollection:
        return MongoCollection(self._database[self._schemas[name].name], name)

    async def ping(self) -> None:
        async with translated("asking the database for its primary"):
            await self._database.command("ping")

    async def prepare(self) -> None:
        async with translated("preparing the collections"):
            for schema in self._schemas.values():
                await self._prepare(schema)

    async def close(self) -> None:
        await self._client.close()

    async def _prepare(self, schema: CollectionSchema) -> None:
        validator = {"$jsonSchema": schema.json_schema()}
        try:
            await self._database.create_collection(schema.name, validator=validator, check_exists=False)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise
            await self._database.command("collMod", schema.name, validator=validator, validationLevel="strict")
        models: list[IndexModel] = []
        for index in schema.indexes:
            options: dict[str, Any] = {"name": index.name, "unique": index.unique}
            if index.partial_filter is not None:
                options["partialFilterExpression"] = index.partial_filter
            models.append(IndexModel(list(index.keys), **options))
        if not models:
            return
        try:
            await self._database[schema.name].create_indexes(models)
        except OperationFailure as error:
            if error.code in _INDEX_CONFLICTS:
                # Dropping a unique index for a moment would break its promise: a person does that.
                raise Unavailable(
                    "store",
                    f"An index of {schema.name} in {self.where} differs from what this Pulse declares. "
                    "Drop it by hand and start again.",
                ) from error
            raise


def _timeouts(seconds: int) -> dict[str, int]:
    """What a request waits for at most before it is 503; the driver looks for the server again by itself."""
    longest = seconds * 1_000
    look = min(longest, _LONGEST_LOOK_MS)
    return {
        "serverSelectionTimeoutMS": look,
        "connectTimeoutMS": look,
        "waitQueueTimeoutMS": look,
        "socketTimeoutMS": longest,
    }


class MongoCollection:
    """One collection, as engine.Collection promises it."""

    def __init__(self, collection: AsyncCollection[Document], name: str) -> None:
        self._collection = collection
        self._bodies = collection.with_options(codec_options=_AS_STORED)
        self._reading = f"reading {name}"
        self._writing = f"writing {name}"

    async def insert_one(self, document: Document) -> None:
        kept = subset.checked_document(document)
        async with translated(self._writing):
            await self._collection.insert_one(kept)

    async def insert_many(self, documents: list[Document]) -> None:
        kept = [subset.checked_document(document) for document in documents]
        if kept:
            async with translated(self._writing):
                await self._collection.insert_many(kept)

    async def find_one(
        self, filter: Filter, *, projection: Projection | None = None, sort: Sort | None = None
    ) -> Document | None:
        asked = subset.checked_filter(filter)
        fields = subset.checked_projection(projection)
        order = subset.checked_sort(sort)
        async with translated(self._reading):
            return await self._collection.find_one(asked, fields, sort=order)

    async def find(
        self,
        filter: Filter,
        *,
        projection: Projection | None = None,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[Document]:
        asked = subset.checked_filter(filter)
        fields = subset.checked_projection(projection)
        order = subset.checked_sort(sort)
        first, most = subset.checked_window(skip, limit)
        async with translated(self._reading):
            cursor = self._collection.find(asked, fields, skip=first, limit=most, sort=order)
            return await cursor.to_list()

    async def find_bodies(self, filter: Filter, *, sort: Sort, limit: int) -> list[bytes]:
        asked = subset.checked_filter(filter)
        order = subset.checked_sort(sort)
        _, most = subset.checked_window(0, limit)
        async with translated(self._reading):
            found = await self._bodies.find(asked, limit=most, sort=order).to_list()
        return [bytes(each.raw) for each in found]

    async def count_documents(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        async with translated(self._reading):
            return await self._collection.count_documents(asked)

    async def update_one(self, filter: Filter, update: Mapping[str, Any], *, upsert: bool = False) -> int:
        change = subset.checked_change(Update(filter, update, upsert))

        async def make() -> int:
            made = await self._collection.update_one(change.filter, change.update, upsert=upsert)
            return 1 if made.upserted_id is not None else made.matched_count

        async with translated(self._writing):
            return await _once_more(make, upsert)

    async def update_many(self, filter: Filter, update: Mapping[str, Any]) -> int:
        change = subset.checked_change(Update(filter, update))
        async with translated(self._writing):
            return (await self._collection.update_many(change.filter, change.update)).matched_count

    async def find_one_and_update(
        self,
        filter: Filter,
        update: Mapping[str, Any],
        *,
        sort: Sort | None = None,
        upsert: bool = False,
        projection: Projection | None = None,
    ) -> Document | None:
        change = subset.checked_change(Update(filter, update, upsert))
        order = subset.checked_sort(sort)
        fields = subset.checked_projection(projection)

        async def make() -> Document | None:
            return await self._collection.find_one_and_update(
                change.filter,
                change.update,
                projection=fields,
                sort=order,
                upsert=upsert,
                return_document=ReturnDocument.AFTER,
            )

        async with translated(self._writing):
            return await _once_more(make, upsert)

    async def delete_one(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        async with translated(self._writing):
            return (await self._collection.delete_one(asked)).deleted_count

    async def delete_many(self, filter: Filter) -> int:
        asked = subset.checked_filter(filter)
        async with translated(self._writing):
            return (await self._collection.delete_many(asked)).deleted_count

    async def bulk_write(self, updates: list[Update]) -> None:
        changes = [subset.checked_change(each) for each in updates]
        if changes:
            requests = [UpdateOne(each.filter, each.update, upsert=each.upsert) for each in changes]
            async with translated(self._writing):
                await self._collection.bulk_write(requests, ordered=False)


async def _once_more(make: Callable[[], Awaitable[Answer]], upsert: bool) -> Answer:
    """Two upserts that find nothing both insert, and one meets the other's document: it asks again."""
    try:
        return await make()
    except DuplicateKeyError:
        if not upsert:
            raise
    return await make()


def _hosts(uri: str) -> str:
    """The servers of a URI, without user, password and options."""
    return uri.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
