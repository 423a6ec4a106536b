"""A region's own LiveKit: its projects run there, the installation's others don't, and a project that moves is told."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from pulse_dash.adapters.livekit import LiveKitServer
from pulse_dash.core import figures, health, media_events, project_health, projects, rooms, silence, tokens
from pulse_dash.core.connections import GivenLiveKit, LiveKitTaken
from pulse_dash.core.errors import Invalid, Unauthenticated
from pulse_dash.core.media_servers import OwnLiveKits
from pulse_dash.core.media_token import Signer
from pulse_dash.core.secret import Secret
from pulse_dash.core.tokens import TokenRequest
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, MovableClock, RunningLiveKit, kept
from tests.people import House, Person, Town

FAR, HOME = "eu-west", "us-east"
SECRET = "the-secret-of-the-far-livekit-alone"
ASKED = TokenRequest(room="lobby", identity="ada")


@pytest.fixture
def home() -> RunningLiveKit:
    return RunningLiveKit()


@pytest.fixture
def far() -> RunningLiveKit:
    return RunningLiveKit("farkey", SECRET)


@pytest.fixture
def services(services: Services, home: RunningLiveKit, far: RunningLiveKit) -> Services:
    """All parts, with a LiveKit that serves all regions but one, and that one's own."""
    own = OwnLiveKits(lambda _, key, secret: RunningLiveKit(key, secret.reveal()), services.parts.vault)
    parts = replace(services.parts, livekit=home, region_livekits={FAR: far}, own_livekits=own)
    return replace(services, parts=parts)


async def in_region(town: Town, owner: Person, region: str) -> House:
    """A project of this region."""
    house = await town.project(owner)
    await projects.change(town.work(owner), house.id, region=region)
    return house


async def looked(services: Services, clock: MovableClock, seconds: float = 31) -> None:
    """The job looks now, and again after so long."""
    for wait in (0.0, seconds):
        clock.move(wait)
        services.parts.freshness.read()
        await services.live.look(services.system("a test's look"))


# --- tokens and rooms ---------------------------------------------------------------------------------------------


async def test_tokens_and_rooms_of_its_projects_are_on_it_and_keep_their_prefix(
    town: Town, home: RunningLiveKit, far: RunningLiveKit
) -> None:
    owner = await town.person()
    there, here = await in_region(town, owner, FAR), await in_region(town, owner, HOME)
    name = f"{there.id}.lobby"
    far.people |= {name: ["ada", "bob"], "somebody-elses": ["eve"]}
    home.people |= {name: ["old"], f"{here.id}.hall": ["carl"]}
    work = await town.by_key(there)
    minted = await tokens.create(work, ASKED)
    claims, wrong = far.signer.read(minted.token, now=0)

    assert wrong is None
    assert (claims["iss"], claims["video"]["room"], minted.region) == ("farkey", name, FAR)
    assert [room.name for room in await rooms.listing(work)] == ["lobby"]
    assert [room.name for room in await rooms.listing(await town.by_key(here))] == ["hall"]
    await rooms.remove_participant(work, "lobby", "bob")
    await tokens.revoke(work, identity="ada")
    assert (far.people[name], home.people[name]) == ([], ["old"])


async def test_a_projects_own_livekit_comes_before_its_regions(town: Town) -> None:
    owner = await town.person()
    house = await in_region(town, owner, FAR)
    given = GivenLiveKit("wss://own.example.com", "APIown", Secret("the-secret-of-our-own-livekit"))
    await projects.change(town.work(owner), house.id, livekit=given)

    assert (await tokens.create(await town.by_key(house), ASKED)).livekit_room == "lobby"


async def test_nobody_takes_the_pair_of_a_region_for_a_project(town: Town) -> None:
    owner = await town.person()
    house = await in_region(town, owner, HOME)

    with pytest.raises(LiveKitTaken):
        await projects.change(
            town.work(owner), house.id, livekit=GivenLiveKit("wss://far.example.com", "farkey", Secret(SECRET))
        )


@pytest.mark.parametrize(("of_project", "asked"), [(FAR, HOME), (HOME, FAR)])
async def test_a_token_names_no_region_where_its_room_does_not_run(town: Town, of_project: str, asked: str) -> None:
    work = await town.by_key(await in_region(town, await town.person(), of_project))

    with pytest.raises(Invalid) as refused:
        await tokens.create(work, ASKED._replace(region=asked))
    assert [error.field for error in refused.value.errors] == ["region"]
    assert (await tokens.create(work, ASKED._replace(region=of_project))).region == of_project


async def test_a_region_of_the_same_livekit_may_be_named(town: Town) -> None:
    work = await town.by_key(await in_region(town, await town.person(), HOME))

    assert (await tokens.create(work, ASKED._replace(region="asia-south"))).region == "asia-south"


# --- a project that moves -----------------------------------------------------------------------------------------


