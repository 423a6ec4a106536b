"""The figures of an organization's dashboard: what is live, what was counted, and how far the first participant is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pulse_dash.core.access import Permission, requires
from pulse_dash.core.media import Snapshot
from pulse_dash.core.media_servers import place_of
from pulse_dash.core.tallying import API_REQUESTS, TOKENS
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project

DAYS = 30
_METRICS = (TOKENS, API_REQUESTS)


@dataclass(frozen=True, slots=True)
class DayFigure:
    """What was counted on one day (UTC), and how many tokens `DAYS` days before it."""

    day: date
    tokens: int
    requests: int
    tokens_before: int


@dataclass(frozen=True, slots=True)
class Checklist:
    """The four steps to the first participant; `project` is the oldest one, where the steps lead."""

    project: Project | None
    created_project: bool
    used_key: bool
    minted_token: bool
    joined_room: bool

    @property
    def done(self) -> int:
        """How many of the four are done."""
        return sum((self.created_project, self.used_key, self.minted_token, self.joined_room))


@dataclass(frozen=True, slots=True)
class ProjectNow:
    """One project at a glance; who is live is None while LiveKit does not answer."""

    people: int | None
    rooms: int | None
    tokens_today: int


@dataclass(frozen=True, slots=True)
class Overview:
    """An organization at a glance; the live figures are None while LiveKit does not answer."""

    projects: int
    people_live: int | None
    rooms_live: int | None
    operational: bool
    by_project: dict[str, ProjectNow]
    tokens_today: int
    tokens_yesterday: int
    requests_month: int
    requests_today: int
    days: list[DayFigure]
    checklist: Checklist


@requires(Permission.VIEW)
async def overview(work: Work, org_id: str) -> Overview:
    """The figures of one organization now. Raises NotFound."""
    await work.store.organizations.get(org_id)
    projects = await work.store.projects.of_organization(org_id)
    today = work.clock.now().date()
    midnight = work.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    counts: Counter[tuple[str, date]] = Counter(await _before_today(work, org_id, midnight))
    tokens_today: Counter[str] = Counter()
    for tally in await work.store.tallies.of_organization(org_id, _METRICS, midnight):
        counts[tally.metric, tally.hour.date()] += tally.count
        if tally.metric == TOKENS and tally.hour.date() == today:
            tokens_today[tally.project_id] += tally.count
    snapshot = work.parts.live.now
    ids = [project.id for project in projects]
    now = {project.id: _now(work, snapshot, project, tokens_today[project.id]) for project in projects}
    # Nobody knows what runs on a LiveKit that does not answer.
    all_known = snapshot is not None and all(each.rooms is not None for each in now.values())
    return Overview(
        projects=len(projects),
        people_live=sum(each.people or 0 for each in now.values()) if all_known else None,
        rooms_live=sum(each.rooms or 0 for each in now.values()) if all_known else None,
        operational=snapshot is not None
        and all_known
        and not snapshot.unheard.intersection(ids)
        and work.parts.freshness.good,
        by_project=now,
        tokens_today=counts[TOKENS, today],
        tokens_yesterday=counts[TOKENS, today - timedelta(days=1)],
        requests_month=sum(
            count for (metric, day), count in counts.items() if metric == API_REQUESTS and day >= today.replace(day=1)
        ),
        requests_today=counts[API_REQUESTS, today],
        days=[
            DayFigure(day, counts[TOKENS, day], counts[API_REQUESTS, day], counts[TOKENS, day - timedelta(days=DAYS)])
            for day in (today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1))
        ],
        checklist=await _checklist(work, projects),
    )


async def _before_today(work: Work, org_id: str, midnight: datetime) -> Mapping[tuple[str, date], int]:
    """What was counted on the days that are over: read once a minute, however often a page asks."""
    known = work.parts.known_figures
    if (found := known.recall(org_id, midnight.date())) is not None:
        return found
    counts: Counter[tuple[str, date]] = Counter()
    since = midnight - timedelta(days=2 * DAYS - 1)
    for tally in await work.store.tallies.of_organization(org_id, _METRICS, since, midnight):
        counts[tally.metric, tally.hour.date()] += tally.count
    known.keep(org_id, midnight.date(), counts)
    return counts


def _now(work: Work, snapshot: Snapshot | None, project: Project, tokens_today: int) -> ProjectNow:
    if snapshot is None or place_of(work.parts, project) in snapshot.away:
        return ProjectNow(None, None, tokens_today)
    return ProjectNow(snapshot.people.get(project.id, 0), snapshot.rooms.get(project.id, 0), tokens_today)


async def _checklist(work: Work, projects: list[Project]) -> Checklist:
    used = False
    for project in projects[:20]:
        used = used or any(key.last_used_at for key in await work.store.keys.of_project(project.id))
    return Checklist(
        project=projects[0] if projects else None,
        created_project=bool(projects),
        used_key=used,
        minted_token=any(project.first_token_at for project in projects),
        joined_room=any(project.first_participant_at for project in projects),
    )
