"""Who may stay in a room and who is put out, which rooms are looked at, and that one sick room stops no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pulse_dash.core import bans, keys, media_events, organizations, projects, tokens
from pulse_dash.core.accountability import Accountability, Standing, Wrong, wrong_with
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.media import LiveParticipant, LiveRoom, MediaEvent
from pulse_dash.core.minting import Mint
from pulse_dash.core.room_names import livekit_name
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services
from tests.core.test_tokens import claims_of
from tests.doubles import BreakableEngine, MovableClock, RunningLiveKit
from tests.people import House, Person, Town

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA = LiveParticipant("ada", "PA_1", "", "active", NOON, True, {}, "")
MINT = Mint("tok_1", "key_1", NOON, NOON + timedelta(hours=4))


class Venue(RunningLiveKit):
    """A LiveKit with people who carry attributes; it remembers which rooms were looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.present: dict[str, list[LiveParticipant]] = {}
        self.looked_into: list[str] = []
        self.sick: set[str] = set()

    async def rooms(self) -> list[LiveRoom]:
        await self.ping()
        return [LiveRoom(name, f"RM_{name}", len(people), None) for name, people in self.present.items()]

    async def participants(self, room: str) -> list[LiveParticipant]:
        self.looked_into.append(room)
        if room in self.sick:
            raise Unavailable("livekit")
        return list(self.present.get(room, ()))

    async def remove_participant(self, room: str, identity: str) -> None:
        self.present[room] = [person for person in self.present[room] if person.identity != identity]

    def who(self, room: str) -> list[str]:
        return [person.identity for person in self.present[room]]


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def services(services: Services, venue: Venue) -> Services:
    """All parts, with that LiveKit."""
    return replace(services, parts=replace(services.parts, livekit=venue))


async def enters(town: Town, venue: Venue, house: House, identity: str = "ada", room: str = "lobby") -> str:
    """Let somebody in with a token of ours; answers LiveKit's name of the room."""
    minted = await tokens.create(await town.by_key(house), TokenRequest(room=room, identity=identity))
    attributes = claims_of(minted.token)["attributes"]
    person = replace(ADA, identity=identity, attributes=attributes, joined_at=town.services.parts.clock.now())
    venue.present.setdefault(minted.livekit_room, []).append(person)
    return minted.livekit_room


async def look(services: Services) -> int:
    """One look, as the job does it."""
    rooms = await services.parts.livekit.rooms()
    return await services.accountability.look(services.system("a test's look"), rooms)


# --- the judgement -----------------------------------------------------------------------------------------------

VERDICTS: list[tuple[Mint | None, Standing, Wrong | None]] = [
    (MINT, Standing(), None),
    (None, Standing(), "not_ours"),
    (MINT, Standing(project_lives=False), "project_gone"),
    (MINT, Standing(key_lives=False), "key_gone"),
    (MINT, Standing(revoked=True), "revoked"),
    (MINT, Standing(banned=True), "banned"),
]


@pytest.mark.parametrize(("mint", "standing", "verdict"), VERDICTS)
def test_whoever_nothing_speaks_for_may_not_stay(mint: Mint | None, standing: Standing, verdict: Wrong | None) -> None:
    assert wrong_with(ADA, mint, standing) == verdict


@pytest.mark.parametrize("kind", ["egress", "ingress", "sip", "agent", "connector", "bridge", "unknown"])
def test_livekits_own_participants_are_left_alone(kind: str) -> None:
    assert wrong_with(replace(ADA, kind=kind), None, Standing(project_lives=False)) is None


def test_who_came_in_time_stays_and_who_came_back_after_the_end_does_not() -> None:
    late = replace(ADA, joined_at=MINT.ends_at + timedelta(seconds=61))

    assert wrong_with(replace(ADA, joined_at=MINT.ends_at + timedelta(seconds=60)), MINT, Standing()) is None
    assert wrong_with(replace(ADA, joined_at=None), MINT, Standing()) is None
    assert wrong_with(late, MINT, Standing()) == "ended"


# --- what becomes of people ---------------------------------------------------------------------------------------


async def test_the_good_stay_and_the_rest_is_put_out_each_time(town: Town, services: Services, venue: Venue) -> None:
    house, other = await town.house(), await town.house()
    room = await enters(town, venue, house)
    await enters(town, venue, house, "bob")
    theirs = await enters(town, venue, other, "eve")
    unsigned = replace(ADA, identity="mallory", attributes={"pulse": "tok_1.key_1.1.x"})
    borrowed = replace(venue.present[room][0], identity="carl")
    elsewhere = replace(venue.present[theirs][0])
    egress = replace(ADA, identity="EG_1", kind="egress")
    for _ in range(2):
        venue.present[room] += [unsigned, borrowed, elsewhere, egress]
        assert await look(services) == 3
        assert venue.who(room) == ["ada", "bob", "EG_1"]
        venue.present[room].pop()
    assert venue.who(theirs) == ["eve"]


async def test_rooms_of_another_installation_or_of_nobodys_are_left_alone(services: Services, venue: Venue) -> None:
    unknown = livekit_name(services.parts.ids.make("prj"), "lobby")
    venue.present |= {"somebody-elses": [ADA], unknown: [ADA], "prj_x": [ADA]}

    assert await look(services) == 0
    assert venue.looked_into == []


