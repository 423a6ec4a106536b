"""How many requests are taken: refused with Retry-After beyond the limit, and headers that tell the truth before it."""

from __future__ import annotations

import re

import httpx
import pytest

from pulse_dash.core import key_text
from pulse_dash.core.errors import RateLimited
from pulse_dash.settings import Settings
from tests.api.asserting import assert_problem
from tests.doubles import BreakableEngine, logged
from tests.people import Town

_LEFT = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')
MINT = {"room": "lobby", "identity": "ada"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three requests a minute for everybody."""
    limits = {f"rate_limit_{who}_per_minute": 3 for who in ("ip", "user", "project")}
    return settings.model_copy(update=limits)


def left(answer: httpx.Response) -> tuple[str, int]:
    """Whose limit, and how many more requests the answer promises."""
    found = _LEFT.fullmatch(answer.headers["RateLimit"])
    assert found is not None
    assert answer.headers["RateLimit-Policy"] == f'"{found[1]}";q=3;w=60'
    assert 1 <= int(found[3]) <= 60
    return found[1], int(found[2])


async def test_a_stranger_is_counted_by_address(client: httpx.AsyncClient) -> None:
    answers = [await client.get("/v1/auth/me") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert [left(answer) for answer in answers] == [("ip", 2), ("ip", 1), ("ip", 0), ("ip", 0)]


async def test_a_wrong_pair_is_counted_by_address_too(client: httpx.AsyncClient) -> None:
    headers = {"X-Pulse-Key": "pulse_key_x", "X-Pulse-Secret": "guess"}

    answers = [await client.post("/v1/tokens/create", headers=headers, json=MINT) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_a_spent_address_costs_no_look_into_the_database(
    client: httpx.AsyncClient, engine: BreakableEngine
) -> None:
    def pair() -> dict[str, str]:
        return {"X-Pulse-Key": key_text.new_key(), "X-Pulse-Secret": key_text.new_secret()}

    while (await client.get("/v1/projects", headers=pair())).status_code == 401:
        pass
    await logged()
    before = engine.operations

    assert_problem(await client.get("/v1/projects", headers=pair()), 429, "rate_limited")
    assert engine.operations == before


async def test_what_is_refused_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.get("/v1/auth/me")

    answer = await client.get("/v1/auth/me")

    assert_problem(answer, 429, RateLimited.code)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert f"t={answer.headers['Retry-After']}" in answer.headers["RateLimit"]


async def test_a_project_is_counted_for_itself_in_the_fast_lane_and_elsewhere(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()
    house, neighbour = await town.project(owner), await town.project(owner)

    answers = [await client.post("/v1/tokens/create", headers=house.headers, json=MINT) for _ in range(2)]
    answers += [await client.get(f"/v1/projects/{house.id}", headers=house.headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [left(answer) for answer in answers] == [("project", 2), ("project", 1), ("project", 0), ("project", 0)]
    assert (await client.post("/v1/tokens/create", headers=neighbour.headers, json=MINT)).status_code == 200


async def test_a_user_is_counted_whatever_project_they_name(client: httpx.AsyncClient, town: Town) -> None:
    person, other = await town.person(), await town.person()

    answers = [await client.get("/v1/projects", headers=person.headers) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (await client.get("/v1/projects", headers=other.headers)).status_code == 200


async def test_forms_are_counted_by_address(client: httpx.AsyncClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}

    pages = [await client.post("/session/login", headers=headers, data={"email": "x"}) for _ in range(4)]

    assert [page.status_code for page in pages] == [303] * 4
    assert "error=rate_limited" in pages[3].headers["location"]


async def test_health_and_readiness_count_nowhere(client: httpx.AsyncClient) -> None:
    for _ in range(5):
        assert (await client.get("/health")).status_code == 200
        assert "RateLimit" not in (await client.get("/ready")).headers

    assert (await client.get("/v1/auth/me")).status_code == 401
