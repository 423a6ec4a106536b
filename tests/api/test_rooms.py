"""Rooms over HTTP: one's own alone, under the names that the customer gave, whatever stands in them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, NotFound, Unavailable
from pulse_dash.services import Services
from tests.api.asserting import assert_problem, assert_refused
from tests.doubles import RunningLiveKit
from tests.people import HOSTILE, House, Town


@pytest.fixture
def livekit() -> RunningLiveKit:
    """A LiveKit with nobody in it."""
    return RunningLiveKit()


@pytest.fixture
def services(services: Services, livekit: RunningLiveKit) -> Services:
    """All parts, with that LiveKit."""
    return replace(services, parts=replace(services.parts, livekit=livekit))


async def names(client: httpx.AsyncClient, house: House, **query: str) -> list[str]:
    """The project's running rooms."""
    answer = await client.get("/v1/media/rooms", headers=house.headers, params=query)
    assert answer.status_code == 200, answer.text
    return [room["name"] for room in answer.json()["items"]]


async def test_one_project_sees_nothing_of_anothers_room_of_the_same_name(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    mine, other = await town.house(), await town.house()
    livekit.people |= {f"{mine.id}.lobby": ["ada"], f"{other.id}.lobby": ["eve", "bob"], "lobby": ["x"], "a.lobby": []}

    (room,) = (await client.get("/v1/media/rooms", headers=mine.headers)).json()["items"]

    assert (room["name"], room["num_participants"]) == ("lobby", 1)
    people = await client.get("/v1/media/rooms/lobby/participants", headers=mine.headers)
    assert [person["identity"] for person in people.json()["items"]] == ["ada"]
    assert_refused(await client.get(f"/v1/media/rooms/{other.id}.lobby", headers=mine.headers), NotFound)


STRANGE = ["a/b", "a%2Fb", "..", "../..", ".hidden", "a b", "ä", "𝕏", "?x=y#z", "a.b.c", "%", "\u202ex", HOSTILE, "//"]


@pytest.mark.parametrize("name", STRANGE)
async def test_a_name_is_percent_encoded_in_paths_slashes_too(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit, name: str
) -> None:
    house = await town.house()
    livekit.people |= {f"{house.id}.{name}": [name, "bob"]}
    path = f"/v1/media/rooms/{quote(name, safe='').replace('.', '%2E')}"

    assert (await client.get(path, headers=house.headers)).json()["name"] == name
    removed = await client.post(
        f"{path}/participants/{quote(name, safe='').replace('.', '%2E')}/remove", headers=house.headers
    )
    assert removed.status_code == 204
    left = await client.get(f"{path}/participants", headers=house.headers)
    assert [person["identity"] for person in left.json()["items"]] == ["bob"]
    assert (await client.delete(path, headers=house.headers)).status_code == 204
    assert livekit.people == {}


async def test_a_slash_that_is_not_encoded_parts_the_path(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    livekit.people |= {f"{house.id}.a/b": ["ada"]}

    assert_problem(await client.get("/v1/media/rooms/a/b", headers=house.headers), 404, "not_found")


async def test_a_room_that_does_not_run_is_not_found(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()

    for verb, path in (("GET", "lobby"), ("DELETE", "lobby"), ("POST", "lobby/participants/ada/remove")):
        assert_refused(await client.request(verb, f"/v1/media/rooms/{path}", headers=house.headers), NotFound)


async def test_a_viewer_sees_rooms_and_neither_people_nor_the_end_of_them(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    livekit.people |= {f"{house.id}.lobby": ["ada"]}
    query = f"?project_id={house.id}"

    assert (await client.get(f"/v1/media/rooms{query}", headers=viewer.headers)).json()["total"] == 1
    for verb, path in (("GET", "/participants"), ("DELETE", ""), ("POST", "/participants/ada/remove")):
        answer = await client.request(verb, f"/v1/media/rooms/lobby{path}{query}", headers=viewer.headers)
        assert_refused(answer, Forbidden)


async def test_rooms_come_in_pages_and_are_searched(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    livekit.people |= {f"{house.id}.room {number}": [] for number in range(5)}

    assert await names(client, house, page="2", limit="2") == ["room 2", "room 3"]
    assert await names(client, house, page="9") == []
    assert await names(client, house, search="ROOM 4") == ["room 4"]


async def test_a_livekit_that_is_away_is_503_and_nothing_else_is(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    house = await town.house()
    livekit.gone = True

    away = await client.get("/v1/media/rooms", headers=house.headers)
    minted = await client.post("/v1/tokens/create", headers=house.headers, json={"room": "r", "identity": "i"})

    assert_refused(away, Unavailable)
    assert away.headers["Retry-After"]
    assert minted.status_code == 200


async def test_revoking_denies_the_token_and_puts_its_participant_out(
    client: httpx.AsyncClient, town: Town, livekit: RunningLiveKit
) -> None:
    stranger, house = await town.house(), await town.house()
    asked = {"room": "lobby", "identity": "ada"}
    minted = (await client.post("/v1/tokens/create", headers=house.headers, json=asked)).json()
    livekit.people |= {f"{house.id}.lobby": ["ada", "bob"]}

    refused = await client.post("/v1/tokens/revoke", headers=stranger.headers, json={"token": minted["token"]})
    revoked = await client.post("/v1/tokens/revoke", headers=house.headers, json={"token": minted["token"]})
    nobody = await client.post("/v1/tokens/revoke", headers=house.headers, json={})
    passport = await client.post("/v1/tokens/validate", headers=house.headers, json={"token": minted["token"]})

    assert_problem(refused, 422, "invalid")
    assert_problem(nobody, 422, "invalid")
    assert revoked.status_code == 200
    assert revoked.json().keys() == {"revoked_before", "participants_removed"}
    assert revoked.json()["participants_removed"] == 1
    assert livekit.people == {f"{house.id}.lobby": ["bob"]}
    assert passport.json()["reason"] == "revoked"
