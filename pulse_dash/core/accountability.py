"""Who is in stays accountable: whoever is in a room of ours without a good mint is put out of it, each time.

LiveKit lets its own refreshed tokens in for as long as somebody stays or comes back, so people are looked at where they
are. It judges and removes; which mints are denied is told by revocations, when to look by the jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import structlog

from pulse_dash.core import bans, minting, revocations
from pulse_dash.core.errors import NotFound, PulseError
from pulse_dash.core.media import LiveKit, LiveParticipant, LiveRoom
from pulse_dash.core.media_servers import installations
from pulse_dash.core.minting import Mint
from pulse_dash.core.room_names import project_of
from pulse_dash.core.work import Work

log = structlog.get_logger(__name__)

Wrong = Literal["not_ours", "ended", "revoked", "banned", "key_gone", "project_gone"]

_MOST_ROOMS = 50
_AT_ONCE = 8
# One who leaves and one who comes between two looks leave the count as it was, and an event may be lost.
_AGAIN_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds now for the mint that somebody came in with."""

    project_lives: bool = True
    key_lives: bool = True
    revoked: bool = False
    banned: bool = False


def wrong_with(person: LiveParticipant, mint: Mint | None, standing: Standing) -> Wrong | None:
    """Why this participant may not stay; None for who may. Recorders, ingresses, agents and the like are LiveKit's own.

    Only the kind tells who is LiveKit's own: a room's admin can hide people, and nobody can change a kind."""
    if person.kind != "standard":
        return None
    if mint is None:
        return "not_ours"
    if not standing.project_lives:
        return "project_gone"
    if not standing.key_lives:
        return "key_gone"
    if standing.revoked:
        return "revoked"
    if standing.banned:
        return "banned"
    # Whoever came in time stays as long as they like; coming back takes a token that lasts.
    if person.joined_at is not None and person.joined_at > mint.ends_at + revocations.LEEWAY:
        return "ended"
    return None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a room was like when the people in it were looked at."""

    sid: str
    people: int
    at: float
    keys: frozenset[str]


class _Place(NamedTuple):
    """A room where it runs: a project that changed its region may have one of the same name on two LiveKits."""

    region: str
    name: str

    @property
    def project_id(self) -> str:
        return project_of(self.name) or ""


class Accountability:
    """Which rooms must be looked at, on this node."""

    def __init__(self) -> None:
        self._looked: dict[_Place, _Looked] = {}
        self._due: set[_Place] = set()
        # Revocations and bans whose project is still to be asked, by their noun and id.
        self._denials: set[tuple[str, str]] = set()

    def heard(self, subject: str) -> None:
        """Look again at the rooms that a change or an arrival speaks of."""
        noun, _, changed = subject.partition(":")
        match noun:
            case "joined":
                region, _, name = changed.partition(":")
                self._due.add(_Place(region, name))
            case "projects":
                self._due.update(place for place in self._looked if place.project_id == changed)
            case "keys":
                self._due.update(place for place, looked in self._looked.items() if changed in looked.keys)
            case "revocations" | "bans":
                self._denials.add((noun, changed))
            case "organizations" | "*":
                self._looked.clear()
            case _:
                pass

    async def look(self, work: Work, rooms: Sequence[LiveRoom]) -> int:
        """Look at the rooms where something changed and put out whom nothing speaks for; answers how many.

        A room that can't be judged or reached now is left for the next look, and no other waits for it."""
        running = {_place(room): room for room in rooms if project_of(room.name)}
        self._looked = {place: looked for place, looked in self._looked.items() if place in running}
        await self._note_denied(work, running)
        chosen, facts = self._chosen(running, work.clock.monotonic()), _Facts(work)
        few_at_once = asyncio.Semaphore(_AT_ONCE)

        async def hold(place: _Place) -> int:
            async with few_at_once:
                return await self._hold(work, place, running.get(place), facts)

        return sum(await asyncio.gather(*map(hold, chosen)))

    def _chosen(self, running: dict[_Place, LiveRoom], now: float) -> list[_Place]:
        """The rooms to look at: where somebody came or something was revoked first, then what waits longest."""
        changed = {place for place, room in running.items() if self._changed(room, now)}
        ages = {place: looked.at for place, looked in self._looked.items()}
        wanted = sorted(self._due | changed, key=lambda place: (place not in self._due, ages.get(place, 0.0)))
        return wanted[:_MOST_ROOMS]

    def _changed(self, room: LiveRoom, now: float) -> bool:
        looked = self._looked.get(_place(room))
        if looked is None:
            return True
        return (looked.sid, looked.people) != (room.sid, room.num_participants) or now - looked.at >= _AGAIN_AFTER

    async def _note_denied(self, work: Work, running: Iterable[_Place]) -> None:
        """Another node may have revoked or banned somebody who was coming in here at that moment."""
        denials, self._denials = self._denials, set()
        for noun, denial_id in denials:
            try:
                found = await (work.store.bans if noun == "bans" else work.store.revocations).get(denial_id)
            except NotFound:
                continue
            except PulseError:
                self._denials.add((noun, denial_id))
                continue
            self._due.update(place for place in running if place.project_id == found.project_id)

    async def _hold(self, work: Work, place: _Place, room: LiveRoom | None, facts: _Facts) -> int:
        # Whatever is said of the room from now on makes it due again.
        self._due.discard(place)
        try:
            removed, keys = await _judged(work, place, facts)
        except PulseError as error:
            log.warning("accountability.later", project=place.project_id, code=error.code)
            # It stays changed, and waits its turn among the others.
            self._looked[place] = _Looked("", -1, work.clock.monotonic(), frozenset())
            return 0
        if room is not None:
            # Who was put out is not expected any more: if the count stays, somebody came back.
            people = room.num_participants - removed
            self._looked[place] = _Looked(room.sid, people, work.clock.monotonic(), keys)
        return removed


