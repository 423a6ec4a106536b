"""Where checkpoints go, over HTTP: what is named changes, the secret comes once, and addresses are the owners'."""

from __future__ import annotations

import httpx

from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound
from tests.api.asserting import assert_refused
from tests.people import Person, Town

URL = "https://hooks.example.com/secret-part"


def path(person: Person) -> str:
    return f"/v1/organizations/{person.organization.id}/checkpoints"


async def test_a_webhook_is_named_once_with_its_secret_and_taken_away_with_null(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()

    named = (await client.put(path(owner), headers=owner.headers, json={"webhook_url": URL})).json()
    again = (await client.put(path(owner), headers=owner.headers, json={"webhook_url": URL})).json()
    nothing = (await client.put(path(owner), headers=owner.headers, json={})).json()
    away = (await client.put(path(owner), headers=owner.headers, json={"webhook_url": None})).json()

    assert named["webhook"]["secret"].startswith("whsec_")
    assert named["webhook"] | {"secret": None} == again["webhook"] == nothing["webhook"]
    assert (named["webhook"]["url"], named["bucket"]) == (URL, None)
    assert (away["webhook"], away["bucket"]) == (None, None)


async def test_others_see_where_they_go_and_not_the_address(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    viewer = await town.member(owner.organization, Role.VIEWER)
    await client.put(path(owner), headers=owner.headers, json={"webhook_url": URL})

    seen = (await client.get(path(owner), headers=viewer.headers)).json()
    refused = await client.put(path(owner), headers=viewer.headers, json={"webhook_url": None})

    assert (seen["webhook"]["host"], seen["webhook"]["url"]) == ("hooks.example.com", None)
    assert "secret-part" not in str(seen)
    assert_refused(refused, Forbidden)


async def test_what_cannot_be_taken_is_named(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    for body in ({"webhook_url": "http://example.com"}, {"project_id": "prj_x"}, {"webhook": URL}, {"webhook_url": 1}):
        assert_refused(await client.put(path(owner), headers=owner.headers, json=body), Invalid)
    assert_refused(await client.put(path(owner), headers=stranger.headers, json={}), NotFound)
