"""What each LiveKit is running now, asked every few seconds for every page at once, so that no page asks by itself.

It knows rooms and counts, and of which rooms LiveKit told nothing by itself; a project's first participant is noted
here because here it is first seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pulse_dash.core.access import SystemActor
from pulse_dash.core.errors import PulseError, Unavailable
from pulse_dash.core.media import LiveKit, LiveRoom, Snapshot
from pulse_dash.core.media_servers import installations, server_of
from pulse_dash.core.room_names import project_of
from pulse_dash.core.work import Work
from pulse_dash.store.projects import Project

SILENT_AFTER = 30.0
_AT_ONCE = 8
_ASKED_A_LOOK = 20
_CLOCKS_DIFFER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Running:
    """One running room: on which LiveKit, called how there, whose."""

    livekit: str
    room: LiveRoom
    project_id: str


class Live:
    """The newest snapshot on this node."""

    def __init__(self) -> None:
        self.now: Snapshot | None = None
        self.rooms: tuple[LiveRoom, ...] = ()
        self._with_participants: set[str] = set()
        self._own: tuple[_Running, ...] = ()
        self._told = _Told()

    async def look(self, work: Work) -> None:
        """Ask the installation's LiveKits once, say `live` when something changed, and note first participants."""
        before, servers = self.now, installations(work.parts)
        answers = await asyncio.gather(*map(_rooms_of, servers, servers.values()))
        away = frozenset(place for place, rooms in zip(servers, answers, strict=True) if rooms is None)
        self.rooms = tuple(room for rooms in answers for room in rooms or ())
        if len(away) == len(servers) and not self._own:
            self.now = None
        else:
            shared = _of_projects(servers, self.rooms)
            running = (*shared, *self._own)
            unheard = await self._told.unheard(work, running)
            silent = frozenset(each.room.region for each in shared if each in unheard)
            self.now = _counted(running, unheard, silent=silent, away=away)
        if self.now != before:
            work.parts.bus.say("live:")
        if self.now is not None:
            await self._note_first(work, self.now)

    async def look_at_own(self, work: Work) -> None:
        """Ask every LiveKit of a project's own; the next look counts what came of it. One that is away has no rooms."""
        few_at_once = asyncio.Semaphore(_AT_ONCE)

        async def ask(project: Project) -> list[_Running]:
            async with few_at_once:
                try:
                    rooms = await server_of(work.parts, project).livekit.rooms()
                except PulseError:
                    return []
            source = project.livekit.id if project.livekit else ""
            return [_Running(source, room, project.id) for room in rooms]

        found = await asyncio.gather(*map(ask, await work.store.projects.with_own_livekit()))
        self._own = tuple(running for each in found for running in each)

    async def _note_first(self, work: Work, snapshot: Snapshot) -> None:
        assert isinstance(work.actor, SystemActor)  # noqa: S101 - the job's own work, see jobs.schedule
        for project_id, people in snapshot.people.items():
            if people and project_id not in self._with_participants:
                if await work.store.projects.mark_first(project_id, "first_participant_at", work.clock.now()):
                    work.parts.bus.say(f"projects:{project_id}")
                self._with_participants.add(project_id)


class _Told:
    """Of which running rooms LiveKit told by itself. A quiet room is not silence: each room tells that it was made."""

    def __init__(self) -> None:
        self._first_seen: dict[tuple[str, str], float] = {}
        self._heard: set[tuple[str, str]] = set()
        # When each of the others was asked for last; who waits longest is asked first, so that no room hides another.
        self._asked: dict[tuple[str, str], float] = {}

    async def unheard(self, work: Work, running: Iterable[_Running]) -> list[_Running]:
        """The rooms that have run for 30 seconds without a word, as far as they were asked for; some at each look."""
        now, rooms = work.clock.monotonic(), {(each.livekit, each.room.sid): each for each in running}
        self._first_seen = {key: self._first_seen.get(key, now) for key in rooms}
        self._heard &= rooms.keys()
        late = [key for key in rooms if key not in self._heard and now - self._first_seen[key] >= SILENT_AFTER]
        self._asked = {key: self._asked[key] for key in late if key in self._asked}
        for key in sorted(late, key=lambda key: self._asked.get(key, -1.0))[:_ASKED_A_LOOK]:
            seen = work.clock.now() - timedelta(seconds=now - self._first_seen[key])
            began = min(rooms[key].room.started_at or seen, seen) - _CLOCKS_DIFFER
            if await work.store.media_events.told_of(rooms[key].livekit, rooms[key].room.name, began):
                self._heard.add(key)
                self._asked.pop(key, None)
            else:
                self._asked[key] = now
        return [rooms[key] for key in self._asked]


async def _rooms_of(region: str, livekit: LiveKit) -> list[LiveRoom] | None:
    """What runs on one of the installation's LiveKits; None while it does not answer."""
    try:
        return [replace(room, region=region) for room in await livekit.rooms()]
    except Unavailable:
        return None


def _of_projects(servers: Mapping[str, LiveKit], rooms: Iterable[LiveRoom]) -> list[_Running]:
    named = [(room, project_of(room.name)) for room in rooms]
    return [
        _Running(servers[room.region].api_key, room, project_id) for room, project_id in named if project_id is not None
    ]


def _counted(
    running: Iterable[_Running], unheard: Iterable[_Running], *, silent: frozenset[str], away: frozenset[str]
) -> Snapshot:
    rooms: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for each in running:
        rooms[each.project_id] += 1
        people[each.project_id] += each.room.num_participants
    counted: tuple[Mapping[str, int], Mapping[str, int]] = dict(rooms), dict(people)
    return Snapshot(*counted, frozenset(each.project_id for each in unheard), silent, away)
