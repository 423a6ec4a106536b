"""The dashboard's forms: taken from our own pages alone, and the only ones that set the cookie."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pulse_dash.api.app import make_api
from pulse_dash.api.session_forms import cookie_of, own_path
from pulse_dash.services import Services
from pulse_dash.settings import Settings
from tests.api.asserting import assert_problem
from tests.conftest import PUBLIC_URL
from tests.doubles import kept
from tests.people import PASSWORD, Town

OURS = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE: dict[str, dict[str, str]] = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "another site that names our origin": {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC_URL},
    "a neighbour's subdomain": {"Sec-Fetch-Site": "same-site"},
    "the address bar": {"Sec-Fetch-Site": "none"},
    "a header that no browser sends": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "an old browser elsewhere": {"Origin": "https://evil.example"},
    "an opaque origin": {"Origin": "null"},
    "our host on another port": {"Origin": "http://localhost:8001"},
    "our host as a prefix": {"Origin": f"{PUBLIC_URL}.evil.example"},
    "nobody's page": {},
    "a referrer alone": {"Referer": f"{PUBLIC_URL}/login"},
}
FORMS = ["/session/login", "/session/signup", "/session/end"]


def sign_up_form(**changed: str) -> dict[str, str]:
    return {
        "email": "new@example.com",
        "password": PASSWORD,
        "name": "New",
        "organization_name": "New & Co",
        **changed,
    }


def asked_again(answer: httpx.Response) -> dict[str, str]:
    """What the page that the form came from is told."""
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_a_form_from_elsewhere_is_403_without_a_cookie(
    client: httpx.AsyncClient, town: Town, elsewhere: str
) -> None:
    person = await town.person()
    right = {"email": person.actor.email, "password": PASSWORD, "name": "x", "organization_name": "x"}
    for path in FORMS:
        answer = await client.post(path, headers=ELSEWHERE[elsewhere], data=right)
        assert_problem(answer, 403, "cross_site")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", [OURS, {"Origin": PUBLIC_URL}], ids=["a browser", "an old browser"])
async def test_our_own_form_signs_in_with_a_careful_cookie(
    client: httpx.AsyncClient, town: Town, settings: Settings, headers: dict[str, str]
) -> None:
    person = await town.person()
    form = {"email": person.actor.email.upper(), "password": PASSWORD, "next": "/projects?page=2"}

    answer = await client.post("/session/login", headers=headers, data=form)

    assert (answer.status_code, answer.headers["location"]) == (303, "/projects?page=2")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{settings.cookie_name}=ses_")
    for flag in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert flag.lower() in cookie.lower()


async def test_our_own_form_signs_up_and_in(client: httpx.AsyncClient, services: Services) -> None:
    answer = await client.post("/session/signup", headers=OURS, data=sign_up_form())

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" in answer.headers
    assert len(await kept(services.engine, "organizations", name="New & Co")) == 1


async def test_each_sign_in_gets_a_session_of_its_own_and_ends_the_one_before(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    form = {"email": person.actor.email, "password": PASSWORD}

    await client.post("/session/login", headers=OURS, data=form)
    first = dict(client.cookies)
    await client.post("/session/login", headers=OURS, data=form)

    assert dict(client.cookies) != first
    dashboards = await kept(services.engine, "sessions", kind="dashboard")
    ended = [each for each in dashboards if each.get("ended_at")]
    assert [session["_id"] for session in ended] == [next(iter(first.values())).partition(".")[0]]


async def test_a_session_that_was_planted_is_not_taken_over(
    client: httpx.AsyncClient, town: Town, settings: Settings
) -> None:
    person = await town.person()
    planted = "ses_01aaaaaaaaaaaaaaaaaaaaaaaa.planted"
    form = {"email": person.actor.email, "password": PASSWORD}

    answer = await client.post(
        "/session/login", headers={**OURS, "Cookie": f"{settings.cookie_name}={planted}"}, data=form
    )

    assert planted not in answer.headers["set-cookie"]


async def test_signing_out_ends_the_session_and_takes_the_cookie(
    client: httpx.AsyncClient, town: Town, services: Services
) -> None:
    person = await town.person()
    await client.post("/session/login", headers=OURS, data={"email": person.actor.email, "password": PASSWORD})

    answer = await client.post("/session/end", headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not client.cookies
    assert await kept(services.engine, "sessions", kind="dashboard", ended_at=None) == []


REFUSED: dict[str, tuple[str, dict[str, str], str]] = {
    "a wrong password": ("/session/login", {"password": "not the right one"}, "wrong_credentials"),
    "an unknown address": ("/session/login", {"email": "nobody@example.com"}, "wrong_credentials"),
    "nothing at all": ("/session/login", {"email": "", "password": ""}, "wrong_credentials"),
    "a taken address": ("/session/signup", {}, "email_taken"),
    "a short password": ("/session/signup", {"email": "b@example.com", "password": "short"}, "invalid"),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_refused_form_comes_back_with_the_reason_and_without_the_password(
    client: httpx.AsyncClient, town: Town, why: str
) -> None:
    person = await town.person()
    path, changed, code = REFUSED[why]
    form = sign_up_form(email=person.actor.email, next="/projects") | changed

    answer = await client.post(path, headers=OURS, data=form)

    told = asked_again(answer)
    assert (told["error"], told["next"]) == (code, "/projects")
    assert "password" not in told
    assert form["password"] == "" or form["password"] not in answer.headers["location"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"a" * 100_000, b"&" * 20_000, b"email=%ff%00&password=%00", b'{"email": "x"}', b"email[$ne]=x"],
    ids=["empty", "bytes", "large", "separators", "controls", "JSON", "an operator"],
)
async def test_junk_as_a_form_is_asked_for_again(client: httpx.AsyncClient, body: bytes) -> None:
    for path in ("/session/login", "/session/signup"):
        answer = await client.post(path, headers=OURS, content=body)
        assert asked_again(answer)["error"] in {"wrong_credentials", "invalid"}


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/projects", "/projects"),
        ("/projects/prj_1?tab=keys", "/projects/prj_1?tab=keys"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\..\\evil", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("\\\\evil.example", "/"),
        (" //evil.example", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_goes_to_a_path_of_ours(wanted: str, goes: str) -> None:
    assert own_path(wanted) == goes


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\x1c", "\x0c"], ids=ascii)
def test_a_cookie_under_a_name_that_only_looks_like_ours_is_not_ours(blank: str) -> None:
    planted = f"a=b; {blank}__Host-pulse=theirs".encode("latin-1")

    assert cookie_of(planted, "__Host-pulse") is None
    assert cookie_of(planted + b"; \t__Host-pulse=ours ", "__Host-pulse") == "ours"


async def test_a_form_that_breaks_off_signs_nobody_in_and_is_no_fault_of_ours(services: Services) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/session/login",
        "query_string": b"",
        "headers": [(b"sec-fetch-site", b"same-origin")],
        "client": ("203.0.113.9", 4711),
    }
    messages = iter([{"type": "http.request", "body": b"email=a", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await make_api(services)(scope, receive, send)

    assert sent[0]["status"] == 303


async def test_the_api_takes_no_form_and_sets_no_cookie(client: httpx.AsyncClient, town: Town) -> None:
    person = await town.person()
    right = {"email": person.actor.email, "password": PASSWORD}

    form = await client.post("/v1/auth/login", headers=OURS, data=right)
    signed_in = await client.post("/v1/auth/login", headers=OURS, json=right)

    assert_problem(form, 400, "malformed_json")
    assert signed_in.status_code == 200
    assert "set-cookie" not in signed_in.headers
