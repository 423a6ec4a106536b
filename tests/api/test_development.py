"""A key without its secret over HTTP: nothing, but for one route where its project switched that on."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core import development
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, RateLimited, Unauthenticated
from tests.api.asserting import assert_refused, fields
from tests.api.routes import every_route
from tests.people import House, Person, Town

CREATE = "/v1/tokens/create"
ROOM = {"room": "dev-lobby"}


@pytest.fixture
async def owner(town: Town) -> Person:
    return await town.person()


@pytest.fixture
async def house(client: httpx.AsyncClient, town: Town, owner: Person) -> House:
    """A project that switched development tokens on."""
    house = await town.project(owner)
    on = {"development_tokens": {}}
    answer = await client.put(f"/v1/projects/{house.id}", headers=owner.headers, json=on)
    assert answer.json()["development_tokens"] == {"room_prefix": "dev-"}
    return house


def alone(house: House) -> dict[str, str]:
    return {"X-Pulse-Key": house.key.public}


async def test_every_other_route_knows_nobody_by_a_key_alone(client: httpx.AsyncClient, house: House) -> None:
    for route in every_route():
        if not route.public and route.path.startswith("/v1/") and route.path != CREATE:
            path = route.at(project_id=house.id, key_id=house.key.id)
            answer = await client.request(route.verb, path, headers=alone(house), json=ROOM)
            assert_refused(answer, Unauthenticated)


async def test_it_mints_on_its_own_and_only_what_may_be_asked_for(client: httpx.AsyncClient, house: House) -> None:
    minted = await client.post(CREATE, headers=alone(house), json=ROOM)

    assert minted.status_code == 200
    assert minted.json()["identity"].startswith("guest-")
    for more in ({"identity": "ada"}, {"ttl_seconds": 86_400}, {"permissions": {"room_admin": True}}, {"claims": {}}):
        refused = await client.post(CREATE, headers=alone(house), json={**ROOM, **more})
        assert_refused(refused, Invalid)
        assert fields(refused) == list(more)
    assert fields(await client.post(CREATE, headers=alone(house), json={"room": "lobby"})) == ["room"]


async def test_a_wrong_secret_is_not_a_key_alone(client: httpx.AsyncClient, house: House) -> None:
    for secret in ("", "x", house.key.secret.reveal()[:-1]):
        answer = await client.post(CREATE, headers={**alone(house), "X-Pulse-Secret": secret}, json=ROOM)
        assert_refused(answer, Unauthenticated)


async def test_off_again_it_opens_nothing(client: httpx.AsyncClient, house: House, owner: Person) -> None:
    await client.put(f"/v1/projects/{house.id}", headers=owner.headers, json={"development_tokens": None})

    assert_refused(await client.post(CREATE, headers=alone(house), json=ROOM), Unauthenticated)


async def test_a_viewer_and_the_key_itself_do_not_switch_it_on(
    client: httpx.AsyncClient, town: Town, house: House, owner: Person
) -> None:
    viewer = await town.member(owner.organization, Role.VIEWER)
    for headers in (viewer.headers, house.headers):
        answer = await client.put(
            f"/v1/projects/{house.id}", headers=headers, json={"development_tokens": {"room_prefix": "x"}}
        )
        assert_refused(answer, Forbidden)


async def test_it_has_a_limit_of_its_own(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(development, "PER_MINUTE", 2)
    answers = [await client.post(CREATE, headers=alone(house), json=ROOM) for _ in range(3)]
    asked = {"room": "lobby", "identity": "ada"}

    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert_refused(answers[2], RateLimited)
    assert (await client.post(CREATE, headers=house.headers, json=asked)).status_code == 200


@pytest.mark.parametrize("prefix", ["", " ", "x" * 33, "a\u0000", 7])
async def test_a_prefix_that_can_not_be_is_named(
    client: httpx.AsyncClient, town: Town, owner: Person, prefix: object
) -> None:
    house = await town.project(owner)
    answer = await client.put(
        f"/v1/projects/{house.id}", headers=owner.headers, json={"development_tokens": {"room_prefix": prefix}}
    )

    assert_refused(answer, Invalid)
    assert fields(answer) == ["development_tokens.room_prefix"]
