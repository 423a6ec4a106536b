"""The life of one node: store, indexes, parts, jobs, and back in the other order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from pulse_dash.core.errors import Unavailable
from pulse_dash.jobs import schedule
from pulse_dash.services import Services, open_services
from pulse_dash.settings import Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """A node that serves; what was counted is written before it closes."""
    services = await open_services(settings, serves=True)
    try:
        # Whatever a crash left unsettled is settled before the first request.
        await services.parts.store.drain()
        await services.feed.read()
        jobs = schedule.Schedule(services)
        jobs.start()
        log.info("node.started", store=services.engine.name, where=services.engine.where)
        try:
            yield services
        finally:
            await jobs.stop()
            await _write_what_is_gathered(services)
    finally:
        await services.close()
        log.info("node.stopped")


async def _write_what_is_gathered(services: Services) -> None:
    for what, write in (("tallies", schedule.flush_tallies), ("refused_sign_ins", schedule.keep_refused_sign_ins)):
        try:
            await write(services)
        except Unavailable:
            log.warning("gathered.lost", what=what)
