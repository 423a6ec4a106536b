"""A socket speaks as its page asks, takes what a page sends and no more, and is refused as a request is."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from pulse_dash.server import LARGEST_SOCKET_MESSAGE
from tests.wire import Serving, serving


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    """Says what it hears; refuses where the path says so."""
    await receive()
    if scope["path"] == "/refused":
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/limited":
        await send({"type": "websocket.http.response.start", "status": 429, "headers": [(b"retry-after", b"7")]})
        await send({"type": "websocket.http.response.body", "body": b"Slower."})
        return
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1]})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def url(running: Serving, path: str = "") -> str:
    return f"ws://127.0.0.1:{running.port}/{path}"


async def test_a_socket_speaks_the_protocol_that_was_chosen() -> None:
    async with (
        serving(sockets) as running,
        connect(url(running), subprotocols=["one", "two"], proxy=None) as ours,  # type: ignore[list-item]
    ):
        await ours.send("a" * LARGEST_SOCKET_MESSAGE)

        assert await ours.recv() == "a" * LARGEST_SOCKET_MESSAGE
        assert ours.subprotocol == "two"
        assert not ours.protocol.extensions


async def test_a_message_that_is_too_large_closes_its_socket() -> None:
    async with (
        serving(sockets) as running,
        connect(url(running), subprotocols=["one"], proxy=None) as ours,  # type: ignore[list-item]
    ):
        await ours.send("a" * (LARGEST_SOCKET_MESSAGE + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            await ours.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(("path", "status", "body"), [("refused", 403, b""), ("limited", 429, b"Slower.")])
async def test_a_socket_is_refused_as_a_request_is(path: str, status: int, body: bytes) -> None:
    async with serving(sockets) as running:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(running, path), proxy=None)

    assert (refused.value.response.status_code, refused.value.response.body) == (status, body)
