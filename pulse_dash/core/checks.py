"""What is checked of this installation, and how one check is run: with a timeout of its own, in nobody's request.

What is remembered of the results is the board's, what people are told status's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import PulseError

log = structlog.get_logger(__name__)

Status = Literal["operational", "degraded", "down", "unknown"]
EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check that looks at more than its own duration found; `seconds` is None where nothing was measured."""

    status: Status
    seconds: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One part that is checked. `ask` raises where it fails; None stands for a part that nobody configured.

    `needs` is the part without which this one can't work: what fails with it has its cause there."""

    name: str
    title: str
    ask: Callable[[], Awaitable[Seen | None]] | None
    timeout: float = 5.0
    slow: float = 1.0
    needs: str = ""

    @property
    def cause(self) -> str:
        """Whose incident it is when this one fails."""
        return self.needs or self.name


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found; `latency_ms` is None where nothing answered."""

    name: str
    status: Status
    latency_ms: float | None
    checked_at: datetime
    detail: str = ""


async def run(component: Component, clock: Clock) -> Result:
    """Check once. It answers within the timeout, also where what was asked never does."""

    def found(status: Status, seconds: float | None, detail: str = "") -> Result:
        latency = None if seconds is None else round(seconds * 1000, 1)
        return Result(component.name, status, latency, clock.now(), detail)

    if component.ask is None:
        return found("unknown", None, "It is not configured.")
    began = clock.monotonic()
    task = asyncio.ensure_future(component.ask())
    # What is given up may still fail later; nobody waits for that, and it is read so that nobody is told.
    task.add_done_callback(_read)
    try:
        await asyncio.wait({task}, timeout=component.timeout)
    finally:
        if not task.done():
            task.cancel()
    if not task.done() or task.cancelled():
        return found("down", None, f"No answer within {component.timeout:g} seconds.")
    error, seconds = task.exception(), clock.monotonic() - began
    if isinstance(error, PulseError):
        return found("down", None, error.detail)
    if error is not None:
        log.error("check.crashed", component=component.name, error=type(error).__name__)
        return found("down", None, "The check itself failed; the log says how.")
    seen = task.result()
    if seen is not None:
        return found(seen.status, seen.seconds, seen.detail)
    if seconds > component.slow:
        return found("degraded", seconds, f"It answered, but took longer than {component.slow:g} seconds.")
    return found("operational", seconds)


def _read(task: asyncio.Future[Seen | None]) -> None:
    if not task.cancelled():
        task.exception()
