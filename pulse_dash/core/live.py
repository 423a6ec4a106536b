"""What LiveKit is running now, asked every few seconds for every page at once, so that no page asks by itself.

It knows rooms and counts; a project's first participant is noted here because here it is first seen.
"""

from __future__ import annotations

from collections import Counter

from pulse_dash.core.access import SystemActor
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.media import LiveRoom, Snapshot
from pulse_dash.core.room_names import project_of
from pulse_dash.core.work import Work


class Live:
    """The newest snapshot on this node."""

    def __init__(self) -> None:
        self.now: Snapshot | None = None
        self.rooms: tuple[LiveRoom, ...] = ()
        self._with_participants: set[str] = set()

    async def look(self, work: Work) -> None:
        """Ask LiveKit once, say `live` on the bus when something changed, and note first participants."""
        before = self.now
        try:
            rooms = await work.parts.livekit.rooms()
        except Unavailable:
            self.now, self.rooms = None, ()
        else:
            self.rooms = tuple(rooms)
            self.now = _counted([(project_of(room.name), room.num_participants) for room in rooms])
        if self.now != before:
            work.parts.bus.say("live:")
        if self.now is not None:
            await self._note_first(work, self.now)

    async def _note_first(self, work: Work, snapshot: Snapshot) -> None:
        assert isinstance(work.actor, SystemActor)  # noqa: S101 - the job's own work, see jobs.schedule
        for project_id, people in snapshot.people.items():
            if people and project_id not in self._with_participants:
                if await work.store.projects.mark_first(project_id, "first_participant_at", work.clock.now()):
                    work.parts.bus.say(f"projects:{project_id}")
                self._with_participants.add(project_id)


def _counted(rooms: list[tuple[str | None, int]]) -> Snapshot:
    running: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for project_id, participants in rooms:
        if project_id is not None:
            running[project_id] += 1
            people[project_id] += participants
    return Snapshot(dict(running), dict(people))
