"""What an id opens: another tenant's, a deleted one and junk are one and the same 404, on every route with an id."""

from __future__ import annotations

import itertools

import httpx

from pulse_dash.core import keys, organizations, project_webhooks, projects
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound
from pulse_dash.core.keys import KeyAlreadyRevoked
from pulse_dash.core.project_webhooks import GivenWebhook
from tests.api.asserting import assert_problem, assert_refused, fields
from tests.api.routes import every_route
from tests.people import House, Person, Town

WITH_IDS = [route for route in every_route() if route.ids]
WITH_PROJECT = [route for route in every_route() if route.takes_project]
# What is deleted is what it is for; of what is there it finds nothing, whoever asks.
RESTORING = "POST /v1/organizations/{org_id}/restore"
JUNK = ["%00", "prj_", "x" * 3_000, "%F0%9F%92%A9", "%20", "$ne", "%7B%22$ne%22:null%7D", "%FF", "a%2Fb", "..%2f..%2f"]


def _ids(owner: Person, house: House) -> dict[str, str]:
    return {
        "org_id": owner.organization.id,
        "project_id": house.id,
        "key_id": house.key.id,
        "ban_id": "ban_none",
        "webhook_id": "whk_none",
        "delivery_id": "dlv_none",
        "user_id": owner.actor.id,
        "invitation_id": "inv_none",
        "incident_id": "inc_none",
        "token_id": "ptk_none",
        "session_id": "ses_none",
    }


async def test_every_id_in_a_path_is_one_that_this_table_knows(town: Town) -> None:
    owner = await town.person()

    assert {name for route in WITH_IDS for name in route.ids} <= _ids(owner, await town.project(owner)).keys()


async def test_another_tenants_is_404_even_with_a_body_that_is_wrong(client: httpx.AsyncClient, town: Town) -> None:
    owner, other, stranger = await town.person(), await town.house(), await town.person()
    ids = _ids(owner, await town.project(owner))
    for route in WITH_IDS:
        for headers in (stranger.headers, dict(other.headers)):
            answer = await client.request(route.verb, route.at(**ids), headers=headers, json={"nonsense": True})
            assert_refused(answer, NotFound)


async def test_another_tenants_project_in_the_query_is_404(client: httpx.AsyncClient, town: Town) -> None:
    house, other, stranger = await town.house(), await town.house(), await town.person()
    for route in WITH_PROJECT:
        for headers in (stranger.headers, dict(other.headers)):
            path = f"{route.at()}?project_id={house.id}"
            answer = await client.request(route.verb, path, headers=headers, json={"nonsense": True})
            assert_refused(answer, NotFound)


async def test_a_user_who_names_no_project_is_told_so(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    for route in WITH_PROJECT:
        answer = await client.request(route.verb, route.at(), headers=person.headers, json={})
        assert_refused(answer, Invalid)
        assert fields(answer) == ["project_id"]


async def test_junk_as_an_id_is_404(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    ids = _ids(owner, await town.project(owner))
    for route, junk in itertools.product(WITH_IDS, JUNK):
        for name in route.ids:
            path = route.at(**{**ids, name: junk})
            answer = await client.request(route.verb, path, headers=owner.headers, json={"name": "x"})
            assert_problem(answer, 404, "not_found")


async def test_what_was_deleted_is_404(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await projects.delete(town.work(owner), house.id)
    await organizations.delete(town.work(owner), owner.organization.id)
    for route in WITH_IDS:
        if str(route) == RESTORING:
            continue
        path = route.at(**_ids(owner, house))
        assert_refused(await client.request(route.verb, path, headers=owner.headers, json={"name": "x"}), NotFound)


async def test_the_projects_of_a_deleted_organization_are_404(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    await organizations.delete(town.work(owner), owner.organization.id)

    assert_refused(await client.get(f"/v1/projects/{house.id}", headers=owner.headers), NotFound)
    assert (await client.get("/v1/projects", headers=owner.headers)).json()["items"] == []


async def test_a_key_of_another_project_of_mine_is_404_here(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    here, there = await town.project(owner), await town.project(owner)

    revoked = await client.delete(f"/v1/projects/{here.id}/keys/{there.key.id}", headers=owner.headers)
    regenerated = await client.post(
        f"/v1/projects/{here.id}/regenerate-keys", headers=owner.headers, json={"key_id": there.key.id}
    )

    assert_refused(revoked, NotFound)
    assert_refused(regenerated, NotFound)


async def test_a_key_revoked_twice_is_a_conflict(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await keys.revoke(town.work(owner), house.id, house.key.id)

    answer = await client.delete(f"/v1/projects/{house.id}/keys/{house.key.id}", headers=owner.headers)

    assert_refused(answer, KeyAlreadyRevoked)


async def test_a_key_reads_its_own_project_and_changes_none(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    path = f"/v1/projects/{house.id}"

    assert (await client.get(path, headers=house.headers)).status_code == 200
    assert_refused(await client.put(path, headers=house.headers, json={"name": "mine"}), Forbidden)
    assert_refused(await client.delete(path, headers=house.headers), Forbidden)


# 401 → 404 → 403 → 422: each row is what the caller is, and how far that takes a request whose body is wrong.
ORDER = {"nobody": 401, "a stranger": 404, "a viewer": 403, "an owner": 422}
# An incident is no tenant's; its own order is held by test_incidents.
WITH_BODY = [route for route in WITH_IDS if "requestBody" in route.operation and "incident_id" not in route.ids]


async def test_who_may_not_is_told_before_what_is_wrong(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    house = await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)
    callers = {"nobody": {}, "a stranger": stranger.headers, "a viewer": viewer.headers, "an owner": owner.headers}
    body = {"org_id": owner.organization.id, "nonsense": True}
    made = await project_webhooks.create(town.work(owner), house.id, GivenWebhook("https://1.1.1.1/hooks"))
    ids = {**_ids(owner, house), "webhook_id": made.webhook.id}
    paths = [(route.verb, route.at(**ids)) for route in WITH_BODY]
    paths += [("post", "/v1/projects")]
    paths += [("post", f"/v1/tokens/{what}?project_id={house.id}") for what in ("create", "validate", "revoke")]

    for verb, path in paths:
        answers = {who: await client.request(verb, path, headers=callers[who], json=body) for who in callers}
        assert {who: answer.status_code for who, answer in answers.items()} == ORDER, path


async def test_a_body_that_is_no_json_is_400_before_anybody_is_asked_for(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/v1/projects", content=b"{"), 400, "malformed_json")
    assert_problem(await client.post("/v1/organizations", content=b"[]"), 400, "not_an_object")
