"""The audit log for its readers: newest first, theirs alone. Entries are made beside the changes they tell of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pulse_dash.core import members
from pulse_dash.core.access import Permission, UserActor, open_because, requires, where
from pulse_dash.core.actions import ACTIONS
from pulse_dash.core.audit_file import Sight
from pulse_dash.core.errors import FieldError, Invalid, NotFound
from pulse_dash.core.names import has_controls
from pulse_dash.core.work import Work
from pulse_dash.store.audit_form import words_of
from pulse_dash.store.audit_log import AuditEntry as AuditEntry  # noqa: PLC0414 - core hands it on to api and state
from pulse_dash.store.audit_log import AuditPage, Wanted
from pulse_dash.store.ids import looks_like
from pulse_dash.store.paging import Cursor, check_limit

LONGEST: Final = 128
_MOST_WORDS: Final = 6
_MOST_PEOPLE: Final = 20
# No entry has it.
_NOTHING: Final = ("none:",)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for, as somebody wrote it; empty is everything. `action` may be all of a noun, as `project.*`."""

    org_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    user: str | None = None
    key: str | None = None
    action: str | None = None
    resource: str | None = None
    status: str | None = None
    search: str | None = None

    def said(self) -> dict[str, str]:
        """Those that are set, as they stand in an address."""
        named = {
            "from": self.since and self.since.isoformat(),
            "to": self.before and self.before.isoformat(),
            "user": self.user,
            "key": self.key,
            "action": self.action,
            "resource": self.resource,
            "status": self.status,
            "search": self.search,
        }
        return {name: value for name, value in named.items() if value}


@requires(Permission.VIEW)
async def listing(
    work: Work, filters: Filters | None = None, *, limit: int = 20, cursor: str | None = None
) -> AuditPage:
    """Entries of one organization, or of all the caller's. The cursor of a page leads to what is older than it,
    whatever came meanwhile. Raises NotFound, Invalid."""
    wanted = await wanted_by(work, filters or Filters())
    after = Cursor.decode(cursor) if cursor is not None else None
    found = await work.store.audit_log.page(wanted, limit=check_limit(limit), after=after)
    return AuditPage(sight_of(work).seen(found.items), found.next_cursor)


@open_because("it only says what the actor holds")
def sight_of(work: Work) -> Sight:
    """Whose addresses the actor sees."""
    own = work.actor.id if isinstance(work.actor, UserActor) else ""
    return Sight(where(work.actor, Permission.PEOPLE_VIEW), own)


@requires(Permission.VIEW)
async def wanted_by(work: Work, filters: Filters) -> Wanted:
    """The entries that these filters leave. Raises NotFound; Invalid naming each that can't be."""
    if filters.org_id is not None:
        await work.store.organizations.get(filters.org_id)
    if errors := list(_errors(filters)):
        raise Invalid(*errors)
    # Who is rare stands first: the store reads along the first of them.
    groups: list[tuple[str, ...]] = []
    if filters.status == "failure":
        groups.append(("status:failure",))
    if filters.resource:
        mark = "resource" if looks_like(filters.resource.partition("_")[0], filters.resource) else "type"
        groups.append((f"{mark}:{filters.resource}",))
    if filters.search and filters.search.strip():
        groups += await _searched(work, filters)
    groups += [(f"actor:{actor}",) for actor in (filters.user, filters.key) if actor]
    if filters.action:
        noun = filters.action.removesuffix(".*")
        groups.append((f"noun:{noun}" if noun != filters.action else f"action:{filters.action}",))
    if filters.status == "success":
        groups.append(("status:success",))
    return Wanted(filters.org_id, _to_utc(filters.since), _to_utc(filters.before), tuple(groups))


