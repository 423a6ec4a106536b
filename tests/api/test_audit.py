"""The audit log over HTTP: whose entries they are, their shape, their order, and pages that stay right meanwhile."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import pulse_dash
from pulse_dash.core import keys, organizations, projects
from pulse_dash.core.access import Role
from pulse_dash.core.actions import ACTIONS, Said, said
from pulse_dash.core.errors import Invalid, NotFound
from tests.api.asserting import assert_refused, fields
from tests.doubles import MovableClock
from tests.people import HOSTILE, Person, Town

PATH = "/v1/audit-logs"
ROOT = Path(pulse_dash.__file__).resolve().parent


async def page(client: httpx.AsyncClient, person: Person, **asked: Any) -> dict[str, Any]:
    answer = await client.get(PATH, headers=person.headers, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def busy(town: Town, clock: MovableClock, count: int) -> Person:
    """Somebody with so many renames behind them; two of them in each millisecond."""
    owner = await town.person()
    house = await town.project(owner)
    for number in range(count):
        clock.move(number % 2 / 1000)
        await projects.change(town.work(owner), house.id, name=f"name {number}")
    return owner


# --- whose -------------------------------------------------------------------------------------------------------


async def test_another_tenants_log_is_404_whatever_else_is_wrong(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger, house = await town.person(), await town.person(), await town.house()
    org_id = owner.organization.id
    for headers in (stranger.headers, dict(house.headers)):
        for more in ("", "&limit=0", "&cursor=junk", "&action=no.such"):
            assert_refused(await client.get(f"{PATH}?org_id={org_id}{more}", headers=headers), NotFound)


async def test_without_an_organization_it_is_all_of_mine_and_nobody_elses(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner, stranger, house = await town.person(), await town.person(), await town.house()
    await town.project(owner)

    mine, theirs = await page(client, owner), await page(client, stranger)

    assert {entry["org_id"] for entry in mine["items"]} == {owner.organization.id}
    assert {entry["org_id"] for entry in theirs["items"]} == {stranger.organization.id}
    assert (await client.get(PATH, headers=house.headers)).json() == {"items": [], "next_cursor": None}


async def test_a_cursor_opens_nothing_of_another_tenant(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    stranger = await town.person()
    clock.move(0.001)
    owner = await busy(town, clock, 3)
    cursor = (await page(client, owner, limit=1))["next_cursor"]

    theirs = await page(client, stranger, cursor=cursor)

    assert {entry["org_id"] for entry in theirs["items"]} == {stranger.organization.id}


async def test_a_viewer_reads_it_and_who_left_does_not(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    viewer = await town.member(owner.organization, Role.VIEWER)

    assert (await page(client, viewer, org_id=owner.organization.id))["items"]
    await organizations.delete(town.work(owner), owner.organization.id)
    assert_refused(await client.get(f"{PATH}?org_id={owner.organization.id}", headers=viewer.headers), NotFound)


# --- what --------------------------------------------------------------------------------------------------------


async def test_an_entry_tells_who_did_what_from_where_and_no_secret(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    headers = {**owner.headers, "User-Agent": "curl/8", "X-Request-Id": "trail-1"}
    await client.put(f"/v1/projects/{house.id}", headers=headers, json={"name": HOSTILE})

    entry = (await page(client, owner, org_id=owner.organization.id))["items"][0]

    assert entry.pop("id").startswith("aud_")
    assert entry.pop("at").endswith("Z")
    assert len(entry.pop("hash")) == 64
    assert entry.pop("sequence") > 1
    assert entry == {
        "org_id": owner.organization.id,
        "actor": {"type": "user", "id": owner.actor.id, "name": owner.actor.name, "email": owner.actor.email},
        "action": "project.updated",
        "resource": {"type": "project", "id": house.id, "name": house.project.name},
        "status": "success",
        "ip": "203.0.113.9",
        "user_agent": "curl/8",
        "request_id": "trail-1",
        "changes": {"name": {"before": house.project.name, "after": HOSTILE}},
    }


async def test_one_action_is_found_by_its_name(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await keys.revoke(town.work(owner), house.id, house.key.id)

    found = await page(client, owner, action="key.revoked")

    assert [entry["resource"]["id"] for entry in found["items"]] == [house.key.id]


# --- pages -------------------------------------------------------------------------------------------------------


async def test_pages_hold_each_entry_once_newest_first(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    owner = await busy(town, clock, 21)
    whole = (await page(client, owner, limit=100))["items"]
    walked: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 4}
    while True:
        found = await page(client, owner, **asked)
        walked += found["items"]
        if found["next_cursor"] is None:
            break
        asked["cursor"] = found["next_cursor"]

    assert walked == whole
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)
    assert len({entry["id"] for entry in whole}) == len(whole) > 21


async def test_what_comes_while_one_reads_moves_no_page(
    client: httpx.AsyncClient, town: Town, clock: MovableClock
) -> None:
    owner = await busy(town, clock, 6)
    before = await page(client, owner, limit=3)
    second = await page(client, owner, limit=3, cursor=before["next_cursor"])

    await organizations.create(town.work(owner), name="one more")
    await organizations.change(town.work(owner), owner.organization.id, name="and another")

    assert await page(client, owner, limit=3, cursor=before["next_cursor"]) == second


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "junk"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "x" * 600}, "cursor"),
        ({"action": "no.such"}, "action"),
        ({"action": ""}, "action"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    client: httpx.AsyncClient, town: Town, asked: dict[str, Any], field: str
) -> None:
    answer = await client.get(PATH, headers=(await town.person()).headers, params=asked)

    assert_refused(answer, Invalid)
    assert fields(answer) == [field]


# --- the catalog -------------------------------------------------------------------------------------------------


def _used() -> set[str]:
    """Every action that the code makes an entry of."""
    used: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in {"entry", "_entry"}:
                texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
                used |= {text for text in texts if isinstance(text, str)}
    return used


def test_every_action_of_an_entry_is_in_the_catalog_and_on_the_api_page() -> None:
    page = (ROOT.parent / "docs" / "API.md").read_text("utf-8")
    listed = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", page.partition("Actions: ")[2].partition("\n")[0]))

    assert _used() - ACTIONS.keys() == set()
    assert len(_used()) > 10
    assert listed == ACTIONS.keys()


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_refusal_of_any_action_is_a_sentence_without_its_code(name: str) -> None:
    told = said(name, "failure", "Acme")
    sentence = f"Ada {told.before}{told.thing}{told.after}"

    assert ACTIONS[name].fails or sentence.startswith("Ada was not allowed to ")
    assert len(sentence.removeprefix("Ada was not allowed to ")) > 2
    assert not re.search(r"[a-z]\.[a-z]|_|[{}]", sentence)


def test_a_sentence_names_its_thing_and_an_unknown_action_stays_readable() -> None:
    assert said("key.revoked", "success", HOSTILE) == Said("revoked the key ", HOSTILE, "")
    assert said("session.started", "success", "Ada") == Said("signed in", "", "")
    assert said("project.deleted", "failure", HOSTILE) == Said("was not allowed to delete the project ", HOSTILE, "")
    assert said("robot.polished", "failure", "x") == Said("was refused ", "robot.polished", "")
    assert said("second_factor.code_wrong", "failure", "Ada") == Said(
        "gave a wrong code of their second factor", "", ""
    )
    assert said("robot.polished", "success", "x") == Said("robot.polished ", "x", "")
