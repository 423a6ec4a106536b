"""Every list has pages and is searched in the same way; what has none of both says why here."""

from __future__ import annotations

import httpx

from pulse_dash.core import bans, invitations, keys, personal_tokens
from pulse_dash.core.access import Role
from tests.api.routes import Route, described, every_route
from tests.people import Town

# Logs are read by cursor; days, regions and incidents are few and whole, and a project has ten webhooks at most.
BY_THEMSELVES = {
    "GET /v1/audit-logs",
    "GET /v1/audit-logs/recent",
    "GET /v1/media/rooms/{room}/participants",
    "GET /v1/projects/{project_id}/webhook-deliveries",
    "GET /v1/projects/{project_id}/webhooks",
    "GET /v1/status/incidents",
    "GET /v1/status/regions",
}


def test_every_list_takes_page_limit_and_search() -> None:
    lists = {
        str(route): {parameter["name"] for parameter in route.operation.get("parameters", ())}
        for route in every_route()
        if route.verb == "get" and _lists(route) and str(route) not in BY_THEMSELVES
    }

    assert len(lists) >= 8
    assert {name for name, taken in lists.items() if not {"page", "limit", "search"} <= taken} == set()


def _lists(route: Route) -> bool:
    """Whether what it answers has items."""
    answer = route.operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    named = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return "items" in described()["components"]["schemas"].get(named, {}).get("properties", {})


async def test_each_list_finds_what_is_looked_for_and_counts_only_that(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house, work = await town.project(owner), town.work(owner)
    for name in ("ci", "Backend", "backup"):
        await keys.create(work, house.id, name=name)
        await bans.ban(work, house.id, identity=f"{name}@example.com", reason="a test")
        await invitations.invite(work, owner.organization.id, email=f"{name}@example.com", role=Role.VIEWER)
        await personal_tokens.create(work, name=name, expires_in_days=1)
    here = f"/v1/projects/{house.id}"
    there = f"/v1/organizations/{owner.organization.id}"

    for path in (f"{here}/keys", f"{here}/bans", f"{there}/invitations", "/v1/auth/tokens"):
        answer = await client.get(path, headers=owner.headers, params={"search": "BACK", "limit": 1, "page": 2})
        found = answer.json()
        assert (found["page"], found["limit"], found["total"], len(found["items"])) == (2, 1, 2, 1), path
    members = (await client.get(f"{there}/members", headers=owner.headers, params={"search": owner.actor.email})).json()
    assert [each["id"] for each in members["items"]] == [owner.actor.id]
    devices = (await client.get("/v1/auth/sessions", headers=owner.headers, params={"search": "no such"})).json()
    assert (devices["total"], devices["items"]) == (0, [])
