"""Every job of the house, its interval and whether one node does it for all. Each job is one call into core or store.

Each may run twice and resumes from what is stored; a sick job is logged and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]

from pulse_dash.core import idempotency
from pulse_dash.core.errors import PulseError
from pulse_dash.core.feed import KEPT
from pulse_dash.services import Services

log = structlog.get_logger(__name__)

_EVENTS_KEPT = timedelta(days=90)
_SWEEP_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Job:
    """One thing that is done again and again; with a lease, by one node at a time."""

    name: str
    every: float
    run: Callable[[], Awaitable[object]]
    lease: timedelta | None = None


def jobs(services: Services) -> list[Job]:
    """The list. Intervals are in seconds."""
    return [
        Job("read_feed", 0.5, services.feed.read),
        Job("flush_tallies", 1.0, lambda: flush_tallies(services)),
        Job("look_at_livekit", 3.0, lambda: services.live.look(services.system("look at LiveKit"))),
        Job("hold_accountable", 3.0, lambda: _hold_accountable(services)),
        Job("settle_outbox", 1.0, lambda: _settle_what_is_owed(services)),
        Job("sweep_outbox", _SWEEP_EVERY.total_seconds(), services.parts.store.drain, lease=_SWEEP_EVERY),
        Job("forget_answers", 60.0, lambda: _forget_answers(services), lease=timedelta(seconds=30)),
        Job("forget", 600.0, lambda: _forget(services), lease=timedelta(minutes=5)),
    ]


def _looking_when_livekit_speaks(services: Services, scheduler: AsyncIOScheduler) -> None:
    """An event says only that something happened, so LiveKit is asked at once what is running now."""

    looks: list[Any] = [cast("Any", scheduler).get_job(name) for name in ("look_at_livekit", "hold_accountable")]

    def heard(subject: str) -> None:
        if subject == "livekit:":
            for look in looks:
                look.modify(next_run_time=services.parts.clock.now())

    services.parts.bus.listen(heard)


def start(services: Services) -> AsyncIOScheduler:
    """Start all jobs in the running loop."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for job in jobs(services):
        scheduler.add_job(  # pyright: ignore[reportUnknownMemberType] - APScheduler 3 has no types
            _guarded(services, job),
            "interval",
            seconds=job.every,
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=services.parts.clock.now(),
        )
    scheduler.start()
    _looking_when_livekit_speaks(services, scheduler)
    return scheduler


def _guarded(services: Services, job: Job) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        try:
            if job.lease is None or await services.parts.store.lease(job.name, services.node, job.lease):
                await job.run()
        except PulseError as error:
            log.warning("job.failed", job=job.name, code=error.code, detail=error.detail)

    return run


async def flush_tallies(services: Services) -> None:
    """Write what was counted, and tell open pages whose figures moved."""
    parts = services.parts
    flushed = await parts.tallying.flush(services.system("flush tallies").store)
    for project_id in flushed.first_tokens:
        parts.bus.say(f"projects:{project_id}")
    for project_id in flushed.counted:
        parts.bus.say(f"tallies:{project_id}")
    for key_id in flushed.keys_used:
        # Not "keys:": being used changes nothing that any node has to forget.
        parts.bus.say(f"used:{key_id}")


async def _hold_accountable(services: Services) -> None:
    await services.accountability.look(services.system("hold participants accountable"), services.live.rooms)


async def _settle_what_is_owed(services: Services) -> None:
    if services.parts.store.owes:
        await services.parts.store.drain()


async def _forget_answers(services: Services) -> None:
    await idempotency.forget(services.system("forget kept answers"))


async def _forget(services: Services) -> None:
    now = services.parts.clock.now()
    await services.parts.store.forget_changes(now - KEPT)
    await services.system("forget old events").store.media_events.forget(now - _EVENTS_KEPT)
    await services.system("forget what denies nothing any more").store.revocations.forget(now)
