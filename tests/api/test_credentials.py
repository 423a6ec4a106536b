"""Who is let in: whatever is wrong with credentials, the answer is one and the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import httpx
import jwt
import pytest

from pulse_dash.core import keys, organizations, projects, sessions
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.core.key_text import new_key, new_secret, new_user_token
from pulse_dash.services import Services
from tests.api.asserting import assert_refused
from tests.doubles import MovableClock
from tests.people import House, Person, Town

Headers = dict[str, str]


def basic(text: str | bytes, scheme: str = "Basic") -> Headers:
    raw = text.encode() if isinstance(text, str) else text
    return {"Authorization": f"{scheme} {b64encode(raw).decode()}"}


def _pair(key: str, secret: str) -> Headers:
    return {"X-Pulse-Key": key, "X-Pulse-Secret": secret}


WRONG: dict[str, Callable[[House, House, Person], Headers]] = {
    "none": lambda mine, other, person: {},
    "the key alone": lambda mine, other, person: {"X-Pulse-Key": mine.key.public},
    "the secret alone": lambda mine, other, person: {"X-Pulse-Secret": mine.key.secret.reveal()},
    "empty headers": lambda mine, other, person: _pair("", ""),
    "a malformed key": lambda mine, other, person: _pair("pulse_key_1", mine.key.secret.reveal()),
    "a malformed secret": lambda mine, other, person: _pair(mine.key.public, "secret"),
    "a secret of nobody": lambda mine, other, person: _pair(mine.key.public, new_secret()),
    "a key of nobody": lambda mine, other, person: _pair(new_key(), mine.key.secret.reveal()),
    "another tenant's secret": lambda mine, other, person: _pair(mine.key.public, other.key.secret.reveal()),
    "key and secret swapped": lambda mine, other, person: _pair(mine.key.secret.reveal(), mine.key.public),
    "bytes that are no text": lambda mine, other, person: _pair("pulse_key_\xff", "\xff\x80"),
    "Basic with another tenant's secret": lambda mine, other, person: basic(
        f"{mine.key.public}:{other.key.secret.reveal()}"
    ),
    "Basic without a secret": lambda mine, other, person: basic(mine.key.public),
    "Basic that is no base64": lambda mine, other, person: {"Authorization": "Basic ???"},
    "Basic that is no text": lambda mine, other, person: basic(b"\xff\xfe:\x00"),
    "a scheme alone": lambda mine, other, person: {"Authorization": "Bearer"},
    "a scheme that we do not know": lambda mine, other, person: {"Authorization": f"Token {person.access_token}"},
    "Digest": lambda mine, other, person: {"Authorization": 'Digest username="x"'},
    "the pair as Bearer": lambda mine, other, person: {
        "Authorization": f"Bearer {mine.key.public}:{mine.key.secret.reveal()}"
    },
    "a refresh token as Bearer": lambda mine, other, person: {"Authorization": f"Bearer {person.refresh_token}"},
    "a personal token of nobody": lambda mine, other, person: {"Authorization": f"Bearer {new_user_token()}"},
    "a malformed personal token": lambda mine, other, person: {"Authorization": "Bearer pulse_user_x"},
    "a personal token as a pair": lambda mine, other, person: _pair(mine.key.public, new_user_token()),
    "junk as Bearer": lambda mine, other, person: {"Authorization": "Bearer a.b.c"},
    "an unsigned token": lambda mine, other, person: {
        "Authorization": "Bearer " + jwt.encode({"sub": person.actor.id, "sid": "x", "exp": 2**40}, None, "none")
    },
    "half a pair beside a good Bearer": lambda mine, other, person: {
        **person.headers,
        "X-Pulse-Key": mine.key.public,
    },
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_wrong_credentials_are_401_whatever_is_wrong(client: httpx.AsyncClient, town: Town, wrong: str) -> None:
    person = await town.person()
    mine, other = await town.project(person), await town.house()
    headers = _latin(WRONG[wrong](mine, other, person))

    for path in ("/v1/tokens/create", "/v1/organizations"):
        answer = await client.post(path, headers=headers, json={})
        assert_refused(answer, Unauthenticated)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="pulse"'


async def test_all_wrong_credentials_get_the_same_body_but_for_the_request_id(
    client: httpx.AsyncClient, town: Town
) -> None:
    person = await town.person()
    mine, other = await town.project(person), await town.house()
    revoked = await town.project(person)
    await keys.revoke(town.work(person), revoked.id, revoked.key.id)
    asked = [_latin(make(mine, other, person)) for make in WRONG.values()] + [dict(revoked.headers)]

    bodies = [(await client.post("/v1/tokens/create", headers=headers, json={})).json() for headers in asked]

    assert len({body.pop("request_id") for body in bodies}) == len(asked)
    assert all(body == bodies[0] for body in bodies)


async def test_the_pair_opens_as_headers_and_as_basic(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()
    same = f"{house.key.public}:{house.key.secret.reveal()}"

    for headers in (house.headers, basic(same), basic(same, "bAsIc")):
        assert (await client.get(f"/v1/projects/{house.id}", headers=headers)).status_code == 200


GONE: dict[str, Callable[[Town, Person, House], object]] = {
    "its key is revoked": lambda town, owner, house: keys.revoke(town.work(owner), house.id, house.key.id),
    "its pair is regenerated": lambda town, owner, house: keys.regenerate(town.work(owner), house.id),
    "its project is deleted": lambda town, owner, house: projects.delete(town.work(owner), house.id),
    "its organization is deleted": lambda town, owner, house: organizations.delete(
        town.work(owner), owner.organization.id
    ),
}


@pytest.mark.parametrize("what", GONE)
async def test_a_pair_opens_nothing_once(client: httpx.AsyncClient, town: Town, what: str) -> None:
    owner = await town.person()
    house = await town.project(owner)
    ok = {"room": "lobby", "identity": "ada"}
    assert (await client.post("/v1/tokens/create", headers=house.headers, json=ok)).status_code == 200

    await GONE[what](town, owner, house)  # type: ignore[misc]

    assert_refused(await client.post("/v1/tokens/create", headers=house.headers, json=ok), Unauthenticated)


async def test_an_access_token_ends_after_a_quarter_of_an_hour(
    client: httpx.AsyncClient, town: Town, clock: MovableClock, services: Services
) -> None:
    person = await town.person()

    clock.move(15 * 60 - 1)
    await services.feed.read()
    assert (await client.get("/v1/auth/me", headers=person.headers)).status_code == 200
    clock.move(1)
    assert_refused(await client.get("/v1/auth/me", headers=person.headers), Unauthenticated)


async def test_an_access_token_ends_with_its_sign_in(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()

    assert (await client.post("/v1/auth/logout", headers=person.headers)).status_code == 204

    assert_refused(await client.get("/v1/auth/me", headers=person.headers), Unauthenticated)
    refused = await client.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token})
    assert_refused(refused, Unauthenticated)


async def test_a_token_of_another_kind_signed_with_our_key_is_no_access_token(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    claims = {"sub": person.actor.id, "sid": person.actor.session_id, "aud": "pulse-api", "exp": 2**40}
    forged = jwt.encode({**claims, "typ": "pulse-invitation"}, services.parts.vault.access_key, algorithm="HS256")

    answer = await client.get("/v1/auth/me", headers={"Authorization": f"Bearer {forged}"})

    assert_refused(answer, Unauthenticated)


async def test_the_dashboards_cookie_opens_no_route_of_the_api(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    system = services.system("a test's sign-in")
    user = await system.store.users.get(person.actor.id)
    started = await sessions.start(town.stranger, user, sessions.DASHBOARD)
    cookie = {"Cookie": f"{services.settings.cookie_name}={started.secret.reveal()}"}

    for verb, path in (("GET", "/v1/auth/me"), ("POST", "/v1/organizations"), ("POST", "/v1/tokens/create")):
        assert_refused(await client.request(verb, path, headers=cookie), Unauthenticated)


async def test_a_projects_key_is_nobody(client: httpx.AsyncClient, town: Town) -> None:
    house = await town.house()

    assert_refused(await client.get("/v1/auth/me", headers=house.headers), Unauthenticated)


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: httpx.AsyncClient, town: Town
) -> None:
    person = await town.person()

    bodies = []
    for email in (person.actor.email, "nobody@example.com", "", "no address", "a" * 5_000):
        answer = await client.post("/v1/auth/login", json={"email": email, "password": "not it, by far"})
        bodies.append(assert_refused(answer, Unauthenticated))

    assert len({body.pop("request_id") for body in bodies}) == len(bodies)
    assert all(body == bodies[0] for body in bodies)


def _latin(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