class _Facts:
    """What was found out about projects and keys during one look."""

    def __init__(self, work: Work) -> None:
        self._store = work.store
        self._projects: dict[str, bool | None] = {}
        self._keys: dict[tuple[str, str], bool] = {}

    async def project_lives(self, project_id: str) -> bool | None:
        """Whether it and its organization live; None for one that never was ours, but another installation's."""
        if project_id not in self._projects:
            self._projects[project_id] = await self._ask_project(project_id)
        return self._projects[project_id]

    async def key_lives(self, key_id: str, project_id: str) -> bool:
        """Whether the key that minted is neither revoked nor gone; a user who minted has none."""
        if not key_id.startswith("key_"):
            return True
        if (key_id, project_id) not in self._keys:
            self._keys[key_id, project_id] = await self._ask_key(key_id, project_id)
        return self._keys[key_id, project_id]

    async def _ask_project(self, project_id: str) -> bool | None:
        found = await self._store.projects.lives(project_id)
        if not found:
            return found
        try:
            await self._store.organizations.get((await self._store.projects.get(project_id)).org_id)
        except NotFound:
            return False
        return True

    async def _ask_key(self, key_id: str, project_id: str) -> bool:
        try:
            key = await self._store.keys.get(key_id)
        except NotFound:
            return False
        return key.revoked_at is None and key.project_id == project_id


def _place(room: LiveRoom) -> _Place:
    return _Place(room.region, room.name)


async def _judged(work: Work, place: _Place, facts: _Facts) -> tuple[int, frozenset[str]]:
    """Put out of one room whoever may not stay; answers how many, and the keys that the others came in with."""
    project_id, room = place.project_id, place.name
    livekit = installations(work.parts)[place.region]
    project_lives = await facts.project_lives(project_id)
    if project_lives is None:
        return 0, frozenset()
    removed, keys = 0, set[str]()
    for person in await livekit.participants(room):
        mint = minting.mint_of(work.parts.vault, person.attributes, person.identity, room)
        standing = Standing(project_lives)
        if mint is not None:
            keys.add(mint.key_id)
            standing = Standing(
                project_lives,
                await facts.key_lives(mint.key_id, project_id),
                await revocations.denied(work, mint.id, person.identity, room),
                await bans.is_banned(work, project_id, person.identity),
            )
        wrong = wrong_with(person, mint, standing)
        if wrong is not None:
            removed += await _put_out(livekit, room, person.identity, wrong)
    return removed, frozenset(keys)


async def _put_out(livekit: LiveKit, room: str, identity: str, wrong: Wrong) -> int:
    try:
        await livekit.remove_participant(room, identity)
    except NotFound:
        return 0
    log.info("participant.removed", project=project_of(room), wrong=wrong)
    return 1
