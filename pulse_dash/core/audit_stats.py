"""The audit log in numbers: per day, action and actor, and how much of it was done and not refused.

Every figure is counted in the index, so no entry is read for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pulse_dash.core import members
from pulse_dash.core.access import Permission, requires
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.audit import DAY, Filters, day_of, listing
from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.work import Work
from pulse_dash.store.audit_log import Wanted

USUAL: Final = timedelta(days=30)
MOST: Final = timedelta(days=366)
_LOOKED_AT: Final = 100
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Count:
    """How often, and how often refused."""

    total: int
    failures: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day, in UTC."""

    day: date
    count: Count


@dataclass(frozen=True, slots=True)
class ActionCount:
    """One action."""

    action: str
    count: Count


@dataclass(frozen=True, slots=True)
class ActorCount:
    """One who acted."""

    type: str
    id: str
    name: str
    count: Count


@dataclass(frozen=True, slots=True)
class Stats:
    """An organization's log from a moment on and before another. `others` is what actors did that are not listed:
    those that are no members and no keys now, and did none of the newest entries."""

    org_id: str
    since: datetime
    before: datetime
    count: Count
    days: list[DayCount]
    actions: list[ActionCount]
    actors: list[ActorCount]
    others: int

    @property
    def success_rate(self) -> float | None:
        """How much of it was done, from 0 to 1; None where nothing was asked for."""
        return (self.count.total - self.count.failures) / self.count.total if self.count.total else None


@requires(Permission.VIEW)
async def of(work: Work, org_id: str, *, since: datetime | None = None, before: datetime | None = None) -> Stats:
    """The last thirty days, or the time that is given, at most a year. Raises NotFound, Invalid."""
    await work.store.organizations.get(org_id)
    ends = before or work.clock.now() + timedelta(milliseconds=1)
    begins = since or ends - USUAL
    if begins > ends:
        raise Invalid(FieldError("from", "It is after `to`."))
    if ends - begins > MOST:
        raise Invalid(FieldError("from", "At most 366 days before `to`."))
    await work.parts.store.logged()
    counting = _Counting(work, org_id, begins, ends)
    days = [day_of(begins) + DAY * number for number in range((day_of(ends) - day_of(begins)).days + 1)]
    counted_days = await asyncio.gather(*(counting.between(max(day, begins), min(day + DAY, ends)) for day in days))
    actions = await asyncio.gather(*(counting.marked(f"action:{action}") for action in ACTIONS))
    known = await _known_actors(work, org_id)
    actors = await asyncio.gather(*(counting.marked(f"actor:{actor_id}") for actor_id in known))
    listed = [ActorCount(*known[one], count) for one, count in zip(known, actors, strict=True) if count.total]
    whole = Count(sum(each.total for each in counted_days), sum(each.failures for each in counted_days))
    return Stats(
        org_id=org_id,
        since=begins,
        before=ends,
        count=whole,
        days=[DayCount(day.date(), count) for day, count in zip(days, counted_days, strict=True)],
        actions=_most_first(
            ActionCount(action, count) for action, count in zip(ACTIONS, actions, strict=True) if count.total
        ),
        actors=sorted(listed, key=lambda each: (-each.count.total, each.id)),
        others=whole.total - sum(each.count.total for each in listed),
    )


class _Counting:
    """Counts in one organization's log between two moments, few at once."""

    def __init__(self, work: Work, org_id: str, since: datetime, before: datetime) -> None:
        self._log = work.store.audit_log
        self._org_id = org_id
        self._since, self._before = since, before
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def between(self, since: datetime, before: datetime) -> Count:
        return await self._count(since, before, ())

    async def marked(self, mark: str) -> Count:
        return await self._count(self._since, self._before, ((mark,),))

    async def _count(self, since: datetime, before: datetime, marks: tuple[tuple[str, ...], ...]) -> Count:
        async with self._few:
            total = await self._log.count(Wanted(self._org_id, since, before, marks))
            refused = (("status:failure",), *marks)
            return Count(total, await self._log.count(Wanted(self._org_id, since, before, refused)) if total else 0)


async def _known_actors(work: Work, org_id: str) -> dict[str, tuple[str, str, str]]:
    """Whoever may have acted: members, keys, Pulse itself, and who did the newest entries."""
    known: dict[str, tuple[str, str, str]] = {
        "system": ("system", "system", "Pulse"),
        "anonymous": ("anonymous", "", "Somebody"),
    }
    for entry in (await listing(work, Filters(org_id=org_id), limit=_LOOKED_AT)).items:
        actor = entry.actor
        if actor["type"] not in ("system", "anonymous"):
            known.setdefault(actor["id"], (actor["type"], actor["id"], actor.get("name") or ""))
    for key in await work.store.keys.list({"org_id": org_id}, sort=[("_id", 1)], limit=_MOST_KEYS):
        known.setdefault(key.id, ("key", key.id, key.name))
    for person in await members.listing(work, org_id):
        known[person.id] = ("user", person.id, person.name)
    return known


_MOST_KEYS: Final = 500


def _most_first(counts: Iterable[ActionCount]) -> list[ActionCount]:
    return sorted(counts, key=lambda each: (-each.count.total, each.action))
