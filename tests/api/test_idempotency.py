"""`Idempotency-Key`: a request that comes again has one effect, its answer for a day, its secrets for ten minutes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from pulse_dash.core import idempotency
from pulse_dash.core.access import Role
from pulse_dash.core.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from pulse_dash.core.idempotency import SECRETS, AnswerUnreadable, InProgress, KeyReused
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Vault
from pulse_dash.services import Services
from tests.api.asserting import assert_refused, fields
from tests.api.routes import described, every_route
from tests.doubles import BreakableEngine, MovableClock, kept
from tests.people import PASSWORD, Person, Town

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
MINUTE, DAY = 60, 86_400


def creating(owner: Person) -> dict[str, Any]:
    return {"org_id": owner.organization.id, "name": "Live Classes"}


async def make(client: httpx.AsyncClient, owner: Person, **body: Any) -> httpx.Response:
    """Ask for a project under the one key."""
    return await client.post("/v1/projects", headers={**owner.headers, **KEY}, json={**creating(owner), **body})


async def how_many(services: Services, noun: str = "projects") -> int:
    return await services.engine.collection(noun).count_documents({})


# --- who ---------------------------------------------------------------------------------------------------------


async def test_a_strangers_key_of_the_same_text_meets_nothing_of_mine(client: httpx.AsyncClient, town: Town) -> None:
    owner, stranger = await town.person(), await town.person()
    mine = await make(client, owner)

    refused = await client.post("/v1/projects", headers={**stranger.headers, **KEY}, json=creating(owner))
    theirs = await make(client, stranger)

    assert_refused(refused, NotFound)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]
    assert "Idempotent-Replayed" not in theirs.headers


async def test_nobody_meets_nothing(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    await make(client, owner)

    assert_refused(await client.post("/v1/projects", headers=KEY, json=creating(owner)), Unauthenticated)


async def test_who_may_no_longer_do_it_is_not_told_what_was_answered(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    developer = await town.member(owner.organization, Role.DEVELOPER)
    path, headers = f"/v1/projects/{house.id}/keys", {**developer.headers, **KEY}
    assert (await client.post(path, headers=headers, json={"name": "k"})).status_code == 201

    system = services.system("lower a role")
    organization = await system.store.organizations.get(owner.organization.id)
    members = [
        {
            "user_id": m.user_id,
            "role": "viewer" if m.user_id == developer.actor.id else m.role,
            "joined_at": m.joined_at,
        }
        for m in organization.members
    ]
    entry = system.entry(
        "member.role_changed", org_id=organization.id, resource="user", resource_id=developer.actor.id, name="x"
    )
    await system.store.organizations.change(organization.id, {"members": members}, entry)

    assert_refused(await client.post(path, headers=headers, json={"name": "k"}), Forbidden)


# --- one effect --------------------------------------------------------------------------------------------------


async def test_the_same_again_is_the_same_answer_and_nothing_more_is_made(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()

    first, second = await make(client, owner), await make(client, owner)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.json()["pulse_api_secret"].startswith("pulse_secret_")
    assert (first.headers.get("Idempotent-Replayed"), second.headers["Idempotent-Replayed"]) == (None, "true")
    assert (await how_many(services), await how_many(services, "keys")) == (1, 1)


async def test_of_a_hundred_at_once_one_has_an_effect(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()

    answers = await asyncio.gather(*[make(client, owner) for _ in range(100)])

    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.json()["id"] for answer in done}) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert_refused(answer, InProgress)
    assert (await make(client, owner)).json() == done[0].json()
    entries = len(await kept(services.engine, "audit_log", action="project.created"))
    assert (await how_many(services), await how_many(services, "keys"), entries) == (1, 1, 1)


async def test_a_hundred_regenerates_at_once_leave_one_pair_that_everybody_was_given(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()
    house = await town.project(owner)
    path = f"/v1/projects/{house.id}/regenerate-keys"

    asked = [client.post(path, headers={**owner.headers, **KEY}) for _ in range(100)]
    pairs = {answer.json()["pulse_api_key"] for answer in await asyncio.gather(*asked) if answer.status_code == 200}

    (kept,) = await services.engine.collection("keys").find({"_id": house.key.id})
    assert pairs == {kept["public"]}
    assert kept["version"] == 2


async def test_without_a_key_each_request_has_its_effect(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()

    for _ in range(2):
        await client.post("/v1/projects", headers=owner.headers, json=creating(owner))

    assert (await how_many(services), await how_many(services, "kept_answers")) == (2, 0)


async def test_one_key_on_two_routes_is_two_requests(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    here, there = await town.project(owner), await town.project(owner)

    made = [
        await client.post(path, headers={**owner.headers, **KEY}, json={"name": "same"})
        for path in (f"/v1/projects/{here.id}/keys", f"/v1/projects/{there.id}/keys", "/v1/organizations")
    ]

    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in made}) == 3


async def test_a_sign_up_that_comes_again_is_one_account_and_another_password_is_another_request(
    client: httpx.AsyncClient, services: Services
) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada", "organization_name": "Acme"}

    first, second = [await client.post("/v1/auth/signup", headers=KEY, json=body) for _ in range(2)]
    other = await client.post("/v1/auth/signup", headers=KEY, json={**body, "password": "a wrong password"})

    assert (first.status_code, second.json()) == (201, first.json())
    assert_refused(other, KeyReused)
    assert (await how_many(services, "users"), await how_many(services, "sessions")) == (1, 1)


# --- what is refused ---------------------------------------------------------------------------------------------


async def test_another_body_under_the_same_key_is_refused_and_does_nothing(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    owner = await town.person()
    await make(client, owner)

    answer = await make(client, owner, name="Other")

    assert_refused(answer, KeyReused)
    assert fields(answer) == ["Idempotency-Key"]
    assert await how_many(services) == 1


async def test_the_order_of_fields_makes_no_other_body(client: httpx.AsyncClient, town: Town) -> None:
    owner = await town.person()
    first = await make(client, owner)
    turned = dict(reversed(creating(owner).items()))

    again = await client.post("/v1/projects", headers={**owner.headers, **KEY}, json=turned)

    assert again.json() == first.json()


@pytest.mark.parametrize("key", [b"", b" ", b"x" * 256, b"two words", "schlüssel".encode("latin-1")])
async def test_what_is_no_key_is_named(client: httpx.AsyncClient, town: Town, key: bytes) -> None:
    owner = await town.person()
    headers = [*((name.encode(), value.encode()) for name, value in owner.headers.items()), (b"Idempotency-Key", key)]

    answer = await client.post("/v1/projects", headers=headers, json=creating(owner))

    assert_refused(answer, Invalid)
    assert fields(answer) == ["Idempotency-Key"]


async def test_what_was_refused_is_not_kept_and_may_be_mended_under_the_same_key(
    client: httpx.AsyncClient, town: Town
) -> None:
    owner = await town.person()

    refused, mended = await make(client, owner, region="mars"), await make(client, owner)

    assert_refused(refused, Invalid)
    assert mended.status_code == 201


# --- when something breaks ---------------------------------------------------------------------------------------


async def test_a_database_that_goes_in_the_middle_leaves_one_effect_at_most_and_the_key_usable(
    client: httpx.AsyncClient, town: Town, services: Services, engine: BreakableEngine
) -> None:
    owner = await town.person()
    await client.get("/v1/auth/me", headers=owner.headers)
    engine.gone_after = 4

    assert_refused(await make(client, owner), Unavailable)
    engine.gone, engine.gone_after = False, None
    await services.parts.store.drain()

    assert (await make(client, owner)).status_code == 201
    assert await how_many(services) == 1


async def test_what_was_cut_off_in_the_middle_never_runs_a_second_time(
    client: httpx.AsyncClient, town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await town.person()

    async def killed(*_: object, **__: object) -> None:
        raise RuntimeError("the node died here")

    with monkeypatch.context() as patch:
        patch.setattr("pulse_dash.core.projects.create", killed)
        assert (await make(client, owner)).status_code == 500

    assert_refused(await make(client, owner), InProgress)
    assert await how_many(services) == 0


# --- how long ----------------------------------------------------------------------------------------------------


async def test_its_secrets_are_given_for_ten_minutes_and_then_there_is_null(
    client: httpx.AsyncClient, town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    first = (await make(client, owner)).json()

    clock.move(10 * MINUTE - 1)
    await services.feed.read()
    assert (await make(client, owner)).json() == first
    clock.move(1)
    assert (await make(client, owner)).json() == {**first, "pulse_api_secret": None}


async def test_after_a_day_the_key_is_new(
    client: httpx.AsyncClient, town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    work = services.system("the job")
    organization = {"headers": {**owner.headers, **KEY}, "json": {"name": "New"}}
    first = await client.post("/v1/organizations", **organization)

    clock.move(DAY)
    await idempotency.forget(work)

    assert first.status_code == 201
    assert await how_many(services, "kept_answers") == 0


async def test_an_answer_that_is_over_counts_no_more_though_the_job_has_not_come(
    town: Town, clock: MovableClock
) -> None:
    work, done = town.work(await town.person()), 0

    async def do() -> dict[str, Any]:
        nonlocal done
        done += 1
        return {"done": done}

    async def ask() -> idempotency.Given:
        return await idempotency.once(work, key="k", route="/r", body="{}", do=do)

    await ask()
    clock.move(DAY - 1)
    assert (await ask()).answer == {"done": 1}
    clock.move(1)
    assert (await ask()).answer == {"done": 2}


# --- what lies in the store --------------------------------------------------------------------------------------


async def test_the_store_holds_neither_the_key_nor_the_answer_nor_after_ten_minutes_the_secret(
    client: httpx.AsyncClient, town: Town, services: Services, clock: MovableClock
) -> None:
    owner = await town.person()
    answer = await make(client, owner)
    (kept,) = await services.engine.collection("kept_answers").find({})
    for said in (KEY["Idempotency-Key"], "Live Classes", answer.json()["id"], answer.json()["pulse_api_secret"]):
        assert said not in repr(kept)
    assert kept["secrets"]

    clock.move(10 * MINUTE)
    await services.feed.read()
    await idempotency.forget(services.system("the job"))

    (later,) = await services.engine.collection("kept_answers").find({})
    assert "secrets" not in later
    assert (await make(client, owner)).json()["pulse_api_secret"] is None


async def test_when_its_encryption_key_is_gone_it_says_so_and_does_nothing_again(
    client: httpx.AsyncClient, town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await town.person()
    await make(client, owner)
    other = Vault(Secret("j" * 32), Secret("p" * 32), [Secret("another")])

    monkeypatch.setattr(services.parts.vault, "opened", other.opened)

    assert_refused(await make(client, owner), AnswerUnreadable)
    assert await how_many(services) == 1


# --- everywhere --------------------------------------------------------------------------------------------------

# They create nothing that lasts: a sign-in or a token made twice is two, and what is ended or removed twice is so once.
WITHOUT = {
    "POST /v1/auth/email",
    "POST /v1/auth/login",
    "POST /v1/auth/logout",
    "POST /v1/auth/password",
    "POST /v1/auth/password/forgot",
    "POST /v1/auth/password/reset",
    "POST /v1/auth/verify",
    "POST /v1/auth/verify/send",
    "POST /v1/auth/refresh",
    "POST /v1/auth/second-factor",
    "POST /v1/auth/second-factor/confirm",
    "POST /v1/auth/second-factor/off",
    "POST /v1/auth/second-factor/recovery-codes",
    "POST /v1/auth/second-factor/reset",
    "POST /v1/auth/second-factor/setup",
    "POST /v1/invitations/accept",
    "POST /v1/media/rooms/{room}/participants/{identity}/remove",
    "POST /v1/organizations/{org_id}/invitations/{invitation_id}/resend",
    "POST /v1/organizations/{org_id}/restore",
    "POST /v1/organizations/{org_id}/transfer",
    "POST /v1/projects/{project_id}/livekit/test",
    "POST /v1/projects/{project_id}/storage/test",
    "POST /v1/status/subscriptions",
    "POST /v1/tokens/create",
    "POST /v1/tokens/revoke",
    "POST /v1/tokens/validate",
}


def test_every_post_that_creates_takes_the_key() -> None:
    posts = [route for route in every_route() if route.verb == "post" and route.path.startswith("/v1/")]
    taking = {str(each) for each in posts if "Idempotency-Key" in repr(each.operation.get("parameters"))}

    assert {str(route) for route in posts} - taking - WITHOUT == set()


def test_every_secret_of_an_answer_that_may_be_repeated_is_known_and_may_be_null() -> None:
    schemas = described()["components"]["schemas"]
    for route in every_route():
        if "Idempotency-Key" not in repr(route.operation.get("parameters")):
            continue
        answers = route.operation["responses"]
        answer = next(answers[code] for code in ("201", "202", "200") if code in answers)
        shown = schemas[answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]["properties"]
        secret = {name for name in shown if name.endswith(("secret", "_token"))}
        secret |= {name for name, field in shown.items() if "A secret; null in an answer" in str(field)}
        assert secret <= SECRETS
        for name in secret:
            assert {"type": "null"} in shown[name]["anyOf"], (route, name)
