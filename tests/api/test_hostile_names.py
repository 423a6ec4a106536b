"""The table of hostile names against everything that a tenant can name: kept as given, or refused by its field."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from pulse_dash.services import Services
from tests.hostile import NAMES, REFUSED
from tests.people import PASSWORD, House, Person, Town

Naming = Callable[[httpx.AsyncClient, Person, House, str], Awaitable[tuple[httpx.Response, str]]]


async def organization(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    path = f"/v1/organizations/{owner.organization.id}"
    return await client.put(path, content=json.dumps({"name": name}), headers=owner.headers), "name"


async def project(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    return await client.put(
        f"/v1/projects/{house.id}", content=json.dumps({"name": name}), headers=owner.headers
    ), "name"


async def key(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    path = f"/v1/projects/{house.id}/keys"
    return await client.post(path, content=json.dumps({"name": name}), headers=owner.headers), "name"


async def room(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    body = {"room": name, "identity": "ada"}
    return await client.post("/v1/tokens/create", content=json.dumps(body), headers=house.headers), "room"


async def identity(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    body = {"room": "lobby", "identity": name}
    return await client.post("/v1/tokens/create", content=json.dumps(body), headers=house.headers), "identity"


async def person(client: httpx.AsyncClient, owner: Person, house: House, name: str) -> tuple[httpx.Response, str]:
    return await client.put("/v1/auth/me", content=json.dumps({"name": name}), headers=owner.headers), "name"


EVERYTHING_NAMED: list[Naming] = [organization, project, key, room, identity, person]
# A room or somebody in it has LiveKit's rules: any sign will do, and blanks are signs.
_ALSO_TAKEN = {room: {"only blanks", "only wide blanks", "only a joiner", "only a filler", "only an override"}}
_ALSO_TAKEN[identity] = _ALSO_TAKEN[room]


@pytest.fixture
async def owner(town: Town) -> Person:
    """Somebody whose things are named."""
    return await town.person(name="Ada")


@pytest.fixture
async def house(town: Town, owner: Person) -> House:
    """Their project."""
    return await town.project(owner, name="Live")


@pytest.mark.parametrize("named", EVERYTHING_NAMED, ids=lambda named: named.__name__)
async def test_a_hostile_name_is_kept_as_it_was_given(
    client: httpx.AsyncClient, owner: Person, house: House, named: Naming
) -> None:
    for what, name in NAMES.items():
        answer, field = await named(client, owner, house, name)

        assert answer.status_code in (200, 201), (what, answer.text)
        assert answer.json()[field] == name, what


@pytest.mark.parametrize("named", EVERYTHING_NAMED, ids=lambda named: named.__name__)
async def test_what_cannot_be_a_name_is_refused_by_its_field(
    client: httpx.AsyncClient, owner: Person, house: House, named: Naming
) -> None:
    for what, name in REFUSED.items():
        if what in _ALSO_TAKEN.get(named, ()):
            continue
        answer, field = await named(client, owner, house, name)

        assert answer.status_code in (400, 422), (what, answer.text)
        assert answer.status_code == 400 or answer.json()["errors"][0]["field"] == field, what


async def test_people_and_their_first_organization_are_named_by_the_same_rule(
    client: httpx.AsyncClient, services: Services
) -> None:
    for number, name in enumerate((*NAMES.values(), *REFUSED.values())):
        body = {"email": f"p{number}@example.com", "password": PASSWORD, "name": name, "organization_name": name}
        answer = await client.post("/v1/auth/signup", content=json.dumps(body))

        if number < len(NAMES):
            assert answer.json()["user"]["name"] == answer.json()["organization"]["name"] == name
        else:
            assert answer.status_code in (400, 422), name