def _errors(filters: Filters) -> Iterable[FieldError]:
    for name, moment in (("from", filters.since), ("to", filters.before)):
        if moment is not None and _to_utc(moment) is None:
            yield FieldError(name, "This moment is not in any year that there is.")
    if filters.since is not None and filters.before is not None and filters.since > filters.before:
        yield FieldError("from", "It is after `to`.")
    if filters.action is not None and filters.action not in ACTIONS and filters.action not in NOUNS:
        yield FieldError("action", "There is no such action. They are listed in docs/API.md; project.* is all of one.")
    if filters.status not in (None, "success", "failure"):
        yield FieldError("status", "It is success or failure.")
    named = {"user": filters.user, "key": filters.key, "resource": filters.resource, "search": filters.search}
    for name, text in named.items():
        if text is not None and (len(text) > LONGEST or has_controls(text)):
            yield FieldError(name, f"At most {LONGEST} characters, and no control characters.")


NOUNS: Final = frozenset(f"{action.partition('.')[0]}.*" for action in ACTIONS)
"""All actions of one noun, as the filter takes them."""


async def _searched(work: Work, filters: Filters) -> list[tuple[str, ...]]:
    """Each word that is looked for: in names and request ids, as an id, in actions, and as a person of the team."""
    words = words_of(filters.search or "")[:_MOST_WORDS]
    if not words:
        return [_NOTHING]
    people = await _people(work, filters.org_id)
    groups: list[tuple[str, ...]] = []
    for word in words:
        group = [f"word:{word}", f"actor:{word}", f"resource:{word}"]
        group += [f"action:{action}" for action in ACTIONS if word in _words_of_action(action)]
        found = [person_id for person_id, said in people.items() if word in said][:_MOST_PEOPLE]
        group += [f"{mark}:{person_id}" for person_id in found for mark in ("actor", "resource")]
        groups.append(tuple(group))
    return groups


def _words_of_action(action: str) -> set[str]:
    return {*words_of(action), *words_of(action.replace("_", "."))}


async def _people(work: Work, org_id: str | None) -> dict[str, str]:
    """Who belongs to the organizations that are looked through, with name and address in small letters."""
    here = [org_id] if org_id is not None else sorted(work.actor.roles) if isinstance(work.actor, UserActor) else []
    found: dict[str, str] = {}
    for each in here:
        try:
            team = await members.listing(work, each)
        except NotFound:
            # Deleted while it was looked through.
            continue
        found |= {person.id: f"{person.name} {person.email or ''}".casefold() for person in team}
    return found


def _to_utc(moment: datetime | None) -> datetime | None:
    """In UTC; None where that would be before the first year or after the last."""
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError:
        return None


# --- what happened in numbers


@dataclass(frozen=True, slots=True)
class Bar:
    """How many entries began in a stretch of time, and how many of them were refused."""

    at: datetime
    total: int
    failures: int


@requires(Permission.VIEW)
async def histogram(work: Work, filters: Filters, bars: int) -> list[Bar]:
    """The time from `since` to `before`, both given, in so many equal parts. Raises NotFound, Invalid."""
    wanted = await wanted_by(work, filters)
    if wanted.since is None or wanted.before is None:
        raise Invalid(FieldError("from", "Give from and to."))
    await work.parts.store.logged()
    width = (wanted.before - wanted.since) / bars
    edges = [wanted.since + width * number for number in range(bars)]
    log = work.store.audit_log

    async def bar(begins: datetime, ends: datetime) -> Bar:
        total = await log.count(Wanted(wanted.org_id, begins, ends, wanted.marks))
        refused = (("status:failure",), *wanted.marks)
        failures = await log.count(Wanted(wanted.org_id, begins, ends, refused)) if total else 0
        return Bar(begins, total, failures)

    ends = [*edges[1:], wanted.before]
    return list(await asyncio.gather(*(bar(*edge) for edge in zip(edges, ends, strict=True))))


@requires(Permission.VIEW)
async def first_at(work: Work, org_id: str) -> datetime | None:
    """When the log of an organization begins; None while it is empty. Raises NotFound."""
    await work.store.organizations.get(org_id)
    return await work.store.audit_log.first_at(org_id)


def day_of(moment: datetime) -> datetime:
    """The beginning of that day."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


DAY: Final = timedelta(days=1)
