"""Doubles that stand beside the real thing: a clock that moves when told, and a store that can be taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pulse_dash.core.clock import milliseconds
from pulse_dash.core.errors import Unavailable
from pulse_dash.store.engine import Engine


class MovableClock:
    """Stands at the real start of the test until it is moved."""

    def __init__(self) -> None:
        self._now = milliseconds(datetime.now(UTC))

    def now(self) -> datetime:
        return self._now

    def time(self) -> float:
        return self._now.timestamp()

    def monotonic(self) -> float:
        return self._now.timestamp()

    def move(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += timedelta(seconds=seconds)


class BreakableEngine:
    """A real engine whose every operation fails as a lost database does, while `gone` is set."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.gone = False
        self.operations = 0

    @property
    def name(self) -> Any:
        return self._engine.name

    @property
    def where(self) -> str:
        return self._engine.where

    def collection(self, name: str) -> Any:
        return _BreakableCollection(self, self._engine.collection(name))

    async def ping(self) -> None:
        self.fail_if_gone()
        await self._engine.ping()

    async def prepare(self) -> None:
        await self._engine.prepare()

    async def close(self) -> None:
        await self._engine.close()

    def fail_if_gone(self) -> None:
        self.operations += 1
        if self.gone:
            raise Unavailable("database")


class _BreakableCollection:
    def __init__(self, engine: BreakableEngine, collection: Any) -> None:
        self._engine = engine
        self._collection = collection

    def __getattr__(self, method: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._engine.fail_if_gone()
            return await getattr(self._collection, method)(*args, **kwargs)

        return call
