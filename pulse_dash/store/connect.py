"""The one factory of the store: which engine it is, is decided here and known nowhere else."""

from __future__ import annotations

from pathlib import Path

from pulse_dash.store.embedded import EmbeddedEngine
from pulse_dash.store.engine import Engine
from pulse_dash.store.mongo import MongoEngine


async def connect(*, mongo_uri: str | None, database: str, data_dir: Path) -> Engine:
    """Open the store. Raises Unavailable with a sentence for the one who starts Pulse."""
    if mongo_uri:
        return await MongoEngine.open(mongo_uri, database)
    return await EmbeddedEngine.open(data_dir, database)
