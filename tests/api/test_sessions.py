"""A person's sign-ins over HTTP: seen with their device, ended from anywhere."""

from __future__ import annotations

import httpx

from pulse_dash.core.errors import NotFound, Unauthenticated
from tests.api.asserting import assert_refused
from tests.people import PASSWORD, Person, Town

PATH = "/v1/auth/sessions"


async def sign_in(client: httpx.AsyncClient, person: Person, program: str) -> dict[str, str]:
    answer = await client.post(
        "/v1/auth/login", json={"email": person.actor.email, "password": PASSWORD}, headers={"User-Agent": program}
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_projects_key_has_no_sign_ins(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()

    for verb in ("GET", "DELETE"):
        assert_refused(await client.request(verb, PATH, headers=house.headers), Unauthenticated)
    assert_refused(await client.delete(f"{PATH}/ses_x", headers=house.headers), NotFound)


async def test_each_sign_in_tells_device_address_and_which_is_mine(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    mine = await sign_in(client, person, "curl/8.5.0")

    newest, first = (await client.get(PATH, headers=mine)).json()["items"]

    assert (newest["device"], newest["ip"], newest["kind"], newest["current"]) == (
        "curl 8.5.0",
        "203.0.113.9",
        "api",
        True,
    )
    assert first["current"] is False
    assert "secret" not in str(newest)


async def test_one_is_ended_from_another_and_refused_at_once(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    mine = await sign_in(client, person, "curl/8.5.0")

    assert (await client.delete(f"{PATH}/{person.actor.session_id}", headers=mine)).status_code == 204

    assert_refused(await client.get("/v1/auth/me", headers=person.headers), Unauthenticated)
    assert (await client.get("/v1/auth/me", headers=mine)).status_code == 200


async def test_all_others_are_ended_at_once(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    mine = await sign_in(client, person, "curl/8.5.0")

    assert (await client.delete(PATH, headers=mine)).status_code == 204

    assert_refused(await client.get("/v1/auth/me", headers=person.headers), Unauthenticated)
    assert [each["current"] for each in (await client.get(PATH, headers=mine)).json()["items"]] == [True]
