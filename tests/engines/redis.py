"""A real Redis for the tests, empty and with nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.engines import redis as redis_binary
from tests.engines.process import free_port, listens, running


@dataclass(frozen=True)
class Redis:
    """Where it is."""

    port: int

    @property
    def url(self) -> str:
        """As REDIS_URL wants it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def address(self) -> str:
        """As LiveKit's configuration wants it."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def redis_running(folder: Path) -> Iterator[Redis]:
    """A server on a free port; raises deploy.engines.Missing when there is no binary."""
    port = free_port()
    command = [str(redis_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, ready=lambda: listens(port), log=folder / "redis.log"):
        yield Redis(port)