async def revoke_key(town: Town, owner: Person, house: House) -> None:
    await keys.revoke(town.work(owner), house.id, house.key.id)


async def delete_project(town: Town, owner: Person, house: House) -> None:
    await projects.delete(town.work(owner), house.id)


async def delete_organization(town: Town, owner: Person, house: House) -> None:
    await organizations.delete(town.work(owner), owner.organization.id)


async def revoke_token(town: Town, owner: Person, house: House) -> None:
    ada = town.services.parts.livekit.present[livekit_name(house.id, "lobby")][0]  # type: ignore[attr-defined]
    await tokens.revoke(town.work(owner), identity="ada", project_id=house.id)
    # She comes back at once with a token that LiveKit refreshed, so that the count is what it was.
    town.services.parts.livekit.present[livekit_name(house.id, "lobby")] = [ada]  # type: ignore[attr-defined]


@pytest.mark.parametrize("end", [revoke_key, delete_project, delete_organization, revoke_token])
async def test_whatever_ends_a_token_puts_its_participant_out_at_the_next_look(
    town: Town, services: Services, venue: Venue, end: object
) -> None:
    owner, other = await town.person(), await town.house()
    house = await town.project(owner)
    room, theirs = await enters(town, venue, house), await enters(town, venue, other)
    assert await look(services) == 0

    await end(town, owner, house)  # type: ignore[operator]

    assert await look(services) == 1
    assert (venue.who(room), venue.who(theirs)) == ([], ["ada"])


# --- which rooms are looked at --------------------------------------------------------------------------------------


async def test_a_room_is_looked_at_when_its_count_changes_and_after_ten_seconds(
    town: Town, services: Services, venue: Venue, clock: MovableClock
) -> None:
    house = await town.house()
    room = await enters(town, venue, house)
    studio = await enters(town, venue, house, room="studio")
    await look(services)
    venue.looked_into.clear()

    await look(services)
    assert venue.looked_into == []
    await enters(town, venue, house, "bob")
    await look(services)
    assert venue.looked_into == [room]
    clock.move(10)
    await services.feed.read()
    await look(services)
    assert sorted(venue.looked_into[1:]) == sorted([room, studio])


async def test_somebody_who_joins_is_looked_at_before_livekit_counts_them(
    town: Town, services: Services, venue: Venue
) -> None:
    room = await enters(town, venue, await town.house())
    await look(services)
    # One went as another came: the count says nothing.
    venue.present[room] = [replace(ADA, identity="mallory")]
    at = services.parts.clock.now()
    await media_events.keep(town.stranger, MediaEvent("EV_1", "participant_joined", room, at, "{}"))

    assert await look(services) == 1
    assert venue.who(room) == []


async def test_one_sick_room_stops_no_other_and_is_looked_at_again(
    town: Town, services: Services, venue: Venue
) -> None:
    house = await town.house()
    sick, well = await enters(town, venue, house, room="a"), await enters(town, venue, house, room="b")
    venue.present[sick].append(replace(ADA, identity="mallory"))
    venue.present[well].append(replace(ADA, identity="mallory"))
    venue.sick = {sick}

    assert await look(services) == 1
    venue.sick.clear()
    assert await look(services) == 1
    assert (venue.who(sick), venue.who(well)) == (["ada"], ["ada"])


async def test_nobody_is_put_out_while_the_database_can_not_be_asked(
    town: Town, services: Services, venue: Venue, engine: BreakableEngine
) -> None:
    room = await enters(town, venue, await town.house())
    venue.present[room].append(replace(ADA, identity="mallory"))
    engine.gone = True

    assert await look(services) == 0
    engine.gone = False
    assert await look(services) == 1
    assert venue.who(room) == ["ada"]


async def test_a_look_is_bounded_and_every_room_has_its_turn(town: Town, services: Services, venue: Venue) -> None:
    house = await town.house()
    for number in range(60):
        await enters(town, venue, house, room=f"room {number}")
    venue.sick = set(list(venue.present)[:50])

    await look(services)
    assert len(venue.looked_into) == 50
    await look(services)

    assert set(venue.looked_into) == set(venue.present)


async def test_what_is_remembered_of_rooms_goes_with_them(town: Town, services: Services, venue: Venue) -> None:
    accountability: Accountability = services.accountability
    await enters(town, venue, await town.house())
    await look(services)
    venue.present.clear()

    await look(services)

    assert accountability._looked == {}


async def test_a_banned_identity_is_put_out_each_time_it_comes_back(
    town: Town, services: Services, venue: Venue
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    room = await enters(town, venue, house)
    ada = venue.present[room][0]
    await enters(town, venue, house, identity="bob")
    await look(services)
    made = await bans.ban(town.work(owner), house.id, identity="ada", reason="spam")
    for _ in range(2):
        venue.present[room].append(ada)
        services.accountability.heard(f"joined::{room}")
        await look(services)
        assert venue.who(room) == ["bob"]
    await bans.lift(town.work(owner), house.id, made.id)
    venue.present[room].append(ada)
    await look(services)
    assert venue.who(room) == ["bob", "ada"]
