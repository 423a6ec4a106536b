"""Personal API tokens: a person's script, never more than the person, and not at all in the person's account."""

from __future__ import annotations

import httpx
import pytest

from pulse_dash.core import invitations, members
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from pulse_dash.core.personal_tokens import MOST, TooManyTokens
from pulse_dash.core.sessions import NotByToken
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.doubles import MovableClock, kept
from tests.hostile import NAMES
from tests.people import PASSWORD, Person, Town

PATH = "/v1/auth/tokens"


async def token_of(client: httpx.AsyncClient, person: Person, **asked: object) -> tuple[str, dict[str, str]]:
    answer = await client.post(PATH, headers=person.headers, json={"name": "CI", **asked})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_projects_key_has_no_tokens_of_its_own(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()

    assert_refused(await client.get(PATH, headers=house.headers), Unauthenticated)
    assert_refused(await client.post(PATH, headers=house.headers, json={"name": "x"}), Unauthenticated)
    assert_refused(await client.delete(f"{PATH}/ptk_x", headers=house.headers), NotFound)


async def test_nobody_sees_or_revokes_the_tokens_of_somebody_else(client: httpx.AsyncClient, town: Town) -> None:
    person, other = await town.person(), await town.person()
    token_id, script = await token_of(client, person)

    assert (await client.get(PATH, headers=other.headers)).json()["items"] == []
    assert_refused(await client.delete(f"{PATH}/{token_id}", headers=other.headers), NotFound)
    assert (await client.get("/v1/auth/me", headers=script)).status_code == 200


@pytest.mark.parametrize("role", Role)
async def test_a_token_may_what_the_role_of_its_person_may_at_that_moment(
    client: httpx.AsyncClient, town: Town, role: Role
) -> None:
    owner = await town.person()
    member = await town.member(owner.organization, role)
    _, script = await token_of(client, member)
    made = {"org_id": owner.organization.id, "name": "x"}
    for headers in (member.headers, script):
        answer = await client.post("/v1/projects", headers=headers, json=made)
        assert (answer.status_code == 201) == (role is not Role.VIEWER)

    if role is not Role.OWNER:
        await members.change_role(town.work(owner), owner.organization.id, member.actor.id, Role.VIEWER)
        assert_refused(await client.post("/v1/projects", headers=script, json=made), Forbidden)
        await members.remove(town.work(owner), owner.organization.id, member.actor.id)
        assert_refused(await client.post("/v1/projects", headers=script, json=made), NotFound)


OF_THE_ACCOUNT = [
    ("GET", PATH, {}),
    ("POST", PATH, {"name": "another"}),
    ("DELETE", f"{PATH}/ptk_x", {}),
    ("GET", "/v1/auth/sessions", {}),
    ("DELETE", "/v1/auth/sessions", {}),
    ("DELETE", "/v1/auth/sessions/ses_x", {}),
    ("POST", "/v1/auth/logout", {}),
    ("PUT", "/v1/auth/me", {"name": "x"}),
    ("POST", "/v1/auth/password", {"present": PASSWORD, "password": "another sentence"}),
]


async def test_a_token_does_not_reach_into_its_persons_account(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    _, script = await token_of(client, person)

    for verb, path, body in OF_THE_ACCOUNT:
        assert_refused(await client.request(verb, path, headers=script, json=body), NotByToken)


async def test_a_token_gets_no_token_from_an_answer_that_is_repeated(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    _, script = await token_of(client, person)
    once = {"Idempotency-Key": "once"}
    await client.post(PATH, headers={**person.headers, **once}, json={"name": "other"})

    assert_refused(await client.post(PATH, headers={**script, **once}, json={"name": "other"}), NotByToken)


async def test_a_token_accepts_no_invitation_for_that_answers_a_sign_in(client: httpx.AsyncClient, town: Town) -> None:
    owner, person = await town.person(), await town.person()
    _, script = await token_of(client, person)
    made = await invitations.invite(town.work(owner), owner.organization.id, email=person.actor.email, role=Role.VIEWER)
    assert made.accept_url is not None
    body = {"token": made.accept_url.partition("token=")[2]}

    assert_refused(await client.post("/v1/invitations/accept", headers=script, json=body), NotByToken)
    assert (await client.post("/v1/invitations/accept", headers=person.headers, json=body)).status_code == 200


async def test_a_revoked_token_is_refused_and_gone_from_the_list(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    token_id, script = await token_of(client, person)
    assert (await client.get("/v1/auth/me", headers=script)).status_code == 200

    assert (await client.delete(f"{PATH}/{token_id}", headers=person.headers)).status_code == 204

    assert_refused(await client.get("/v1/auth/me", headers=script), Unauthenticated)
    assert_refused(await client.delete(f"{PATH}/{token_id}", headers=person.headers), NotFound)


async def test_a_token_ends_when_its_time_is_over(
    client: httpx.AsyncClient, town: Town, clock: MovableClock, services: Services
) -> None:
    person = await town.person()
    _, script = await token_of(client, person, expires_in_days=1)

    clock.move(86_399)
    await services.feed.read()
    assert (await client.get("/v1/auth/me", headers=script)).status_code == 200
    clock.move(1)
    assert_refused(await client.get("/v1/auth/me", headers=script), Unauthenticated)


async def test_a_password_set_anew_ends_every_token_and_signing_out_elsewhere_none(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    _, script = await token_of(client, person)
    await client.delete("/v1/auth/sessions", headers=person.headers)
    assert (await client.get("/v1/auth/me", headers=script)).status_code == 200

    await client.post("/v1/auth/password/forgot", json={"email": person.actor.email})
    (mail,) = await kept(services.engine, "mails", to=person.actor.email)
    text = services.parts.vault.opened(mail["sealed"]).decode()
    link = text.partition("token=")[2].split()[0]
    await client.post("/v1/auth/password/reset", json={"token": link, "password": PASSWORD + "!"})

    assert_refused(await client.get("/v1/auth/me", headers=script), Unauthenticated)


async def test_no_stored_document_and_no_list_holds_a_token(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    _, script = await token_of(client, person, name=next(iter(NAMES.values())))
    text = script["Authorization"].removeprefix("Bearer ")

    listed = (await client.get(PATH, headers=person.headers)).json()["items"]

    assert text.startswith(listed[0]["begins"])
    for found in (listed, *[await kept(services.engine, noun) for noun in ("personal_tokens", "audit_log")]):
        assert text not in repr(found)


async def test_last_use_is_told(client: httpx.AsyncClient, town: Town, services: Services) -> None:
    person = await town.person()
    _, script = await token_of(client, person)
    await client.get("/v1/auth/me", headers=script)

    await services.parts.tallying.flush(services.system("a test").store)

    (listed,) = (await client.get(PATH, headers=person.headers)).json()["items"]
    assert listed["last_used_at"] is not None


async def test_what_a_token_cannot_be_is_told_by_field(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()

    for wrong in ({"name": ""}, {"name": "x", "expires_in_days": 0}, {"name": "x", "expires_in_days": 366}):
        assert_refused(await client.post(PATH, headers=person.headers, json=wrong), Invalid)


async def test_a_person_has_so_many_tokens_and_no_more(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    for _ in range(MOST):
        await token_of(client, person)

    assert_refused(await client.post(PATH, headers=person.headers, json={"name": "x"}), TooManyTokens)
