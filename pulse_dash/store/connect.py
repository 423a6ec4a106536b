"""The one factory of the store: which engine it is, is decided here and known nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pulse_dash.store import mongo
from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.data_folder import refused
from pulse_dash.store.embedded import EmbeddedEngine, copying
from pulse_dash.store.embedded.looking import LookingEngine
from pulse_dash.store.engine import Engine
from pulse_dash.store.mongo import MongoEngine

_MONGODUMP = "This store is a MongoDB. Use its own tools, with the same MONGO_URI: "


async def connect(
    *,
    mongo_uri: str | None,
    database: str,
    data_dir: Path,
    pool_size: int = mongo.POOL_SIZE,
    timeout_seconds: int = mongo.TIMEOUT_SECONDS,
) -> Engine:
    """Open the store. Raises Unavailable with a sentence for the one who starts Pulse."""
    if mongo_uri:
        return await MongoEngine.open(mongo_uri, database, pool_size=pool_size, timeout_seconds=timeout_seconds)
    return await EmbeddedEngine.open(data_dir, database)


async def look(*, mongo_uri: str | None, database: str, data_dir: Path, timeout_seconds: int) -> Engine:
    """Open the store to read it beside the process that has it open already. Raises Unavailable."""
    if mongo_uri:
        return await MongoEngine.open(mongo_uri, database, pool_size=1, timeout_seconds=timeout_seconds)
    engine = LookingEngine(data_dir / database)
    await engine.ping()
    return engine


def back_up(*, mongo_uri: str | None, database: str, data_dir: Path, target: Path) -> int:
    """Copy the store into a new file while Pulse runs; answers its bytes. Raises Unavailable with the sentence."""
    if mongo_uri:
        raise refused(f'{_MONGODUMP}mongodump --uri="$MONGO_URI" --db={database} --archive={target} --oplog')
    return copying.back_up(data_dir / database, target)


def restore(*, mongo_uri: str | None, database: str, data_dir: Path, source: Path) -> Path | None:
    """Put a copy in the store's place while Pulse is stopped; answers where the one before lies now.

    Raises Unavailable with the sentence."""
    if mongo_uri:
        raise refused(
            f'{_MONGODUMP}mongorestore --uri="$MONGO_URI" --nsInclude="{database}.*" --archive={source} --drop'
        )
    return copying.restore(data_dir, database, source, COLLECTIONS)


async def check(
    *, mongo_uri: str | None, database: str, data_dir: Path, rebuild: bool, note: Callable[[str], None]
) -> bool:
    """Whether file, documents and indexes agree; each disagreement is noted as a sentence, `rebuild` mends the indexes.

    Raises Unavailable where the store cannot be opened, as while Pulse runs."""
    if mongo_uri:
        raise refused("This store is a MongoDB, which keeps its indexes itself; its own command is `validate`.")
    engine = await EmbeddedEngine.open(data_dir, database)
    try:
        await engine.prepare()
        found = await engine.check(rebuild=rebuild)
        for sentence in found:
            note(sentence)
        return not (await engine.check() if found and rebuild else found)
    finally:
        await engine.close()
