"""What callers meet while the database is away, and that everything comes back by itself."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.doubles import BreakableEngine, MovableClock, logged
from tests.people import PASSWORD, Town

MINT = {"room": "lobby", "identity": "ada"}


async def test_a_pair_verified_before_mints_for_five_seconds_and_then_is_told_to_wait(
    client: httpx.AsyncClient, town: Town, engine: BreakableEngine, clock: MovableClock
) -> None:
    house = await town.house()
    await client.post("/v1/tokens/create", headers=house.headers, json=MINT)
    engine.gone = True

    clock.move(5)
    minted = await client.post("/v1/tokens/create", headers=house.headers, json=MINT)
    assert minted.status_code == 200
    clock.move(2)
    refused = await client.post("/v1/tokens/create", headers=house.headers, json=MINT)
    assert_refused(refused, Unavailable)
    assert int(refused.headers["Retry-After"]) >= 1


async def test_minting_and_validating_ask_the_database_nothing(
    client: httpx.AsyncClient, town: Town, engine: BreakableEngine
) -> None:
    house = await town.house()
    await client.post("/v1/tokens/create", headers=house.headers, json=MINT)
    await logged()
    before = engine.operations

    for _ in range(3):
        assert (await client.post("/v1/tokens/create", headers=house.headers, json=MINT)).status_code == 200

    assert engine.operations == before


ASKED = {
    "a pair never seen before": ("POST", "/v1/tokens/create", {}),
    "somebody who signs in": ("POST", "/v1/auth/login", {"email": "a@example.com", "password": PASSWORD}),
    "somebody new": (
        "POST",
        "/v1/auth/signup",
        {"email": "n@example.com", "password": PASSWORD, "name": "N", "organization_name": "N"},
    ),
    "a refresh": ("POST", "/v1/auth/refresh", {"refresh_token": "pulse_refresh_ses_x.y"}),
    "a list": ("GET", "/v1/projects", None),
    "one thing": ("GET", "/v1/projects/prj_01aaaaaaaaaaaaaaaaaaaaaaaa", None),
    "a change": ("POST", "/v1/organizations", {"name": "x"}),
}


async def test_everything_that_needs_the_database_is_503_with_a_time_to_come_back(
    client: httpx.AsyncClient, town: Town, engine: BreakableEngine
) -> None:
    house, person = await town.house(), await town.person()
    await client.get("/v1/auth/me", headers=person.headers)
    engine.gone = True
    for who, (verb, path, body) in ASKED.items():
        credentials = house.headers if "pair" in who else {} if "/auth/" in path else person.headers

        answer = await client.request(verb, path, headers=credentials, json=body)

        assert_refused(answer, Unavailable)
        assert int(answer.headers["Retry-After"]) >= 1, who


async def test_wrong_credentials_without_a_database_are_still_401_where_their_form_tells(
    client: httpx.AsyncClient, engine: BreakableEngine
) -> None:
    engine.gone = True

    assert (await client.get("/v1/projects", headers={"X-Pulse-Key": "junk"})).status_code == 401
    assert (await client.get("/v1/projects")).status_code == 401


async def test_a_form_says_so_on_its_own_page(client: httpx.AsyncClient, engine: BreakableEngine) -> None:
    engine.gone = True
    form = {"email": "a@example.com", "password": PASSWORD}

    answer = await client.post("/session/login", headers={"Sec-Fetch-Site": "same-origin"}, data=form)

    assert (answer.status_code, answer.headers["location"][:24]) == (303, "/login?error=unavailable")
    assert "set-cookie" not in answer.headers


async def test_the_node_lives_and_is_not_ready(client: httpx.AsyncClient, engine: BreakableEngine) -> None:
    assert (await client.get("/ready")).status_code == 200
    engine.gone = True

    assert (await client.get("/health")).status_code == 200
    red = await client.get("/ready")
    assert (red.status_code, red.json()["ready"]) == (503, False)
    assert int(red.headers["Retry-After"]) >= 1


async def test_a_feed_that_is_not_read_turns_the_node_red_before_a_dead_key_could_answer(
    client: httpx.AsyncClient, clock: MovableClock
) -> None:
    clock.move(7)

    red = await client.get("/ready")

    assert red.status_code == 503
    assert {part["name"]: part["colour"] for part in red.json()["parts"]}["changes_feed"] == "red"


async def test_a_livekit_that_is_away_is_told_and_turns_nothing_red(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")

    assert answer.status_code == 200
    assert {part["name"]: part["colour"] for part in answer.json()["parts"]}["livekit"] == "red"


async def test_parts_are_named_to_everybody_and_told_about_on_the_machine_itself_only(
    client: httpx.AsyncClient,
) -> None:
    parts = (await client.get("/ready")).json()["parts"]

    assert parts
    assert all(part["detail"] is None for part in parts)


@pytest.mark.parametrize("away", [1, 60, 7_200])
async def test_everything_comes_back_by_itself(
    client: httpx.AsyncClient,
    town: Town,
    services: Services,
    engine: BreakableEngine,
    clock: MovableClock,
    away: float,
) -> None:
    house = await town.house()
    await client.post("/v1/tokens/create", headers=house.headers, json=MINT)
    engine.gone = True
    clock.move(away)
    await client.post("/v1/tokens/create", headers=house.headers, json=MINT)

    engine.gone = False
    await services.feed.read()

    assert (await client.post("/v1/tokens/create", headers=house.headers, json=MINT)).status_code == 200
    assert (await client.get("/ready")).status_code == 200
