"""One contract, every engine it is given: `engine` is each of them in turn, with the collections below."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from pulse_dash.store.catalog import BY_NAME
from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import Collection, Engine
from pulse_dash.store.mongo import TIMEOUT_SECONDS, MongoEngine
from pulse_dash.store.schema import CollectionSchema
from tests.store.standin import Standin
from tests.store.things import THINGS

MONGO_URI = os.environ.get("PULSE_TEST_MONGO_URI")
SCHEMAS = (
    THINGS,
    *(BY_NAME[name] for name in ("leases", "meta", "users")),
    *(BY_NAME[f"audit_{name}"] for name in ("log", "heads", "checkpoints", "people", "anchors")),
)


@pytest.fixture(params=["embedded", "standin", *(["mongodb"] if MONGO_URI else [])])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """An empty store of each kind: the embedded one, the MongoDB driver before a stand-in of its server,
    and before a real one when PULSE_TEST_MONGO_URI names it."""
    if request.param == "embedded":
        embedded = await EmbeddedEngine.open(tmp_path / "data", "pulse", SCHEMAS)
        await embedded.prepare()
        yield embedded
        await embedded.close()
    elif request.param == "standin":
        # It answers on the thread of the tests, one after the other: on a busy machine fifty callers wait for long.
        request.getfixturevalue("monkeypatch").setattr("pulse_dash.store.mongo._LONGEST_LOOK_MS", 120_000)
        async with Standin(SCHEMAS, tmp_path) as uri, on_mongodb(uri, timeout_seconds=120) as mongo:
            yield mongo
    else:
        assert MONGO_URI is not None
        async with on_mongodb(MONGO_URI) as mongo:
            yield mongo


@asynccontextmanager
async def on_mongodb(
    uri: str, schemas: tuple[CollectionSchema, ...] = SCHEMAS, *, timeout_seconds: int = TIMEOUT_SECONDS
) -> AsyncIterator[MongoEngine]:
    """A database of its own, dropped at the end."""
    mongo = await MongoEngine.open(uri, f"pulse_test_{uuid4().hex[:12]}", schemas, timeout_seconds=timeout_seconds)
    try:
        await mongo.prepare()
        yield mongo
        await mongo._client.drop_database(mongo._database.name)
    finally:
        await mongo.close()


@pytest.fixture
def things(engine: Engine) -> Collection:
    return engine.collection("things")
