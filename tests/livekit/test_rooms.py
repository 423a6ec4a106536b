"""Rooms over the REST API while real people are in them: under the customer's own names, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from tests.livekit.guests import WITHIN, joined
from tests.served import Customer, eventually

ROOMS = "/v1/media/rooms"


def in_room(room: str, rest: str = "") -> str:
    return f"{ROOMS}/{quote(room, safe='')}{rest}"


def put_out(room: str, identity: str) -> str:
    return in_room(room, f"/participants/{quote(identity, safe='')}/remove")


async def test_a_running_room_is_listed_under_the_customers_own_name(acme: Customer) -> None:
    async def counted() -> list[dict[str, Any]]:
        return [room for room in await acme.items(ROOMS) if room["num_participants"]]

    async with joined(await acme.token("lobby", "ada")):
        rooms = await eventually(counted)  # LiveKit lists a room before it counts who is in it

    assert [(room["name"], room["num_participants"]) for room in rooms] == [("lobby", 1)]


async def test_participants_carry_the_names_that_the_token_gave_them(acme: Customer) -> None:
    async def publishing() -> list[dict[str, Any]]:
        return [found for found in await acme.items(in_room("lobby", "/participants")) if found["is_publisher"]]

    async with joined(await acme.token("lobby", "ada", name="Ada Lovelace", metadata="vip")) as ada:
        await ada.speak()
        (found,) = await eventually(publishing)  # LiveKit answers who speaks before it tells others of it

    assert (found["identity"], found["name"], found["metadata"]) == ("ada", "Ada Lovelace", "vip")
    assert found["state"] == "active"


async def test_another_projects_rooms_and_people_are_not_there(acme: Customer, rival: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")):
        await eventually(lambda: acme.items(ROOMS))
        rooms = await rival.items(ROOMS)
        room = await rival.ask("GET", in_room("lobby"))
        people = await rival.ask("GET", in_room("lobby", "/participants"))
        removed = await rival.ask("POST", put_out("lobby", "ada"))
        closed = await rival.ask("DELETE", in_room("lobby"))
        still = await acme.items(in_room("lobby", "/participants"))

    assert rooms == []
    assert [room.status_code, removed.status_code, closed.status_code] == [404, 404, 404]
    assert people.status_code == 404 or people.json()["items"] == []
    assert [person["identity"] for person in still] == ["ada"]


async def test_livekits_own_name_of_another_projects_room_opens_nothing(acme: Customer, rival: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")):
        answer = await rival.ask("GET", in_room(f"{acme.project_id}.lobby"))
        removed = await rival.ask("POST", put_out(f"{acme.project_id}.lobby", "ada"))

    assert (answer.status_code, removed.status_code) == (404, 404)


async def test_somebody_is_put_out_of_the_room(acme: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada, joined(await acme.token("lobby", "bob")):
        removed = await acme.ask("POST", put_out("lobby", "ada"))
        await asyncio.wait_for(ada.put_out.wait(), WITHIN)
        left = await acme.items(in_room("lobby", "/participants"))
        again = await acme.ask("POST", put_out("lobby", "ada"))

    assert removed.status_code == 204
    assert [person["identity"] for person in left] == ["bob"]
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_nobody_is_put_out_of_a_room_that_does_not_run(acme: Customer) -> None:
    answer = await acme.ask("POST", put_out("empty", "ada"))

    assert answer.status_code == 404


async def test_a_closed_room_is_gone_with_everybody_in_it(acme: Customer) -> None:
    async with joined(await acme.token("lobby", "ada")) as ada:
        closed = await acme.ask("DELETE", in_room("lobby"))
        await asyncio.wait_for(ada.put_out.wait(), WITHIN)
        again = await acme.ask("DELETE", in_room("lobby"))

    assert closed.status_code == 204
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert await acme.items(ROOMS) == []


async def test_a_room_and_an_identity_with_slashes_signs_and_scripts_are_reached_by_their_names(acme: Customer) -> None:
    room, identity = "class/7 %2F?#&+.. 𝕏", "ada/lovelace %41?#"
    async with joined(await acme.token(room, identity)) as ada:
        read = await acme.ask("GET", in_room(room))
        people = await acme.items(in_room(room, "/participants"))
        removed = await acme.ask("POST", put_out(room, identity))
        await asyncio.wait_for(ada.put_out.wait(), WITHIN)

    assert (read.status_code, read.json()["name"]) == (200, room)
    assert [person["identity"] for person in people] == [identity]
    assert removed.status_code == 204
