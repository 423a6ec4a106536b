"""The adapter when LiveKit is away, refuses, answers strangely or is something else: an error of ours, with words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.api.twirp_client import ServerError, ServerErrorCode

from pulse_dash.adapters.livekit import LiveKitServer, NoLiveKit, _ours, _translated
from pulse_dash.core.errors import Conflict, Invalid, NotFound, PulseError, Unavailable
from pulse_dash.core.secret import Secret
from tests.engines.livekit import LiveKit
from tests.engines.process import free_port

NOBODYS = "a-secret-that-no-livekit-knows-anything-of"
CODES = {
    "canceled": Unavailable,
    "unknown": Unavailable,
    "invalid_argument": Invalid,
    "malformed": Unavailable,
    "deadline_exceeded": Unavailable,
    "not_found": NotFound,
    "bad_route": Unavailable,
    "already_exists": Conflict,
    "permission_denied": Unavailable,
    "unauthenticated": Unavailable,
    "resource_exhausted": Unavailable,
    "failed_precondition": Conflict,
    "aborted": Unavailable,
    "out_of_range": Invalid,
    "unimplemented": Unavailable,
    "internal": Unavailable,
    "unavailable": Unavailable,
    "dataloss": Unavailable,
}

CALLS: list[Callable[[Any], Awaitable[object]]] = [
    lambda livekit: livekit.ping(),
    lambda livekit: livekit.rooms(),
    lambda livekit: livekit.participants("lobby"),
    lambda livekit: livekit.remove_participant("lobby", "ada"),
    lambda livekit: livekit.delete_room("lobby"),
]
NAMES = ["ping", "rooms", "participants", "remove_participant", "delete_room"]


def every_code() -> set[str]:
    return {value for name, value in vars(ServerErrorCode).items() if name.isupper()}


@asynccontextmanager
async def reached(url: str, key: str = "key", secret: str = NOBODYS) -> AsyncIterator[LiveKitServer]:
    livekit = LiveKitServer(url, key, Secret(secret))
    try:
        yield livekit
    finally:
        await livekit.close()


@asynccontextmanager
async def something_else(answer: bytes) -> AsyncIterator[str]:
    """A server at LIVEKIT_HOST that answers everything with this."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(status: str, body: bytes, kind: str = "text/html") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


def test_the_table_holds_every_code_of_livekit_api_and_no_other() -> None:
    assert set(CODES) == every_code()


@pytest.mark.parametrize("code", sorted(every_code()))
async def test_every_code_of_livekit_api_becomes_one_of_ours(code: str) -> None:
    with pytest.raises(CODES[code]) as refused:
        async with _translated():
            raise ServerError(code, "as LiveKit says it", status=500)

    assert isinstance(refused.value, PulseError)


def test_a_code_of_tomorrow_is_livekits_own_trouble() -> None:
    assert isinstance(_ours(ServerError("teapot", "", status=418)), Unavailable)


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
async def test_a_server_that_is_away_is_unavailable(call: Callable[[Any], Awaitable[object]]) -> None:
    async with reached(f"ws://127.0.0.1:{free_port()}") as livekit:
        with pytest.raises(Unavailable, match="LiveKit does not answer"):
            await call(livekit)


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
async def test_without_a_livekit_everything_says_which_settings_are_missing(
    call: Callable[[Any], Awaitable[object]],
) -> None:
    with pytest.raises(Unavailable, match="LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"):
        await call(NoLiveKit())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http("200 OK", b"<html>Welcome to nginx!</html>"), "no LiveKit"),
        (http("404 Not Found", b"<html>nothing</html>"), "does not answer"),
        (http("502 Bad Gateway", b"<html>nothing</html>"), "does not answer"),
        (
            http("503 Service Unavailable", b'{"code":"unavailable","msg":"no response from servers"}'),
            "does not answer",
        ),
        (http("200 OK", b"")[:20], "does not answer"),
        (b"", "does not answer"),
        (b"\x16\x03\x01 not even http", "does not answer"),
    ],
)
async def test_something_else_at_that_address_is_unavailable_with_words(answer: bytes, words: str) -> None:
    async with something_else(answer) as url, reached(url) as livekit:
        with pytest.raises(Unavailable, match=words):
            await livekit.rooms()


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
async def test_a_wrong_secret_is_unavailable_and_names_the_setting(
    livekit_server: LiveKit, call: Callable[[Any], Awaitable[object]]
) -> None:
    async with reached(livekit_server.url, livekit_server.api_key) as livekit:
        with pytest.raises(Unavailable, match="LIVEKIT_API_SECRET"):
            await call(livekit)


async def test_a_key_that_livekit_does_not_know_is_the_same(livekit_server: LiveKit) -> None:
    async with reached(livekit_server.url, "nobodys", livekit_server.api_secret) as livekit:
        with pytest.raises(Unavailable, match="LIVEKIT_API_KEY"):
            await livekit.rooms()


async def test_in_a_room_that_does_not_run_is_nobody_to_list_and_nobody_to_remove(livekit_server: LiveKit) -> None:
    async with reached(livekit_server.url, livekit_server.api_key, livekit_server.api_secret) as livekit:
        people = await livekit.participants("nowhere")
        with pytest.raises(NotFound):
            await livekit.remove_participant("nowhere", "ada")
        with pytest.raises(NotFound):
            await livekit.delete_room("nowhere")

    assert people == []
