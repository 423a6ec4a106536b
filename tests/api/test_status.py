"""Status over HTTP: for everybody, in its shape, from memory, and true while the database is away."""

from __future__ import annotations

import json

import httpx
import pytest
from pydantic import SecretStr

from pulse_dash.core import status
from pulse_dash.core.access import Role
from pulse_dash.core.checks import Result
from pulse_dash.core.passwords import Passwords
from pulse_dash.jobs import schedule
from pulse_dash.services import Services, assemble
from pulse_dash.settings import Settings
from tests.doubles import BreakableEngine, MovableClock, logged
from tests.people import Town


async def test_anybody_reads_the_status_in_its_shape(client: httpx.AsyncClient, services: Services) -> None:
    await status.check(services.system("a test's checks"))

    body = (await client.get("/v1/status")).json()
    assert body.keys() == {"status", "components", "uptime_seconds", "active_projects"}
    assert [each["name"] for each in body["components"]] == ["database", "api", "livekit"]
    assert all(each.keys() == {"name", "status", "latency_ms", "checked_at"} for each in body["components"])
    # The tests' LiveKit is nowhere.
    assert [each["status"] for each in body["components"]] == ["operational", "operational", "down"]
    assert body["status"] == "degraded"


async def test_the_open_status_counts_by_address_like_any_open_route(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/status", headers={"authorization": "Bearer of-nobody"})

    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"].startswith('"ip";q=')


@pytest.mark.parametrize("path", ["/health", "/ready", "/status", "/status.atom", "/api/v2/summary.json", "/v1/status"])
async def test_a_monitor_may_ask_for_the_head_alone(client: httpx.AsyncClient, path: str) -> None:
    head, whole = await client.head(path), await client.get(path)

    assert head.status_code == whole.status_code
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.content == b""


async def test_the_head_of_what_is_not_open_is_not_told(client: httpx.AsyncClient) -> None:
    assert (await client.head("/v1/audit-logs/export")).status_code == 405


async def test_status_and_its_page_ask_nothing_while_somebody_waits(
    client: httpx.AsyncClient, engine: BreakableEngine
) -> None:
    await logged()
    before = engine.operations
    answers = [await client.get(path) for path in ("/v1/status", "/status")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert engine.operations == before


async def test_what_a_check_found_is_told_at_once_and_what_is_too_old_is_not(
    client: httpx.AsyncClient, services: Services, clock: MovableClock
) -> None:
    told: list[str] = []
    for state in ("operational", "down"):
        services.parts.board.note(Result("livekit", state, 1.0, clock.now()))  # type: ignore[arg-type]
        told.append((await client.get("/v1/status")).json()["components"][2]["status"])
    clock.move(46)
    told.append((await client.get("/v1/status")).json()["components"][2]["status"])

    assert told == ["operational", "down", "unknown"]


async def test_the_page_stands_with_the_last_known_state_while_the_database_is_away(
    client: httpx.AsyncClient, services: Services, engine: BreakableEngine
) -> None:
    work = services.system("a test's checks")
    await status.check(work)
    engine.gone = True
    await status.check(work)

    page = await client.get("/status", headers={"Authorization": "Bearer of-nobody"})
    assert page.status_code == 200
    assert "Pulse is down" in page.text
    assert (await client.get("/v1/status")).json()["status"] == "down"


async def test_the_page_paints_days_without_checks_as_unknown_and_shows_its_formula(client: httpx.AsyncClient) -> None:
    page = (await client.get("/status")).text

    assert page.count('<rect class="status-unknown"') == 3 * 90
    assert '<rect class="status-operational"' not in page
    assert "uptime = (good + slow) / (good + slow + failed)" in page


async def test_why_something_failed_is_not_told_to_everybody(
    client: httpx.AsyncClient, services: Services, clock: MovableClock
) -> None:
    services.parts.board.note(Result("livekit", "down", None, clock.now(), "10.0.0.7:7880 refused devkey"))

    for path in ("/status", "/v1/status"):
        assert "10.0.0.7" not in (await client.get(path)).text


async def test_regions_say_the_state_of_the_livekit_behind_them(client: httpx.AsyncClient, services: Services) -> None:
    await status.check(services.system("a test's checks"))

    items = (await client.get("/v1/status/regions")).json()["items"]
    assert [each["name"] for each in items] == ["us-east", "eu-west", "asia-south"]
    assert {each["status"] for each in items} == {"down"}


async def test_a_region_with_a_livekit_of_its_own_says_that_ones_state(
    settings: Settings, engine: BreakableEngine, clock: MovableClock
) -> None:
    named = [{"name": "here"}, {"name": "far", "url": "ws://127.0.0.1:1", "key": "k", "secret": "s" * 32}]
    given = settings.model_copy(update={"regions": SecretStr(json.dumps(named))})
    services = assemble(given, engine, clock, Passwords(password_cost=4))
    services.parts.board.note(Result("livekit", "operational", 1.0, clock.now()))
    services.parts.board.note(Result("livekit-far", "down", None, clock.now()))

    found = {each.name: each.status for each in status.regions(services.system("a test"))}
    services.parts.passwords.close()
    assert found == {"here": "operational", "far": "down"}
    assert [each.component.name for each in status.now(services.system("a test")).standings][-1] == "livekit-far"


async def test_a_projects_health_says_what_to_do_and_no_address_of_the_installation(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    answer = await client.get(f"/v1/status/projects/{house.id}", headers=viewer.headers)

    facts = {each["name"]: each for each in answer.json()["facts"]}
    assert answer.json()["status"] == "down"
    assert facts["livekit"]["status"] == "down"
    assert all(each["advice"] for each in facts.values())
    assert "127.0.0.1" not in answer.text


async def test_a_projects_health_counts_the_use_of_its_keys(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    house = await town.house()
    await client.get(f"/v1/projects/{house.id}", headers=house.headers)
    await schedule.flush_tallies(services)

    facts = (await client.get(f"/v1/status/projects/{house.id}", headers=house.headers)).json()["facts"]
    assert facts[0]["name"] == "keys"
    assert facts[0]["status"] == "operational"


async def test_a_key_that_was_revoked_speaks_for_nobody(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await client.get(f"/v1/projects/{house.id}", headers=house.headers)
    await schedule.flush_tallies(services)
    await client.delete(f"/v1/projects/{house.id}/keys/{house.key.id}", headers=owner.headers)

    facts = (await client.get(f"/v1/status/projects/{house.id}", headers=owner.headers)).json()["facts"]
    assert (facts[0]["name"], facts[0]["status"]) == ("keys", "degraded")
