"""The MongoDB engine without a server: it says so, quickly, without its password, and asks for safe writes."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.store.connect import connect
from pulse_dash.store.mongo import MongoEngine

# pymongo 4.20 leaves a socket open when it is closed while it looks for its server.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"
    # What the driver left is collected here, where its warning is expected.
    gc.collect()


async def test_a_server_that_is_away_is_unavailable_within_seconds(nobody: str, tmp_path: Path) -> None:
    engine = await connect(
        mongo_uri=f"mongodb://pulse:hunter2@{nobody}/?authSource=admin", database="pulse", data_dir=tmp_path
    )
    begun = time.monotonic()

    with pytest.raises(Unavailable) as away:
        await engine.collection("users").find_one({"_id": "usr_1"})

    assert time.monotonic() - begun < 4
    assert engine.name == "mongodb"
    assert engine.where == f"{nobody}/pulse"
    assert "hunter2" not in away.value.detail
    await engine.close()


@pytest.mark.parametrize("uri", ["mongodb://", "postgres://localhost", "mongodb://a:hunter2@b@c", "mongodb://h/?w=x&w"])
async def test_an_address_that_is_none_is_refused_without_repeating_it(uri: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        await connect(mongo_uri=uri, database="pulse", data_dir=tmp_path)

    assert "MONGO_URI" in refused.value.detail
    assert "hunter2" not in refused.value.detail


async def test_writes_wait_for_the_majority_whatever_the_address_says(nobody: str) -> None:
    engine = await MongoEngine.open(f"mongodb://{nobody}/?w=1&journal=false&retryWrites=false", "pulse")
    client = engine._client

    assert client.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    assert client.read_concern.level == "majority"
    assert client.options.retry_writes
    assert client.codec_options.tz_aware
    await engine.close()
