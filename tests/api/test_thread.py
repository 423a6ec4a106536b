"""The thread by HTTP, from sign-up to a token, with the fields that an outside client relies on."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from livekit.api import TokenVerifier

from pulse_dash.core.errors import Conflict, PreconditionFailed, Unauthenticated
from tests.api.asserting import assert_problem, assert_refused
from tests.people import PASSWORD, Town

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
SIGN_UP = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada", "organization_name": "Acme"}


async def test_from_sign_up_to_a_token_that_livekit_accepts(client: httpx.AsyncClient) -> None:
    signed_up = await client.post("/v1/auth/signup", json=SIGN_UP)
    assert signed_up.status_code == 201
    headers = {"Authorization": f"Bearer {signed_up.json()['access_token']}"}
    org_id = signed_up.json()["organization"]["id"]
    made = await client.post("/v1/projects", headers=headers, json={"org_id": org_id, "name": "Live"})
    assert made.status_code == 201
    pair = {"X-Pulse-Key": made.json()["pulse_api_key"], "X-Pulse-Secret": made.json()["pulse_api_secret"]}

    minted = await client.post("/v1/tokens/create", headers=pair, json={"room": "lobby", "identity": "ada"})

    answer = minted.json()
    assert answer.keys() == {"token", "url", "room", "livekit_room", "identity", "region", "expires_at"}
    assert answer["livekit_room"] == f"{made.json()['id']}.lobby"
    assert MOMENT.fullmatch(answer["expires_at"])
    grants = TokenVerifier("testkey", "a-livekit-secret-of-the-tests-alone").verify(answer["token"])
    assert (grants.identity, grants.video.room, grants.video.room_join) == ("ada", answer["livekit_room"], True)
    passport = (await client.post("/v1/tokens/validate", headers=pair, json={"token": answer["token"]})).json()
    assert passport.keys() == {"valid", "expires_at", "identity", "room", "permissions", "project_id", "minted"}
    assert passport["minted"].keys() == {"at", "key_id", "key_name"}
    assert (passport["valid"], passport["room"], passport["minted"]["key_name"]) == (True, "lobby", "default")


async def test_signing_up_and_in_answer_with_the_same_fields(client: httpx.AsyncClient) -> None:
    up = (await client.post("/v1/auth/signup", json=SIGN_UP)).json()
    signed_in = (await client.post("/v1/auth/login", json={k: SIGN_UP[k] for k in ("email", "password")})).json()

    for answer in (up, signed_in):
        assert {"access_token", "refresh_token", "user", "organization"} <= answer.keys()
        assert answer["user"].keys() == {"id", "email", "name"}
        assert answer["organization"].keys() == {"id", "name", "plan"}
    assert signed_in["organizations"] == [
        {"id": up["organization"]["id"], "name": "Acme", "role": "owner", "second_factor_needed": False}
    ]


async def test_an_address_that_is_taken_is_a_conflict(client: httpx.AsyncClient) -> None:
    await client.post("/v1/auth/signup", json=SIGN_UP)

    assert_problem(await client.post("/v1/auth/signup", json=SIGN_UP), 409, "email_taken")
    assert issubclass(PreconditionFailed, Conflict)


async def test_a_refresh_token_is_swapped_once(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()

    swapped = await client.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token})
    again = await client.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token})

    assert swapped.status_code == 200
    assert swapped.json()["refresh_token"] != person.refresh_token
    assert_refused(again, Unauthenticated)


async def test_a_public_route_does_not_look_at_credentials(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    ended = {"Authorization": "Bearer ended.long.ago", "X-Pulse-Key": "x"}

    answer = await client.post("/v1/auth/refresh", headers=ended, json={"refresh_token": person.refresh_token})

    assert answer.status_code == 200


async def test_a_secret_is_answered_where_it_is_made_and_never_again(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    path = f"/v1/projects/{house.id}"
    made = await client.post(f"{path}/keys", headers=owner.headers, json={"name": "second"})
    fresh = await client.post(
        f"{path}/regenerate-keys", headers=owner.headers, json={"key_id": made.json()["id"], "grace_seconds": 60}
    )
    secrets = {house.key.secret.reveal(), made.json()["pulse_api_secret"], fresh.json()["pulse_api_secret"]}

    later = [await client.get(each, headers=owner.headers) for each in (path, f"{path}/keys", "/v1/projects")]

    assert (made.status_code, fresh.status_code, len(secrets)) == (201, 200, 3)
    assert made.json().keys() >= {"id", "name", "pulse_api_key", "pulse_api_secret"}
    assert MOMENT.fullmatch(fresh.json()["old_valid_until"])
    assert not any(secret in answer.text for answer in later for secret in secrets)


async def test_regenerating_without_a_body_takes_the_first_key_at_once(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    fresh = await client.post(f"/v1/projects/{house.id}/regenerate-keys", headers=owner.headers)

    assert (fresh.status_code, fresh.json()["id"]) == (200, house.key.id)
    old = await client.get(f"/v1/projects/{house.id}", headers=house.headers)
    assert_refused(old, Unauthenticated)


@pytest.mark.parametrize("noun", ["projects", "organizations"])
async def test_a_version_that_moved_is_412_and_none_is_demanded(
    client: httpx.AsyncClient, town: Town, noun: str
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    path = f"/v1/{noun}/{house.id if noun == 'projects' else owner.organization.id}"
    tag = (await client.get(path, headers=owner.headers)).headers["etag"]

    changed = await client.put(path, headers={**owner.headers, "If-Match": tag}, json={"name": "one"})
    moved = await client.put(path, headers={**owner.headers, "If-Match": tag}, json={"name": "two"})

    assert (changed.status_code, changed.json()["name"]) == (200, "one")
    assert_refused(moved, PreconditionFailed)
    for unfit in ('"v9999999999"', "v1", 'W/"v1"', '"', "x" * 500):
        answer = await client.put(path, headers={**owner.headers, "If-Match": unfit}, json={"name": "x"})
        assert_refused(answer, PreconditionFailed)
    for any_will_do in ({}, {"If-Match": "*"}):
        assert (await client.put(path, headers={**owner.headers, **any_will_do}, json={})).status_code == 200


async def test_a_list_tells_its_page_its_limit_and_how_many_there_are(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    for _ in range(3):
        await town.project(owner)

    answer = (await client.get("/v1/projects?page=2&limit=2", headers=owner.headers)).json()

    assert answer.keys() == {"items", "page", "limit", "total"}
    assert (len(answer["items"]), answer["page"], answer["limit"], answer["total"]) == (1, 2, 2, 3)
    assert all(MOMENT.fullmatch(item["created_at"]) for item in answer["items"])


async def test_the_log_of_a_request_holds_no_secret_no_token_and_no_query(
    client: httpx.AsyncClient, town: Town, logged: list[MutableMapping[str, Any]]
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await client.post("/v1/auth/login", json={"email": owner.actor.email, "password": PASSWORD})
    await client.post("/v1/tokens/create?hidden=query", headers=house.headers, json={"room": "r", "identity": "i"})
    await client.get("/v1/projects?search=hidden", headers=owner.headers)

    lines = [line for line in logged if line["event"] == "request"]

    assert [(line["method"], line["status"]) for line in lines] == [("POST", 200), ("POST", 200), ("GET", 200)]
    assert all(line["request_id"] and line["ms"] >= 0 for line in lines)
    written = json.dumps(logged, default=str)
    for secret in (PASSWORD, house.key.secret.reveal(), owner.access_token, "hidden"):
        assert secret not in written


async def test_answers_of_the_api_are_kept_by_nobody_and_framed_nowhere(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/v1/auth/me"), await client.get("/v1/nothing"), await client.get("/health")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_only_documents_carry_what_a_browser_heeds_of_documents(client: httpx.AsyncClient) -> None:
    of_documents = {"referrer-policy", "permissions-policy", "cross-origin-opener-policy"}
    page, data, problem = [await client.get(path) for path in ("/status", "/v1/status", "/v1/nothing")]

    assert of_documents <= page.headers.keys()
    assert of_documents.isdisjoint(data.headers)
    assert of_documents.isdisjoint(problem.headers)


async def test_metrics_count_by_route_and_never_by_project(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    await client.get(f"/v1/projects/{house.id}", headers=house.headers)
    await client.post("/v1/tokens/create", headers=house.headers, json={})
    owner = await town.person()
    await client.post("/v1/organizations", headers=owner.headers, json={"name": "x"})

    assert_problem(await client.get("/metrics"), 404, "not_found")
    local = httpx.ASGITransport(client._transport.app, client=("127.0.0.1", 1))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=local, base_url="http://localhost:8000") as near:
        metrics = (await near.get("/metrics")).text

    assert house.id not in metrics
    for verb, path in (
        ("GET", "/v1/projects/{project_id}"),
        ("POST", "/v1/tokens/create"),
        ("POST", "/v1/organizations"),
    ):
        assert f'method="{verb}",route="{path}"' in metrics


async def test_of_several_who_demand_one_version_one_changes_it_and_the_rest_are_told_412(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    path = f"/v1/projects/{house.id}"
    tag = (await client.get(path, headers=owner.headers)).headers["etag"]

    async def named(name: str) -> int:
        return (await client.put(path, headers={**owner.headers, "If-Match": tag}, json={"name": name})).status_code

    assert sorted(await asyncio.gather(*map(named, ("one", "two", "three")))) == [200, 412, 412]


async def test_every_time_is_told_to_the_millisecond(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    minted = (
        await client.post("/v1/tokens/create", headers=house.headers, json={"room": "lobby", "identity": "ada"})
    ).json()
    passport = (await client.post("/v1/tokens/validate", headers=house.headers, json={"token": minted["token"]})).json()

    for told in (minted["expires_at"], passport["expires_at"], passport["minted"]["at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told)
