"""Every job of the house, its interval and whether one node does it for all. Each job is one call into core or store.

Each may run twice and resumes from what is stored; a sick job is logged and does not stop the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]

from pulse_dash.core import (
    audit_anchors,
    audit_checkpoints,
    audit_retention,
    checks,
    erasure,
    idempotency,
    mails,
    maintenance,
    projects,
    refused_sign_ins,
    sessions,
    status,
    status_deliveries,
    status_notices,
    status_subscriptions,
    webhook_deliveries,
)
from pulse_dash.core.errors import PulseError
from pulse_dash.core.feed import KEPT
from pulse_dash.core.uptime import DAYS
from pulse_dash.services import Services

log = structlog.get_logger(__name__)

_STOP_SECONDS = 2.0
_BREATH_SECONDS = 0.25
_EVENTS_KEPT = timedelta(days=90)
_CHECKS_LEASE = timedelta(seconds=3 * checks.EVERY)
_SWEEP_EVERY = timedelta(seconds=60)
# Jobs that a word on the bus begins before their time.
_BEGUN_BY = {"livekit:": ("look_at_livekit", "hold_accountable"), "webhook_deliveries:": ("deliver_webhooks",)}


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
        Job("look_at_own_livekits", 10.0, lambda: services.live.look_at_own(services.system("look at own LiveKits"))),
        Job("hold_accountable", 3.0, lambda: _hold_accountable(services)),
        Job("settle_outbox", 1.0, lambda: _settle_what_is_owed(services)),
        Job("sweep_outbox", _SWEEP_EVERY.total_seconds(), services.parts.store.drain, lease=_SWEEP_EVERY),
        Job("hand_mails_over", 2.0, lambda: mails.hand_over(services.system("hand mails over"))),
        Job("turn_windows", 2.0, lambda: maintenance.turn(services.system("begin and end maintenance"))),
        Job("tell_subscribers", 2.0, lambda: status_notices.spread(services.system("tell subscribers of incidents"))),
        Job("call_webhooks", 2.0, lambda: status_deliveries.deliver(services.system("call webhooks of the status"))),
        Job("deliver_webhooks", 1.0, lambda: services.webhooks.begin(services.system("tell projects' webhooks"))),
        Job("check_components", checks.EVERY, lambda: status.check(services.system("check what Pulse stands on"))),
        Job("keep_checks", checks.EVERY, lambda: _keep_checks(services)),
        Job("keep_refused_sign_ins", 0.5, lambda: keep_refused_sign_ins(services)),
        Job("close_refusals", 15.0, lambda: _close_refusals(services), lease=timedelta(seconds=10)),
        Job("keep_checkpoints", 60.0, lambda: _keep_checkpoints(services), lease=timedelta(seconds=50)),
        Job("mail_checkpoints", 600.0, lambda: _mail_checkpoints(services), lease=timedelta(minutes=9)),
        Job("send_checkpoints", 15.0, lambda: _send_checkpoints(services), lease=timedelta(minutes=3)),
        Job("finish_erasures", 60.0, lambda: _finish_erasures(services), lease=timedelta(seconds=50)),
        Job("trim_audit_log", 3600.0, lambda: _trim_audit_log(services), lease=timedelta(minutes=50)),
        Job("forget_answers", 60.0, lambda: _forget_answers(services), lease=timedelta(seconds=30)),
        Job("forget", 600.0, lambda: _forget(services), lease=timedelta(minutes=5)),
    ]


class Schedule:
    """The jobs of a running node, from `start` to `stop`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._running: set[asyncio.Task[Any]] = set()
        # The jobs that run now, and those of them for which another word came meanwhile.
        self._under_way: set[str] = set()
        self._wanted: set[str] = set()
        self._end_listening: Callable[[], None] | None = None

    def start(self) -> None:
        """Start all jobs in the running loop."""
        for job in jobs(self._services):
            self._scheduler.add_job(  # pyright: ignore[reportUnknownMemberType] - APScheduler 3 has no types
                self._guarded(job),
                "interval",
                seconds=job.every,
                id=job.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                next_run_time=self._services.parts.clock.now(),
            )
        self._scheduler.start()
        self._end_listening = self._services.parts.bus.listen(self._begin_at_once())

    async def stop(self) -> None:
        """Begin no more jobs and let those under way end: a flush that is cut in two would be counted twice."""
        if self._end_listening is not None:
            self._end_listening()
        self._wanted.clear()
        self._scheduler.pause()
        # What was handed to the loop already begins now, and is then among the running.
        await asyncio.sleep(0)
        if self._running:
            await asyncio.wait(self._running, timeout=_STOP_SECONDS)
        self._scheduler.shutdown(wait=False)

    def _guarded(self, job: Job) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            self._under_way.add(job.name)
            try:
                await self._run(job)
                while job.name in self._wanted:
                    # What came during the run may be newer than what it saw; a flood of words is four runs a second.
                    await asyncio.sleep(_BREATH_SECONDS)
                    self._wanted.discard(job.name)
                    await self._run(job)
            except asyncio.CancelledError:
                # The node stops and this job took too long; its next run resumes. APScheduler would log a fault.
                log.warning("job.cut_short", job=job.name)
            finally:
                self._under_way.discard(job.name)
                self._wanted.discard(job.name)

        return run

    async def _run(self, job: Job) -> None:
        store, node = self._services.parts.store, self._services.node
        try:
            if job.lease is None or await store.lease(job.name, node, job.lease):
                await job.run()
        except PulseError as error:
            log.warning("job.failed", job=job.name, code=error.code, detail=error.detail)

    def _begin_at_once(self) -> Callable[[str], None]:
        """An event of LiveKit's says only that something happened, so LiveKit is asked at once what is running now; and
        what a webhook is to be told leaves at once."""
        scheduler = cast("Any", self._scheduler)
        begun_by: dict[str, list[Any]] = {
            subject: [scheduler.get_job(name) for name in names] for subject, names in _BEGUN_BY.items()
        }

        def heard(subject: str) -> None:
            for job in begun_by.get(subject, ()):
                if job.id in self._under_way:
                    self._wanted.add(job.id)
                else:
                    job.modify(next_run_time=self._services.parts.clock.now())

        return heard


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