async def test_after_a_move_new_tokens_lead_to_the_new_livekit_and_old_ones_stay_known(
    town: Town, far: RunningLiveKit
) -> None:
    owner = await town.person()
    house = await in_region(town, owner, HOME)
    before = await tokens.create(await town.by_key(house), ASKED)
    await projects.change(town.work(owner), house.id, region=FAR)
    work = await town.by_key(house)
    after = await tokens.create(work, ASKED)
    passport = await tokens.validate(work, before.token)

    assert far.signer.read(after.token, now=0)[1] is None
    assert (passport.valid, passport.room, passport.identity) == (True, "lobby", "ada")
    await tokens.revoke(work, token=before.token)
    assert [(await tokens.validate(work, each.token)).reason for each in (before, after)] == ["revoked", "revoked"]


async def test_whoever_is_still_in_a_room_of_before_stays_accountable_there(
    town: Town, services: Services, home: RunningLiveKit, far: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await in_region(town, owner, HOME)
    await projects.change(town.work(owner), house.id, region=FAR)
    home.people |= {f"{house.id}.lobby": ["mallory"]}
    far.people |= {f"{house.id}.lobby": ["eve"]}
    await looked(services, clock)

    removed = await services.accountability.look(services.system("a test's look"), services.live.rooms)

    # Neither came in with a token of ours.
    assert removed == 2
    assert (home.people[f"{house.id}.lobby"], far.people[f"{house.id}.lobby"]) == ([], [])


# --- what is live, and what is told -------------------------------------------------------------------------------


async def test_the_rooms_of_all_its_livekits_are_counted(
    town: Town, services: Services, home: RunningLiveKit, far: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    there, here = await in_region(town, owner, FAR), await in_region(town, owner, HOME)
    far.people |= {f"{there.id}.lobby": ["ada", "bob"]}
    home.people |= {f"{here.id}.lobby": ["carl"]}
    await looked(services, clock, seconds=1)

    seen = await figures.overview(town.work(owner), owner.organization.id)

    assert (seen.people_live, seen.by_project[there.id].people, seen.by_project[here.id].people) == (3, 2, 1)


async def test_while_one_is_away_nobody_knows_what_runs_there_and_the_rest_is_known(
    town: Town, services: Services, far: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    there, here = await in_region(town, owner, FAR), await in_region(town, owner, HOME)
    far.gone = True
    await looked(services, clock, seconds=1)
    seen = await figures.overview(town.work(owner), owner.organization.id)
    facts = {fact.name: fact for fact in (await project_health.of_project(town.work(owner), there.id)).facts}

    assert (seen.people_live, seen.operational) == (None, False)
    assert (seen.by_project[there.id].rooms, seen.by_project[here.id].rooms) == (None, 0)
    assert facts["livekit"].sentence == "The LiveKit of eu-west does not answer."


async def test_silence_names_the_lines_of_the_region_that_is_silent(
    town: Town, services: Services, far: RunningLiveKit, clock: MovableClock
) -> None:
    owner = await town.person()
    house = await in_region(town, owner, FAR)
    far.people |= {f"{house.id}.lobby": ["ada"]}
    await looked(services, clock)
    found = await silence.of(town.work(owner), project_id=house.id)
    told = next(part for part in (await health.look(services.system("a test"))).parts if part.name == "livekit_events")

    assert found is not None
    assert not found.own
    assert '"farkey"' in found.yaml
    assert told.colour == "red"
    assert '"farkey"' in told.detail


# --- events -------------------------------------------------------------------------------------------------------


def event(room: str, key: str, secret: str) -> tuple[bytes, str]:
    """A webhook as the LiveKit with this pair sends it."""
    body = json.dumps({"event": "participant_joined", "id": "EV_1", "createdAt": "1700000000", "room": {"name": room}})
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return body.encode(), Signer(secret.encode()).sign({"iss": key, "exp": 4_000_000_000, "sha256": digest})


async def test_a_regions_livekit_speaks_with_its_own_key(
    town: Town, services: Services, engine: BreakableEngine
) -> None:
    real = LiveKitServer("ws://127.0.0.1:1", "farkey", Secret(SECRET), region=FAR)
    services = replace(services, parts=replace(services.parts, region_livekits={FAR: real}))
    town = Town(services)
    house = await in_region(town, await town.person(), FAR)
    name = f"{house.id}.lobby"

    assert await media_events.take(town.stranger, *event(name, "farkey", SECRET))
    assert not await media_events.take(town.stranger, *event(name, "farkey", SECRET))
    assert [each["livekit"] for each in await kept(engine, "livekit_events")] == ["farkey"]
    for key, secret in (("farkey", SECRET[::-1]), ("elsewhere", SECRET)):
        with pytest.raises(Unauthenticated):
            await media_events.take(town.stranger, *event(name, key, secret))
