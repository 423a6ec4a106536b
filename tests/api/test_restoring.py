"""Restoring an organization over HTTP: by an owner, within thirty days, with keys that stay revoked."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, NotFound, Unauthenticated
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.doubles import MovableClock
from tests.people import PASSWORD, Person, Town


def there(owner: Person, what: str = "") -> str:
    return f"/v1/organizations/{owner.organization.id}{what}"


async def deleted(client: httpx.AsyncClient, owner: Person) -> None:
    assert (await client.delete(there(owner), headers=owner.headers)).status_code == 204


async def test_a_stranger_a_key_and_nobody_restore_nothing(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger, house = await town.person(), await town.person(), await town.house()
    await deleted(client, owner)

    assert_refused(await client.post(there(owner, "/restore")), Unauthenticated)
    for headers in (stranger.headers, dict(house.headers)):
        assert_refused(await client.post(there(owner, "/restore"), headers=headers), NotFound)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
async def test_a_member_who_owns_nothing_restores_nothing(client: httpx.AsyncClient, town: Town, role: Role) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)
    await deleted(client, owner)

    assert_refused(await client.post(there(owner, "/restore"), headers=member.headers), Forbidden)


async def test_an_owner_brings_it_back_without_its_keys(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    await deleted(client, owner)

    restored = await client.post(there(owner, "/restore"), headers=owner.headers)

    assert (restored.status_code, restored.json()["id"]) == (200, owner.organization.id)
    assert restored.headers["etag"]
    assert (await client.get(f"/v1/projects/{house.id}", headers=owner.headers)).status_code == 200
    assert_refused(await client.get(f"/v1/projects/{house.id}", headers=house.headers), Unauthenticated)
    assert_refused(await client.post(there(owner, "/restore"), headers=owner.headers), NotFound)


async def test_after_thirty_days_it_is_gone(
    client: httpx.AsyncClient, town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    await deleted(client, owner)
    clock.move(30 * 86_400 - 60)
    await services.feed.read()
    fresh = (await client.post("/v1/auth/login", json=_form(owner))).json()["access_token"]
    clock.move(120)
    await services.feed.read()

    answer = await client.post(there(owner, "/restore"), headers={"Authorization": f"Bearer {fresh}"})

    assert_refused(answer, NotFound)


def _form(person: Person) -> dict[str, str]:
    return {"email": person.actor.email, "password": PASSWORD}
