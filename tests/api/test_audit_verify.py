"""Verify over HTTP: whose log, what it answers, and what it refuses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pulse_dash.core.access import Role
from pulse_dash.core.errors import Invalid, NotFound
from pulse_dash.services import Services
from tests.api.asserting import assert_refused, fields
from tests.people import Town

PATH = "/v1/audit-logs/verify"


async def test_another_tenants_log_is_404_whatever_else_is_wrong(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger, house = await town.person(), await town.person(), await town.house()
    for headers in (stranger.headers, dict(house.headers)):
        for more in ("", "&checkpoint=x"):
            asked = f"{PATH}?org_id={owner.organization.id}{more}"
            assert_refused(await client.get(asked, headers=headers), NotFound)


async def test_a_viewer_is_told_that_the_log_fits_and_what_that_does_not_show(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()
    await town.project(owner)
    viewer = await town.member(owner.organization, Role.VIEWER)

    answer = await client.get(PATH, headers=viewer.headers, params={"org_id": owner.organization.id})

    found: dict[str, Any] = answer.json()
    assert (found["fits"], found["fault"], found["anchored"], found["compared"]) == (True, None, None, False)
    assert found["entries"] == found["head"]["sequence"] > 2
    assert not {"cut", "restore"} & set(found["finds"])


async def test_the_checkpoint_that_it_answers_is_one_that_it_takes(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    asked = {"org_id": owner.organization.id}
    checkpoint = (await client.get(PATH, headers=owner.headers, params=asked)).json()["head"]["checkpoint"]
    await town.project(owner)

    found = (await client.get(PATH, headers=owner.headers, params={**asked, "checkpoint": checkpoint})).json()

    assert (found["fits"], found["compared"]) == (True, True)
    assert {"cut", "restore"} < set(found["finds"])


async def test_a_byte_changed_in_the_store_is_named(client: httpx.AsyncClient, town: Town, services: Services) -> None:
    owner = await town.person()
    await client.get(PATH, headers=owner.headers, params={"org_id": owner.organization.id})
    log = services.engine.collection("audit_log")
    entry = await log.find_one({"org_id": owner.organization.id, "sequence": 1})
    assert entry is not None
    await log.update_one({"_id": entry["_id"]}, {"$set": {"resource.id": entry["resource"]["id"] + "x"}})

    found = (await client.get(PATH, headers=owner.headers, params={"org_id": owner.organization.id})).json()

    assert not found["fits"]
    assert found["fault"].pop("sentence")
    assert found["fault"] == {"reason": "changed", "sequence": 1, "entry_id": entry["_id"]}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"org_id": None}, "org_id"),
        ({"checkpoint": "x"}, "checkpoint"),
        ({"checkpoint": '{"chain":"org_x"}'}, "checkpoint"),
        ({"checkpoint": "x" * 2_000}, "checkpoint"),
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_named(
    client: httpx.AsyncClient, town: Town, asked: dict[str, Any], field: str
) -> None:
    owner = await town.person()
    params = {name: value for name, value in {"org_id": owner.organization.id, **asked}.items() if value is not None}

    answer = await client.get(PATH, headers=owner.headers, params=params)

    assert_refused(answer, Invalid)
    assert fields(answer) == [field]
