"""The second factor over HTTP and through the dashboard's forms: the challenge, the code, and what is told to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.core import personal_tokens
from pulse_dash.core.access import Role
from pulse_dash.core.challenges import ChallengeOver, SecondFactorRequired, WrongCode
from pulse_dash.core.errors import Invalid, NotFound, SecondFactorNeeded
from pulse_dash.core.second_factor import FactorIsOff, FactorIsOn
from pulse_dash.core.sessions import NotByToken
from pulse_dash.services import Services
from pulse_dash.settings import Settings
from tests.api.asserting import assert_refused, fields
from tests.core.authenticator import App
from tests.doubles import MovableClock
from tests.people import PASSWORD, Person, Town

OURS = {"Sec-Fetch-Site": "same-origin"}
ROOT = "/v1/auth/second-factor"


async def turned_on(client: httpx.AsyncClient, person: Person, clock: MovableClock) -> tuple[App, list[str]]:
    """Their app and their recovery codes, over HTTP alone."""
    setup = await client.post(f"{ROOT}/setup", headers=person.headers, json={"password": PASSWORD})
    app = App(setup.json()["secret"], clock)
    confirmed = await client.post(f"{ROOT}/confirm", headers=person.headers, json={"code": app.code()})
    assert confirmed.status_code == 200
    return app, confirmed.json()["recovery_codes"]


def credentials(person: Person) -> dict[str, str]:
    return {"email": person.actor.email, "password": PASSWORD}


async def test_a_projects_key_and_a_personal_token_reach_nobodys(client: httpx.AsyncClient, town: Town) -> None:
    house, person = await town.house(), await town.person()
    made = await personal_tokens.create(town.work(person), name="script", expires_in_days=1)
    by_token = {"Authorization": f"Bearer {made.secret.reveal()}"}
    for verb, path, body in (
        ("GET", ROOT, None),
        ("POST", f"{ROOT}/setup", {"password": PASSWORD}),
        ("POST", f"{ROOT}/confirm", {"code": "000000"}),
        ("POST", f"{ROOT}/recovery-codes", {"code": "000000"}),
        ("POST", f"{ROOT}/off", {"code": "000000"}),
    ):
        assert (await client.request(verb, path, headers=dict(house.headers), json=body)).status_code == 401
        assert_refused(await client.request(verb, path, headers=by_token, json=body), NotByToken)


async def test_log_in_asks_for_a_code_and_the_second_call_signs_in(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    person = await town.person()
    app, _ = await turned_on(client, person, clock)

    asked = await client.post("/v1/auth/login", json=credentials(person))
    challenge = assert_refused(asked, SecondFactorRequired)["challenge"]
    wrong = await client.post(ROOT, json={"challenge": challenge, "code": "000000"})
    right = await client.post(ROOT, json={"challenge": challenge, "code": app.next_code()})

    assert_refused(wrong, WrongCode)
    assert right.json()["user"]["id"] == person.actor.id
    fresh = {"Authorization": f"Bearer {right.json()['access_token']}"}
    assert (await client.get("/v1/auth/me", headers=fresh)).status_code == 200


async def test_a_challenge_opens_nothing_by_itself(client: httpx.AsyncClient, town: Town, clock: MovableClock) -> None:
    person = await town.person()
    await turned_on(client, person, clock)
    challenge = (await client.post("/v1/auth/login", json=credentials(person))).json()["challenge"]

    assert (await client.get("/v1/auth/me", headers={"Authorization": f"Bearer {challenge}"})).status_code == 401
    assert (await client.post("/v1/auth/refresh", json={"refresh_token": challenge})).status_code == 401
    assert_refused(await client.post(ROOT, json={"challenge": person.access_token, "code": "000000"}), ChallengeOver)


async def test_it_is_set_up_read_renewed_and_turned_off(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    person = await town.person()
    wrong = await client.post(f"{ROOT}/setup", headers=person.headers, json={"password": "not it, by far"})
    assert_refused(wrong, Invalid)
    assert fields(wrong) == ["password"]
    _, codes = await turned_on(client, person, clock)
    again = await client.post(f"{ROOT}/setup", headers=person.headers, json={"password": PASSWORD})
    assert_refused(again, FactorIsOn)
    standing = (await client.get(ROOT, headers=person.headers)).json()
    assert (standing["on"], standing["recovery_codes_left"]) == (True, 10)

    renewed = await client.post(f"{ROOT}/recovery-codes", headers=person.headers, json={"code": codes[0]})
    fresh = renewed.json()["recovery_codes"]
    assert len({*fresh, *codes}) == 20
    off = await client.post(f"{ROOT}/off", headers=person.headers, json={"code": fresh[0]})

    assert off.status_code == 204
    assert (await client.get(ROOT, headers=person.headers)).json() == {
        "on": False,
        "since": None,
        "recovery_codes_left": 0,
    }
    assert_refused(await client.post(f"{ROOT}/off", headers=person.headers, json={"code": "000000"}), FactorIsOff)


async def test_an_organization_that_asks_for_it_answers_403_to_who_has_none_and_404_to_strangers(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    owner, stranger = await town.person(), await town.person()
    house = await town.project(owner)
    admin = await town.member(owner.organization, Role.ADMIN)
    await turned_on(client, owner, clock)
    there = f"/v1/organizations/{owner.organization.id}"
    asked = await client.put(there, headers=owner.headers, json={"requires_second_factor": True})
    assert asked.json()["requires_second_factor"] is True

    mint = {"room": "lobby", "identity": "ada"}
    for verb, path, body in (
        ("GET", there, None),
        ("PUT", there, {"name": "mine"}),
        ("GET", f"{there}/members", None),
        ("GET", f"/v1/audit-logs?org_id={owner.organization.id}", None),
        ("GET", f"/v1/projects/{house.id}", None),
        ("POST", f"/v1/projects/{house.id}/keys", {"name": "k"}),
        ("POST", f"/v1/tokens/create?project_id={house.id}", mint),
    ):
        assert_refused(await client.request(verb, path, headers=admin.headers, json=body), SecondFactorNeeded)
        assert_refused(await client.request(verb, path, headers=stranger.headers, json=body), NotFound)
    me = (await client.get("/v1/auth/me", headers=admin.headers)).json()
    assert {each["id"]: each["second_factor_needed"] for each in me["organizations"]} == {
        owner.organization.id: True,
        admin.organization.id: False,
    }
    await turned_on(client, admin, clock)
    assert (await client.get(there, headers=admin.headers)).status_code == 200


async def test_a_personal_token_waits_where_a_second_factor_is_asked_until_its_person_has_one(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, Role.DEVELOPER)
    before = await a_token(client, member)
    await turned_on(client, owner, clock)
    there = f"/v1/organizations/{owner.organization.id}"
    await client.put(there, headers=owner.headers, json={"requires_second_factor": True})
    tokens = (before, await a_token(client, member))

    for token in tokens:
        assert_refused(await client.get(there, headers=token), SecondFactorNeeded)
        listed = (await client.get("/v1/organizations", headers=token)).json()["items"]
        assert [each["id"] for each in listed] == [member.organization.id]
    await turned_on(client, member, clock)
    for token in tokens:
        assert (await client.get(there, headers=token)).status_code == 200


async def a_token(client: httpx.AsyncClient, person: Person) -> dict[str, str]:
    """A personal token of theirs, as a script sends it."""
    made = await client.post("/v1/auth/tokens", headers=person.headers, json={"name": "script", "expires_in_days": 1})
    return {"Authorization": f"Bearer {made.json()['access_token']}"}


# --- the dashboard's forms --------------------------------------------------------------------------------------


async def begun(client: httpx.AsyncClient, person: Person, **more: str) -> httpx.Response:
    return await client.post("/session/login", headers=OURS, data={**credentials(person), **more})


async def test_the_form_keeps_the_challenge_in_a_careful_cookie_and_out_of_the_address(
    client: httpx.AsyncClient, town: Town, settings: Settings, clock: MovableClock
) -> None:
    person = await town.person()
    await turned_on(client, person, clock)

    answer = await begun(client, person, next="/projects?page=2")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/second-factor?next=%2Fprojects%3Fpage%3D2"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{settings.challenge_cookie_name}=")
    for flag in ("httponly", "samesite=strict", "path=/", "max-age=300"):
        assert flag in cookie
    assert settings.cookie_name not in client.cookies


async def test_the_code_signs_in_and_takes_the_challenge_away(
    client: httpx.AsyncClient, town: Town, settings: Settings, clock: MovableClock
) -> None:
    person = await town.person()
    app, _ = await turned_on(client, person, clock)
    await begun(client, person)

    wrong = await client.post("/session/second-factor", headers=OURS, data={"code": "000000", "next": "/team"})
    right = await client.post("/session/second-factor", headers=OURS, data={"code": app.next_code(), "next": "/team"})

    assert wrong.headers["location"].startswith("/second-factor?error=wrong_code")
    assert parse_qs(urlsplit(wrong.headers["location"]).query)["next"] == ["/team"]
    assert (right.status_code, right.headers["location"]) == (303, "/team")
    assert settings.cookie_name in client.cookies
    assert settings.challenge_cookie_name not in client.cookies


async def test_a_code_without_a_challenge_begins_again(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    person = await town.person()
    app, _ = await turned_on(client, person, clock)

    answer = await client.post("/session/second-factor", headers=OURS, data={"code": app.next_code()})

    assert answer.headers["location"].startswith("/login?error=challenge_over")


async def test_behind_https_no_neighbour_sets_the_challenge(
    services: Services, settings: Settings, town: Town, clock: MovableClock
) -> None:
    secured = settings.model_copy(update={"public_url": "https://pulse.example.com"})
    app: Any = make_api(_with(services, secured))
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="https://pulse.example.com") as client:
        person = await town.person()
        await turned_on(client, person, clock)

        cookie = (await begun(client, person)).headers["set-cookie"]

    assert cookie.startswith("__Host-pulse-challenge=")
    assert "; Secure" in cookie


def _with(services: Services, settings: Settings) -> Services:
    return replace(services, settings=settings)


@pytest.mark.parametrize("code", ["", "x" * 10_000, "\x00", "１２３４５６", "-" * 64])
async def test_no_code_is_a_fault_of_ours(
    client: httpx.AsyncClient, town: Town, clock: MovableClock, code: str
) -> None:
    person = await town.person()
    await turned_on(client, person, clock)
    await begun(client, person)

    answer = await client.post("/session/second-factor", headers=OURS, data={"code": code})

    assert answer.headers["location"].startswith("/second-factor?error=wrong_code")
