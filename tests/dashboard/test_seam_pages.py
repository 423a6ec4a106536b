"""What a browser gets of the built dashboard: files, headers on every answer, and the redirects before pages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from pulse_dash.api.browser import Dashboard, UnknownBuild
from pulse_dash.api.headers import CarefulAnswers, with_livekit

HOME = '<html><script>start()</script><script src="/assets/a.js"></script><script type="module">go()</script></html>'
LOGIN = "<html><script>start()</script>log in</html>"
LOST = "<html>shell</html>"
BAKED = "var e={PING:`http://localhost:8000/ping`,EVENT:`ws://localhost:8000/_event`};export{e as t};"
ROUTES = {"/": "index", "/login": "login", "/projects": "projects"}
HOSTILE = ["//evil.example", "/\\evil.example", "/%2f%2fevil.example", "/x\r\nset-cookie: a=b", "/é?q=ü", "/%0d%0aa:b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "index.html": HOME,
        "login/index.html": LOGIN,
        "404.html": LOST,
        "favicon.svg": "<svg/>",
        "assets/a-1.js": "code()",
        "assets/reflex-env-abc.js": BAKED,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def route_of(path: str) -> str | None:
    return "projects/[project_id]" if path.startswith("/projects/") else ROUTES.get(path)


async def signed_in(scope: Scope) -> bool:
    return (b"cookie", b"pulse_session=ada") in scope["headers"]


async def own_livekit(scope: Scope) -> str:
    return "wss://media.example" if scope["query_string"] == b"livekit=own" else ""


def served(folder: Path, *, public_url: str = "http://localhost:8000", production: bool = False) -> TestClient:
    dashboard = Dashboard(
        folder,
        public_url=public_url,
        livekit_hosts=("wss://livekit.example:7880", "wss://eu.livekit.example"),
        production=production,
        route_of=route_of,
        public_routes=frozenset({"/login", "404"}),
        signed_in=signed_in,
        own_livekit=own_livekit,
    )
    app: ASGIApp = CarefulAnswers(dashboard, https=public_url.startswith("https"))
    return TestClient(app, base_url=public_url, follow_redirects=False)


def as_ada(client: TestClient, path: str) -> Response:
    return client.get(path, headers={"cookie": "pulse_session=ada"})


@pytest.mark.parametrize("path", ["/projects", "/projects/prj_1", "/projects/prj_1/"])
def test_a_stranger_goes_to_the_log_in_before_any_html_of_a_private_page(folder: Path, path: str) -> None:
    answer = served(folder).get(path)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={path.rstrip('/')}"
    assert not answer.content


def test_a_person_gets_the_page(folder: Path) -> None:
    client = served(folder)

    assert as_ada(client, "/").text == HOME
    assert as_ada(client, "/projects/prj_1").status_code == 200


def test_the_log_in_answers_without_a_slash_and_without_a_redirect(folder: Path) -> None:
    client = served(folder)

    assert [client.get(path).text for path in ("/login", "/login/")] == [LOGIN, LOGIN]


def test_a_person_has_no_use_for_the_log_in(folder: Path) -> None:
    answer = as_ada(served(folder), "/login")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/.env",
        "/../rxconfig.py",
        "/%2e%2e/rxconfig.py",
        "/assets/../index.html",
        "/assets/none.js",
        "/projects.html",
    ],
)
def test_what_is_not_there_is_404(folder: Path, path: str) -> None:
    assert served(folder).get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nothing", "/assets/a-1.js", "/assets/none.js", "/favicon.svg", "/projects"]
)
def test_every_answer_carries_the_careful_headers(folder: Path, path: str) -> None:
    headers = served(folder).get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-request-id"].startswith("req_")
    assert headers["cache-control"]


def test_strict_transport_goes_out_with_https_only(folder: Path) -> None:
    plain, safe = served(folder).get("/login"), served(folder, public_url="https://pulse.example").get("/login")

    assert "strict-transport-security" not in plain.headers
    assert safe.headers["strict-transport-security"] == "max-age=31536000"


def test_the_callers_request_id_comes_back_when_a_log_can_hold_it(folder: Path) -> None:
    client = served(folder)

    assert client.get("/login", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/login", headers={"x-request-id": "a b\x1b"}).headers["x-request-id"].startswith("req_")


def test_all_pages_share_a_policy_that_knows_their_inline_scripts_and_livekit(folder: Path) -> None:
    client = served(folder)
    policies = {
        as_ada(client, "/").headers["content-security-policy"],
        client.get("/login").headers["content-security-policy"],
    }

    assert len(policies) == 1
    policy = policies.pop()
    assert policy.count("'sha256-") == 2
    assert "wss://livekit.example:7880 https://livekit.example:7880 wss://eu.livekit.example" in policy
    assert "ws://localhost:8000" in policy
    assert "script-src 'self' 'sha256-" in policy


def test_files_named_by_their_content_never_change_and_the_rest_is_asked_for(folder: Path) -> None:
    client = served(folder)

    assert "immutable" in client.get("/assets/a-1.js").headers["cache-control"]
    assert client.get("/login").headers["cache-control"] == "no-cache"
    assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"


def test_a_file_the_browser_has_is_not_sent_again(folder: Path) -> None:
    client = served(folder)
    etag = client.get("/login").headers["etag"]

    answer = client.get("/login", headers={"if-none-match": etag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_the_address_of_the_build_becomes_the_browsers_own(folder: Path) -> None:
    answer = served(folder).get("/assets/reflex-env-abc.js")

    assert "localhost" not in answer.text
    assert 'PING:(location.origin+"/ping")' in answer.text
    assert answer.text.endswith("export{e as t};")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "baked", ["", "var e={PING:'http://'+host};", "var e={PING:`http://localhost:8000/ping`,X:`http://localhost:3000`}"]
)
def test_a_build_of_an_unknown_form_is_not_served(folder: Path, baked: str) -> None:
    (folder / "assets/reflex-env-abc.js").write_text(baked)

    with pytest.raises(UnknownBuild):
        served(folder)


def test_in_development_pages_move_to_the_public_address_and_files_do_not(folder: Path) -> None:
    client = served(folder)
    page = client.get("/login?next=/x", headers={"host": "127.0.0.1:8000"})

    assert (page.status_code, page.headers["location"]) == (307, "http://localhost:8000/login?next=/x")
    assert client.get("/assets/a-1.js", headers={"host": "127.0.0.1:8000"}).status_code == 200


def test_behind_https_plain_pages_move_and_another_host_stays(folder: Path) -> None:
    client = served(folder, public_url="https://pulse.example", production=True)
    plain = client.get("/login", headers={"x-forwarded-proto": "http"})

    assert plain.headers["location"] == "https://pulse.example/login"
    assert client.get("/login", headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000"])
async def test_no_path_leads_to_another_site_or_splits_a_header(folder: Path, path: str, host: str) -> None:
    said: list[Any] = []
    app = served(folder).app
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"a=\r\nb",
        "headers": [(b"host", host.encode())],
    }

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, _nothing, send)
    location = dict(said[0]["headers"]).get(b"location", b"/").decode()

    assert location.startswith(("http://localhost:8000/", "/login?next=%", "/login?next=/", "/"))
    assert not location.startswith(("//", "/\\"))
    assert not any(sign in location for sign in "\r\n\\")


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_are_only_read(folder: Path, method: str) -> None:
    answer = served(folder).request(method, "/login")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_tells_the_length_and_sends_nothing(folder: Path) -> None:
    answer = served(folder).head("/login", headers={"accept-encoding": "identity"})

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(LOGIN)))


async def _send_nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 403, "headers": []})


async def test_a_refused_socket_carries_the_headers_too() -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    await CarefulAnswers(_send_nowhere, https=False)({"type": "websocket", "headers": []}, _nothing, send)

    assert dict(said[0]["headers"])[b"x-content-type-options"] == b"nosniff"


# --- a project's own LiveKit ---------------------------------------------------------------------------------------


def test_one_document_may_connect_to_the_projects_own_livekit_and_no_other(folder: Path) -> None:
    client = served(folder)
    asked, other = (
        connect_sources(as_ada(client, path)) for path in ("/projects/prj_1?livekit=own", "/projects/prj_1?tab=try")
    )

    assert asked - other == {"wss://media.example:443", "https://media.example:443"}
    assert other <= asked


def connect_sources(answer: Response) -> set[str]:
    (rule,) = re.findall(r"connect-src ([^;]+)", answer.headers["content-security-policy"])
    return set(rule.split())


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "wss://a; script-src *", "wss://[::1%a; script-src *]", "wss://a b", "wss://a\n"]
)
def test_what_is_no_address_changes_no_policy(url: str) -> None:
    assert with_livekit(b"connect-src 'self'; object-src 'none'", url) == b"connect-src 'self'; object-src 'none'"