async def keep_refused_sign_ins(services: Services) -> None:
    """Write which accounts a wrong password was given for."""
    await refused_sign_ins.write(services.system("keep wrong passwords"))


async def _hold_accountable(services: Services) -> None:
    await services.accountability.look(services.system("hold participants accountable"), services.live.rooms)


async def _settle_what_is_owed(services: Services) -> None:
    if services.parts.store.owes:
        await services.parts.store.drain()


async def _keep_checks(services: Services) -> None:
    """Each node reads; one writes, for two nodes' seconds of one day are the same seconds."""
    writes = await services.parts.store.lease("keep_checks", services.node, _CHECKS_LEASE)
    await status.keep(services.system("keep what checks found"), writes=writes)


async def _keep_checkpoints(services: Services) -> None:
    await audit_checkpoints.keep(services.system("keep checkpoints of the audit log"))


async def _mail_checkpoints(services: Services) -> None:
    await audit_checkpoints.mail(services.system("mail checkpoints of the audit log"))


async def _send_checkpoints(services: Services) -> None:
    await audit_anchors.send(services.system("send checkpoints of the audit log"))


async def _finish_erasures(services: Services) -> None:
    await erasure.finish(services.system("finish erasing people"))


async def _trim_audit_log(services: Services) -> None:
    await audit_retention.trim(services.system("trim the audit log"))


async def _close_refusals(services: Services) -> None:
    await services.system("close refusals").store.refusals.close(services.parts.clock.now())


async def _forget_answers(services: Services) -> None:
    await idempotency.forget(services.system("forget kept answers"))


async def _forget(services: Services) -> None:
    now = services.parts.clock.now()
    await services.parts.store.forget_changes(now - KEPT)
    await services.system("forget old checks").store.checks.forget(now - timedelta(days=DAYS + 1))
    await mails.forget(services.system("forget old mails"))
    await status_deliveries.forget(services.system("forget what webhooks of the status were sent"))
    await webhook_deliveries.forget(services.system("forget what projects' webhooks were told"))
    await status_subscriptions.forget(services.system("forget subscriptions that nobody confirmed"))
    await projects.let_go(services.system("let projects go that nobody can restore"))
    await sessions.forget(services.system("forget sign-ins that are over"))
    await services.system("forget refusals that were told").store.refusals.forget(now - timedelta(hours=1))
    await services.system("forget exports that were told").store.audit_exports.forget(now - timedelta(hours=1))
    await services.system("forget old events").store.media_events.forget(now - _EVENTS_KEPT)
    await services.system("forget what denies nothing any more").store.revocations.forget(now)
