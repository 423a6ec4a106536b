"""Members over HTTP: what each role sees of others, and the same as a file."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from pulse_dash.core.access import Role
from pulse_dash.core.errors import NotFound, Unauthenticated
from pulse_dash.services import Services
from tests.api.asserting import assert_refused, fields
from tests.people import HOSTILE, PASSWORD, Person, Town

OURS = {"Sec-Fetch-Site": "same-origin"}


async def seen_by(client: httpx.AsyncClient, reader: Person, owner: Person) -> dict[str, dict[str, object]]:
    """The members of the owner's organization as the reader sees them, by id."""
    answer = await client.get(f"/v1/organizations/{owner.organization.id}/members", headers=reader.headers)
    return {each["id"]: each for each in answer.json()["items"]}


@pytest.mark.parametrize(
    ("role", "address", "looks_after"),
    [(Role.OWNER, True, True), (Role.ADMIN, True, True), (Role.DEVELOPER, True, False), (Role.VIEWER, False, False)],
)
async def test_each_role_sees_of_others_what_it_needs(
    client: httpx.AsyncClient, town: Town, role: Role, *, address: bool, looks_after: bool
) -> None:
    owner = await town.person()
    reader = await town.member(owner.organization, role)
    await town.services.parts.tallying.flush(town.services.system("a test").store)

    found = await seen_by(client, reader, owner)

    other, own = found[owner.actor.id], found[reader.actor.id]
    assert other["email"] == (owner.actor.email if address else None)
    assert (other["last_seen_at"] is not None) is looks_after
    assert other["second_factor"] is (False if looks_after else None)
    assert own["email"] == reader.actor.email
    assert own["last_seen_at"] is not None
    assert own["second_factor"] is False


async def test_a_viewer_sees_no_address_of_who_is_invited(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    viewer = await town.member(owner.organization, Role.VIEWER)
    there = f"/v1/organizations/{owner.organization.id}"
    await client.post(f"{there}/members", headers=owner.headers, json={"email": "new@example.com", "role": "viewer"})

    (seen,) = (await client.get(f"{there}/invitations", headers=viewer.headers)).json()["items"]

    assert (seen["email"], seen["status"]) == (None, "pending")


async def test_the_file_holds_what_the_list_holds_and_no_formula(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person(f"=HYPERLINK(1) {HOSTILE}")
    await town.member(owner.organization, Role.VIEWER)

    answer = await client.get(f"/v1/organizations/{owner.organization.id}/members.csv", headers=owner.headers)

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="members.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert {row["id"]: row["role"] for row in rows}[owner.actor.id] == "owner"
    assert next(row["name"] for row in rows if row["role"] == "owner").startswith("'=HYPERLINK(1)")
    assert len(rows) == 2


async def test_a_file_is_for_members_alone(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    path = f"/v1/organizations/{owner.organization.id}/members.csv"

    assert_refused(await client.get(path), Unauthenticated)
    assert_refused(await client.get(path, headers=stranger.headers), NotFound)


async def test_the_dashboards_cookie_downloads_it_from_our_pages_alone(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()
    path = f"/v1/organizations/{owner.organization.id}/members.csv"
    form = {"email": owner.actor.email, "password": PASSWORD}
    await client.post("/session/login", headers=OURS, data=form)

    assert (await client.get(path, headers=OURS)).status_code == 200
    for site in ("cross-site", "same-site", "x"):
        assert_refused(await client.get(path, headers={"Sec-Fetch-Site": site}), Unauthenticated)
    assert_refused(await client.get(path.removesuffix(".csv"), headers=OURS), Unauthenticated)
    await client.post("/session/end", headers=OURS)
    assert_refused(await client.get(path, headers=OURS), Unauthenticated)


async def test_an_organization_is_made_with_its_admin_and_the_answer_repeated(
    client: httpx.AsyncClient, town: Town
) -> None:
    person = await town.person()
    headers = {**person.headers, "Idempotency-Key": "one"}
    body = {"name": "Acme", "admin_email": "grace@example.com"}

    made, again = [await client.post("/v1/organizations", headers=headers, json=body) for _ in range(2)]

    invitation = made.json()["invitation"]
    assert (made.status_code, invitation["email"], invitation["role"]) == (201, "grace@example.com", "admin")
    assert again.json() == made.json()
    accepted = await client.post(
        "/v1/invitations/accept",
        json={"token": invitation["accept_url"].partition("token=")[2], "name": "Grace", "password": PASSWORD},
    )
    assert accepted.json()["organizations"][0]["role"] == "admin"


async def test_what_is_wrong_with_the_admins_address_is_told_of_its_own_field(
    client: httpx.AsyncClient, town: Town
) -> None:
    person = await town.person()
    answer = await client.post("/v1/organizations", headers=person.headers, json={"name": "Acme", "admin_email": "x"})

    assert fields(answer) == ["admin_email"]
