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
        try:
            await schedule.flush_tallies(services)
        except Unavailable:
            log.warning("tallies.lost")
        try:
            await schedule.keep_refused_sign_ins(services)
        except Unavailable:
            log.warning("refused_sign_ins.lost")
        await services.close()
        log.info("node.stopped")
