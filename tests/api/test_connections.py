"""A project's own LiveKit and bucket over HTTP: they come in, and no secret goes out."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.asgi import People
from pulse_dash.core import sessions
from pulse_dash.core.access import Role
from pulse_dash.core.connections import LiveKitTaken
from pulse_dash.core.errors import Forbidden, Invalid, NotFound
from pulse_dash.services import Services
from tests.api.asserting import assert_refused, fields
from tests.people import Person, Town

LIVEKIT = {"url": "wss://media.example.com", "api_key": "APItenant1234", "api_secret": "livekit-secret-9876"}
STORAGE = {
    "provider": "r2",
    "bucket": "recordings",
    "endpoint": "https://account.r2.cloudflarestorage.com",
    "access_key_id": "AKIAEXAMPLE1234",
    "secret_access_key": "storage-secret-abcd",
}
BOTH = {"livekit": LIVEKIT, "storage": STORAGE}


async def test_strangers_and_viewers_and_keys_change_and_try_nothing(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    path = f"/v1/projects/{house.id}"
    for headers, error in ((stranger.headers, NotFound), (viewer.headers, Forbidden), (house.headers, Forbidden)):
        assert_refused(await client.put(path, headers=headers, json=BOTH), error)
        for what in ("livekit", "storage"):
            assert_refused(await client.post(f"{path}/{what}/test", headers=headers), error)


async def test_no_answer_holds_a_secret_and_each_shows_its_last_four(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    body = {"org_id": owner.organization.id, "name": "own", **BOTH}
    sent = {**owner.headers, "Idempotency-Key": "one"}
    made = await client.post("/v1/projects", headers=sent, json=body)
    path = f"/v1/projects/{made.json()['id']}"
    answers = [
        made,
        await client.post("/v1/projects", headers=sent, json=body),
        await client.get(path, headers=owner.headers),
        await client.get("/v1/projects", headers=owner.headers),
        await client.put(path, headers=owner.headers, json=BOTH),
        await client.get("/v1/audit-logs", headers=owner.headers),
    ]

    for answer in answers:
        assert answer.is_success, answer.text
        for secret in ("livekit-secret", "storage-secret", "APItenant", "AKIAEXAMPLE"):
            assert secret not in answer.text
    read = answers[2].json()
    assert (read["livekit"]["api_key_last4"], read["livekit"]["api_secret_last4"]) == ("1234", "9876")
    assert read["livekit"]["webhook_path"] == f"/v1/internal/livekit/webhook/{read['livekit']['id']}"
    assert read["storage"]["secret_access_key_last4"] == "abcd"
    assert read["storage"]["region"] == "auto"


@pytest.mark.parametrize("part", ["livekit", "storage"])
async def test_null_is_the_installations_again_and_what_is_left_out_stays(
    client: httpx.AsyncClient, town: Town, part: str
) -> None:
    owner = await town.person()
    path = f"/v1/projects/{(await town.project(owner)).id}"
    await client.put(path, headers=owner.headers, json=BOTH)

    left = (await client.put(path, headers=owner.headers, json={"name": "other"})).json()
    gone = (await client.put(path, headers=owner.headers, json={part: None})).json()

    assert left["livekit"]
    assert left["storage"]
    assert gone[part] is None
    assert [name for name in BOTH if gone[name]] == [name for name in BOTH if name != part]


@pytest.mark.parametrize(("part", "field"), [(part, field) for part, whole in BOTH.items() for field in whole])
async def test_a_half_is_refused_and_names_what_is_missing(
    client: httpx.AsyncClient, town: Town, part: str, field: str
) -> None:
    owner = await town.person()
    path = f"/v1/projects/{(await town.project(owner)).id}"
    half = {name: value for name, value in BOTH[part].items() if name != field}

    answer = await client.put(path, headers=owner.headers, json={part: half})

    assert_refused(answer, Invalid)
    assert fields(answer) == [f"{part}.{field}"]


async def test_a_livekit_key_that_serves_another_project_is_a_conflict(client: httpx.AsyncClient, town: Town) -> None:
    owner, other = await town.person(), await town.person()
    first, second = await town.project(owner), await town.project(other)
    await client.put(f"/v1/projects/{first.id}", headers=owner.headers, json={"livekit": LIVEKIT})

    taken = await client.put(f"/v1/projects/{second.id}", headers=other.headers, json={"livekit": LIVEKIT})

    assert_refused(taken, LiveKitTaken)


async def test_a_connection_that_does_not_work_is_told_in_a_sentence(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    path = f"/v1/projects/{(await town.project(owner)).id}"

    for what in ("livekit", "storage"):
        tried = await client.post(f"{path}/{what}/test", headers=owner.headers)
        assert tried.status_code == 200
        assert tried.json()["works"] is False
        assert tried.json()["detail"].endswith(".")


async def test_only_who_may_see_the_project_gets_a_page_that_may_join_its_livekit(
    services: Services, town: Town, client: httpx.AsyncClient
) -> None:
    owner, stranger = await town.person(), await town.person()
    house, shared = await town.project(owner), await town.project(owner)
    await client.put(f"/v1/projects/{house.id}", headers=owner.headers, json={"livekit": LIVEKIT})
    people = People(services.settings)
    people.services = services

    async def asked(person: Person | None, project: str, query: bytes = b"tab=try&livekit=own") -> str:
        cookie = b""
        if person is not None:
            user = await services.system("a test's cookie").store.users.get(person.actor.id)
            started = await sessions.start(town.stranger, user, sessions.DASHBOARD)
            cookie = f"{services.settings.cookie_name}={started.secret.reveal()}".encode()
        scope = {"path": f"/projects/{project}", "query_string": query, "headers": [(b"cookie", cookie)]}
        return await people.own_livekit(scope)

    assert await asked(owner, house.id) == LIVEKIT["url"]
    for person, project, query in (
        (None, house.id, b"livekit=own"),
        (stranger, house.id, b"livekit=own"),
        (owner, shared.id, b"livekit=own"),
        (owner, house.id, b"tab=try"),
        (owner, "prj_none", b"livekit=own"),
    ):
        assert await asked(person, project, query) == ""
