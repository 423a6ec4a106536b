"""The real dashboard as it is served: built files, Reflex, real sessions. Fails when Reflex's inside moves."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import httpx
import pytest

from pulse_dash import frontend
from tests.served import Served

PASSWORD = "correct horse battery staple"
HYDRATE = "reflex___state____state.hydrate_and_load"
PRIVATE = (
    "reflex___state____state.pulse_dash___reflex_seam____pulse_state.pulse_dash___state___shell____shell_state.load"
)

_numbers = itertools.count(1)


@asynccontextmanager
async def a_browser(pulse: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pulse.url, headers={"origin": pulse.url}, timeout=20) as browser:
        yield browser


async def signed_up(browser: httpx.AsyncClient) -> str:
    """Create an account through the form; the answer is the cookie."""
    number = next(_numbers)
    form = {"email": f"seam{os.getpid()}-{number}@example.com", "password": PASSWORD, "name": "Ada Seam"}
    answer = await browser.post("/session/signup", data={**form, "organization_name": f"Seam {number}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
    return answer.headers["set-cookie"].partition(";")[0]


class Socket:
    """Reflex's socket as its own client speaks it."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws

    async def send(self, name: str) -> None:
        event = {"name": name, "payload": {}, "router_data": {"pathname": "/", "asPath": "/", "query": {}}}
        await self._ws.send_str(f"42/_event,{json.dumps(['event', event])}")

    async def read_until(self, words: str) -> str:
        heard = ""
        while words not in heard:
            heard += await self._ws.receive_str(timeout=10)
        return heard


@asynccontextmanager
async def a_socket(
    pulse: Served, *, cookie: str = "", token: str = "", origin: str | None = None
) -> AsyncIterator[Socket]:
    address = f"{pulse.url}/_event/?EIO=4&transport=websocket&token={token or uuid.uuid4()}"
    headers = {"origin": origin or pulse.url, "cookie": cookie}
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as ws:
        assert (await ws.receive_str()).startswith("0")
        await ws.send_str("40/_event,{}")
        assert (await ws.receive_str()).startswith("40/_event")
        yield Socket(ws)


async def test_a_stranger_is_sent_from_every_private_page_to_the_log_in(pulse: Served) -> None:
    async with a_browser(pulse) as browser:
        answers = {path: await browser.get(path) for path in ("/", "/projects", "/projects/prj_1")}

    assert {path: answer.headers["location"] for path, answer in answers.items()} == {
        "/": "/login",
        "/projects": "/login?next=/projects",
        "/projects/prj_1": "/login?next=/projects/prj_1",
    }


async def test_a_stranger_on_the_socket_gets_no_state_and_no_handler(pulse: Served) -> None:
    async with a_socket(pulse) as socket:
        await socket.send(PRIVATE)
        answer = await socket.read_until("/login?next=")

    assert "organization_name" not in answer


async def test_another_site_opens_no_socket_and_the_refusal_has_its_headers(pulse: Served) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with a_socket(pulse, origin="https://evil.example"):
            pass

    assert refused.value.status == 403
    assert refused.value.headers is not None
    assert refused.value.headers["x-content-type-options"] == "nosniff"


async def test_a_person_is_shown_their_own_and_after_signing_out_nothing(pulse: Served) -> None:
    token = str(uuid.uuid4())
    async with a_browser(pulse) as browser:
        cookie = await signed_up(browser)
        async with a_socket(pulse, cookie=cookie, token=token) as socket:
            await socket.send(HYDRATE)
            await socket.read_until("Ada Seam")

            await browser.post("/session/end", headers={"cookie": cookie})
            await socket.send(PRIVATE)
            await socket.read_until("/login?next=")
        async with a_socket(pulse, cookie=cookie, token=token) as again:
            await again.send(HYDRATE)
            await again.send(PRIVATE)

            assert "Ada Seam" not in await again.read_until("/login?next=")


async def test_each_page_allows_exactly_the_inline_scripts_it_has(pulse: Served) -> None:
    async with a_browser(pulse) as browser:
        page = await browser.get("/login")
    inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page.text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in inline]

    assert inline
    assert all(f"'sha256-{value}'" in page.headers["content-security-policy"] for value in hashes)


async def test_all_files_that_a_page_names_are_there_and_speak_of_no_other_address(pulse: Served) -> None:
    async with a_browser(pulse) as browser:
        page = await browser.get("/login")
        named = sorted(set(re.findall(r'(?:href|src)="(/[^"]+\.\w+)"', page.text)))
        files = {path: await browser.get(path) for path in named}

    assert any(path.startswith("/assets/reflex-env-") for path in named)
    assert {path: file.status_code for path, file in files.items() if file.status_code != 200} == {}
    assert [path for path, file in files.items() if "localhost:8000" in file.text] == []


@pytest.mark.parametrize(
    "path", ["/health", "/login", "/nothing", "/v1/nothing", "/assets/none.js", "/projects", "/ping", "/_health"]
)
async def test_every_answer_carries_the_careful_headers(pulse: Served, path: str) -> None:
    async with a_browser(pulse) as browser:
        headers = (await browser.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "content-security-policy" in headers
    assert "cache-control" in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/ping", "/_health", "/_upload", "/_all_routes", "/_event/?EIO=4&transport=polling"])
async def test_nothing_of_reflex_but_its_socket_is_reachable(pulse: Served, path: str) -> None:
    async with a_browser(pulse) as browser:
        answer = await browser.get(path)

    assert answer.status_code == 404


def test_the_build_is_made_of_the_committed_packages(pulse: Served) -> None:
    """When it fails: python -m pulse_dash.frontend lock, and commit reflex.lock/."""
    assert frontend.packages_of(frontend.built()) == frontend.packages_of(frontend.ROOT / "reflex.lock")


async def test_a_run_keeps_no_state_and_no_page_on_disk(pulse: Served) -> None:
    async with a_browser(pulse) as browser:
        cookie = await signed_up(browser)
        async with a_socket(pulse, cookie=cookie) as socket:
            await socket.send(HYDRATE)
            await socket.read_until("Ada Seam")
    checkout = Path(__file__).parents[2]
    left = {path.name for folder in (pulse.data.parent, checkout) for path in folder.iterdir()}

    assert not left & {".states", ".web", "uploaded_files", "reflex.db"}
