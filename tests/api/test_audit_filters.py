"""What the audit log is filtered by, alone and together, and what cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pulse_dash.core import keys, members, projects
from pulse_dash.core.access import Role
from pulse_dash.core.clock import Clock
from pulse_dash.core.errors import Forbidden, Invalid
from pulse_dash.core.work import Call
from tests.api.asserting import assert_refused, fields
from tests.doubles import MovableClock
from tests.people import House, Person, Town

PATH = "/v1/audit-logs"


@dataclass
class Past:
    """An organization in which some things were done and one was refused."""

    owner: Person
    developer: Person
    house: House
    clock: Clock


@pytest.fixture
async def past(town: Town, clock: MovableClock) -> Past:
    owner = await town.person("Ada Lovelace")
    developer = await town.member(owner.organization, Role.DEVELOPER)
    clock.move(60)
    house = await town.project(owner, "Live Classes")
    clock.move(60)
    work = town.services.as_(developer.actor, Call("trail-42", "192.0.2.1", "curl/8"))
    await projects.change(work, house.id, name="Evening Classes")
    with pytest.raises(Forbidden):
        await projects.delete(work, house.id)
    clock.move(60)
    await keys.revoke(town.work(owner), house.id, house.key.id)
    await members.change_role(town.work(owner), owner.organization.id, developer.actor.id, Role.VIEWER)
    await town.services.feed.read()
    return Past(owner, developer, house, clock)


async def found(client: httpx.AsyncClient, past: Past, **asked: Any) -> list[str]:
    """The actions that are left, oldest first."""
    asked = {"org_id": past.owner.organization.id, **asked}
    answer = await client.get(PATH, headers=past.owner.headers, params=asked)
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in reversed(answer.json()["items"])]


ALL_OF_A_PROJECT = ["project.created", "project.updated", "project.deleted"]


async def test_one_action_or_all_of_a_noun(client: httpx.AsyncClient, past: Past) -> None:
    assert await found(client, past, action="project.updated") == ["project.updated"]
    assert await found(client, past, action="project.*") == ALL_OF_A_PROJECT


async def test_what_was_refused_or_done(client: httpx.AsyncClient, past: Past) -> None:
    assert await found(client, past, status="failure") == ["project.deleted"]
    assert "project.deleted" not in await found(client, past, status="success")


async def test_who_did_it(client: httpx.AsyncClient, past: Past) -> None:
    assert await found(client, past, user=past.developer.actor.id) == ["project.updated", "project.deleted"]
    assert await found(client, past, key=past.house.key.id) == []
    assert "member.joined" in await found(client, past, user="system")


async def test_what_it_was_done_to(client: httpx.AsyncClient, past: Past) -> None:
    assert await found(client, past, resource=past.house.id) == ALL_OF_A_PROJECT
    assert await found(client, past, resource="project") == ALL_OF_A_PROJECT
    assert await found(client, past, resource=past.house.key.id) == ["key.created", "key.revoked"]


async def test_when_it_was_done_from_a_moment_on_and_before_another(client: httpx.AsyncClient, past: Past) -> None:
    now = past.clock.now()
    minute = timedelta(minutes=1)

    assert await found(client, past, **{"from": now.isoformat()}) == ["key.revoked", "member.role_changed"]
    assert await found(client, past, **{"from": (now - minute).isoformat(), "to": now.isoformat()}) == [
        "project.updated",
        "project.deleted",
    ]
    assert await found(client, past, **{"from": now.isoformat(), "to": now.isoformat()}) == []


@pytest.mark.parametrize(
    ("search", "actions"),
    [
        ("classes", ALL_OF_A_PROJECT),
        ("LIVE", ["project.created", "project.updated"]),
        ("evening deleted", ["project.deleted"]),
        ("trail-42", ["project.updated", "project.deleted"]),
        ("role_changed", ["member.role_changed"]),
        ("revoked", ["key.revoked"]),
        ("clas", []),
        ("nothing of this", []),
        ("=+", []),
        ("   ", None),
    ],
)
async def test_words_are_looked_for_in_names_actions_and_request_ids(
    client: httpx.AsyncClient, past: Past, search: str, actions: list[str] | None
) -> None:
    expected = await found(client, past) if actions is None else actions

    assert await found(client, past, search=search) == expected


async def test_people_are_found_by_name_address_and_id(client: httpx.AsyncClient, past: Past) -> None:
    developer = past.developer.actor
    by_id = await found(client, past, search=developer.id)

    assert by_id == ["member.joined", "project.updated", "project.deleted", "member.role_changed"]
    assert await found(client, past, search=developer.email.partition("@")[0]) == by_id
    assert "project.created" in await found(client, past, search="lovelace")


async def test_filters_hold_together(client: httpx.AsyncClient, past: Past) -> None:
    asked = {"user": past.developer.actor.id, "action": "project.*", "status": "failure", "resource": "project"}

    assert await found(client, past, **asked, search="classes") == ["project.deleted"]
    assert await found(client, past, **asked, search="revoked") == []


async def test_pages_of_a_filter_hold_each_entry_once(
    client: httpx.AsyncClient, past: Past, town: Town, clock: MovableClock
) -> None:
    for number in range(9):
        clock.move(number % 2 / 1000)
        await projects.change(town.work(past.owner), past.house.id, name=f"Class {number}")
    asked: dict[str, Any] = {"org_id": past.owner.organization.id, "search": "class updated", "limit": 4}
    asked["from"] = past.clock.now() - timedelta(minutes=1)
    names: list[str] = []
    while True:
        answer = (await client.get(PATH, headers=past.owner.headers, params=asked)).json()
        names += [entry["changes"]["name"]["after"] for entry in answer["items"]]
        if answer["next_cursor"] is None:
            break
        asked["cursor"] = answer["next_cursor"]

    # An entry stands under the name that its thing had then.
    assert names == [f"Class {number}" for number in range(8, 0, -1)]


async def test_another_tenants_entries_are_found_by_no_filter(
    client: httpx.AsyncClient, past: Past, town: Town
) -> None:
    stranger = await town.person()
    for asked in ({"user": past.developer.actor.id}, {"search": "classes"}, {"resource": past.house.id}):
        answer = await client.get(PATH, headers=stranger.headers, params=asked)
        assert answer.json()["items"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-01-01"}, "from"),
        ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"action": "project"}, "action"),
        ({"action": "no.*"}, "action"),
        ({"action": "*"}, "action"),
        ({"status": "refused"}, "status"),
        ({"user": "x" * 129}, "user"),
        ({"key": "a\nb"}, "key"),
        ({"resource": "\x00"}, "resource"),
        ({"search": "x" * 129}, "search"),
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_named(
    client: httpx.AsyncClient, town: Town, asked: dict[str, Any], field: str
) -> None:
    owner = await town.person()
    for path in (PATH, f"{PATH}/export"):
        answer = await client.get(path, headers=owner.headers, params=asked)
        assert_refused(answer, Invalid)
        assert fields(answer) == [field]


# --- recent and stats --------------------------------------------------------------------------------------------


async def test_recent_is_the_newest_of_the_list(client: httpx.AsyncClient, past: Past) -> None:
    asked = {"org_id": past.owner.organization.id, "limit": 3}
    listed = (await client.get(PATH, headers=past.owner.headers, params=asked)).json()["items"]

    assert (await client.get(f"{PATH}/recent", headers=past.owner.headers, params=asked)).json() == {"items": listed}


async def test_stats_count_days_actions_and_actors_and_what_was_refused(client: httpx.AsyncClient, past: Past) -> None:
    asked = {"org_id": past.owner.organization.id}
    whole = await found(client, past, limit=100)

    stats = (await client.get(f"{PATH}/stats", headers=past.owner.headers, params=asked)).json()

    assert (stats["total"], stats["failures"]) == (len(whole), 1)
    assert stats["success_rate"] == pytest.approx((len(whole) - 1) / len(whole))
    assert sum(day["total"] for day in stats["days"]) == len(whole)
    assert {each["action"]: each["total"] for each in stats["actions"]} == {
        action: whole.count(action) for action in whole
    }
    actors = {each["id"]: (each["total"], each["failures"]) for each in stats["actors"]}
    assert actors[past.developer.actor.id] == (2, 1)
    assert sum(total for total, _ in actors.values()) + stats["others"] == len(whole)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"org_id": None}, "org_id"),
    ],
    ids=str,
)
async def test_stats_of_no_time_or_too_long_a_time_are_refused(
    client: httpx.AsyncClient, town: Town, asked: dict[str, Any], field: str
) -> None:
    owner = await town.person()
    params = {name: value for name, value in {"org_id": owner.organization.id, **asked}.items() if value}

    answer = await client.get(f"{PATH}/stats", headers=owner.headers, params=params)

    assert_refused(answer, Invalid)
    assert fields(answer) == [field]
