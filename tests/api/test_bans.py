"""Bans over HTTP: who may, what is answered, and what a banned identity's token request meets."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core.access import Role
from pulse_dash.core.bans import IdentityBanned
from pulse_dash.core.errors import Forbidden, Invalid, NotFound
from tests.api.asserting import assert_refused, fields
from tests.people import HOSTILE, Town

BAN = {"identity": "ada", "reason": HOSTILE}


async def test_a_stranger_meets_404_and_a_viewer_403(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    house, other = await town.project(owner), await town.house()
    viewer = await town.member(owner.organization, Role.VIEWER)
    path = f"/v1/projects/{house.id}/bans"
    for headers, error in ((stranger.headers, NotFound), (other.headers, NotFound), (viewer.headers, Forbidden)):
        assert_refused(await client.get(path, headers=headers), error)
        assert_refused(await client.post(path, headers=headers, json=BAN), error)
        made = await client.post(path, headers=house.headers, json=BAN)
        assert_refused(await client.delete(f"{path}/{made.json()['id']}", headers=headers), error)


async def test_a_ban_is_made_listed_met_and_lifted(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    path = f"/v1/projects/{house.id}/bans"
    until = {**BAN, "until": "2999-01-01T00:00:00Z"}
    made = await client.post(path, headers=house.headers, json=until)
    asked = {"room": "lobby", "identity": "ada"}
    refused = await client.post("/v1/tokens/create", headers=house.headers, json=asked)
    listed = (await client.get(path, headers=house.headers)).json()
    lifted = await client.delete(f"{path}/{made.json()['id']}", headers=house.headers)
    minted = await client.post("/v1/tokens/create", headers=house.headers, json=asked)

    assert made.status_code == 201
    assert made.json()["until"] == "2999-01-01T00:00:00.000Z"
    assert listed["items"] == [made.json()]
    assert assert_refused(refused, IdentityBanned)["code"] == "identity_banned"
    assert (lifted.status_code, minted.status_code) == (204, 200)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x"}, "identity"),
        ({"identity": "ada"}, "reason"),
        ({**BAN, "until": "tomorrow"}, "until"),
        ({**BAN, "until": "2999-01-01T00:00:00"}, "until"),
        ({**BAN, "until": "2000-01-01T00:00:00Z"}, "until"),
        ({**BAN, "until": 7}, "until"),
        ({**BAN, "identity": ""}, "identity"),
    ],
)
async def test_what_can_not_be_taken_is_named(
    client: httpx.AsyncClient, town: Town, body: dict[str, object], field: str
) -> None:
    house = await town.house()
    answer = await client.post(f"/v1/projects/{house.id}/bans", headers=house.headers, json=body)

    assert_refused(answer, Invalid)
    assert fields(answer) == [field]
