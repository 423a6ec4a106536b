"""Offers to speak another protocol, and what stands behind them: no body is a request, no socket hangs or hoards."""

from __future__ import annotations

from typing import Any

import pytest

from pulse_dash.connection import MOST_PIPELINED
from pulse_dash.web_socket import MOST_PIECES, WebSocket
from tests.wire import Caller, Serving, serving, turns, until

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
TO_A_SOCKET = f"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{KEY}"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tells what it was asked, and keeps a socket open until the other side closes it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer = b"%b %b [%b]" % (scope["method"].encode(), scope["path"].encode(), body)
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def statuses(heard: bytes) -> list[bytes]:
    return [line[9:12] for line in heard.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


async def said(running: Serving, *pieces: str | bytes) -> bytes:
    """All that is answered to these pieces, the last of which closes the connection."""
    caller = await running.caller()
    for piece in pieces:
        await caller.say(piece.encode() if isinstance(piece, str) else piece, turns_between=5)
    return await caller.hear_all()


LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("offer", ["h2c", "foo, bar", "TLS/1.0"])
@pytest.mark.parametrize("path", ["/fast", "/other"])
async def test_an_offer_that_is_not_taken_leaves_the_body_a_body(offer: str, path: str) -> None:
    smuggled = "POST /smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {offer}\r\n"
    async with serving(app) as running:
        heard = await said(running, f"{head}Content-Length: {len(smuggled)}\r\n\r\n", smuggled, LAST)

    assert f"POST {path} [{smuggled}]".encode() in heard
    assert heard.endswith(b"GET /last []")
    assert heard.count(b"HTTP/1.1 200 OK") == 2


async def test_a_body_in_pieces_behind_an_offer_is_read_to_its_end() -> None:
    head = (
        "POST /other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with serving(app) as running:
        heard = await said(running, f"{head}3\r\nabc\r\n", f"3\r\ndef\r\n0\r\n\r\n{LAST}")

    assert b"POST /other [abcdef]" in heard
    assert heard.endswith(b"GET /last []")


async def test_who_offers_and_wants_to_close_is_closed() -> None:
    async with serving(app) as running:
        heard = await said(running, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n")

    assert heard.endswith(b"GET /a []")


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("CONNECT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", id="tunnel"),
        pytest.param(f"{TO_A_SOCKET}Content-Length: 5\r\n\r\nhello", id="socket with a body"),
        pytest.param(f"{TO_A_SOCKET}Cookie: {'a' * 9_000}\r\n\r\n", id="socket with a header that is too long for it"),
        pytest.param(TO_A_SOCKET.replace(KEY, "") + "\r\n", id="socket without a key"),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_closed(asked: str) -> None:
    async with serving(app) as running:
        heard = await said(running, asked)

    assert statuses(heard) == [b"400"]


async def test_no_socket_opens_behind_an_unanswered_request() -> None:
    async with serving(app) as running:
        heard = await said(running, f"GET /first HTTP/1.1\r\nHost: a\r\n\r\n{TO_A_SOCKET}\r\n")

    assert statuses(heard) == [b"200"]
    assert heard.endswith(b"GET /first []")


async def test_what_was_taken_is_answered_before_what_cannot_be_read_closes() -> None:
    async with serving(app) as running:
        heard = await said(running, "POST /made HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}nonsense\r\n\r\n")

    assert statuses(heard) == [b"200"]
    assert heard.endswith(b"POST /made [{}]")


BROKEN = "POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"


@pytest.mark.parametrize("path", ["/fast", "/other"])
@pytest.mark.parametrize("count", [1, MOST_PIPELINED])
async def test_a_body_that_breaks_off_takes_no_answer_from_what_was_taken_before(path: str, count: int) -> None:
    async with serving(app) as running:
        heard = await said(
            running, f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}" * count + BROKEN
        )

    assert heard.count(f"POST {path} [{{}}]".encode()) == heard.count(b"HTTP/1.1 200 OK") == count
    assert b"/broken" not in heard


async def test_a_body_that_breaks_off_is_refused_where_nothing_else_is_due() -> None:
    async with serving(app) as running:
        heard = await said(running, BROKEN)

    assert statuses(heard) == [b"400"]


@pytest.mark.parametrize("whole", [True, False])
async def test_no_refusal_is_written_into_or_behind_the_answer_to_a_body_that_breaks_off(whole: bool) -> None:
    begun: list[bool] = []

    async def answers_early(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"answered" if whole else b"ans", "more_body": not whole})
        begun.append(True)
        while not whole and (await receive())["type"] != "http.disconnect":
            pass

    async with serving(answers_early) as running:
        caller = await running.caller()
        await caller.say(BROKEN.removesuffix("ZZ\r\n").encode())
        await until(lambda: begun)
        await caller.say(b"ZZ\r\n")
        heard = await caller.hear_all()
        await until(lambda: not running.tasks)

    assert heard.endswith(b"\r\n\r\nanswered" if whole else b"\r\n\r\nans")


@pytest.mark.parametrize("more", ["nonsense\r\n\r\n", "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"])
async def test_who_leaves_is_noticed_whatever_they_said_before(more: str) -> None:
    waits: list[bool] = []

    async def waits_for_the_end(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waits.append(True)
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(waits_for_the_end) as running:
        caller = await running.caller()
        await caller.say(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: waits)
        await caller.say(more.encode(), turns_between=5)
        caller.leave()
        await until(lambda: not running.tasks)


async def test_requests_without_end_on_one_connection_are_cut_off() -> None:
    async with serving(app) as running:
        heard = await said(running, b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n" * 1_000)

    assert 1 <= len(statuses(heard)) <= MOST_PIPELINED + 1


async def opened(running: Serving) -> tuple[Caller, WebSocket]:
    """A socket, and the server's side of it."""
    caller = await running.caller()
    await caller.say(f"{TO_A_SOCKET}\r\n".encode())
    await until(lambda: b"101" in caller.heard or running.tasks)
    await caller.hear(b"\r\n\r\n")
    return caller, next(each for each in running.server.server_state.connections if isinstance(each, WebSocket))


def frame(opcode: int, data: bytes, *, last: bool = True) -> bytes:
    """A frame as a browser sends it, under a mask that changes nothing."""
    return bytes([opcode | (0x80 if last else 0), 0x80 | len(data), 0, 0, 0, 0]) + data


async def test_who_reads_no_pongs_gets_no_more_of_them() -> None:
    async with serving(app) as running:
        caller, socket = await opened(running)
        socket.pause_writing()
        before = socket.transport.get_write_buffer_size()
        await caller.say(frame(9, b"x" * 100) * 50, turns_between=20)
        kept = socket.transport.get_write_buffer_size() - before
        socket.resume_writing()
        await caller.say(frame(9, b"again"))
        heard = await caller.hear(b"again")

    assert kept == 0
    assert heard.count(b"x" * 100) == 0


async def test_a_message_of_pieces_without_end_closes_the_socket() -> None:
    async with serving(app) as running:
        caller, _ = await opened(running)
        await caller.say(frame(1, b"a", last=False) + frame(0, b"", last=False) * (MOST_PIECES + 1))
        await caller.hear_all()
        await until(lambda: not running.tasks)


async def test_strangers_write_no_line_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/socket":
            await app(scope, receive, send)
            return
        await receive()
        start = {"type": "websocket.http.response.start", "status": 429, "headers": [(b"content-length", b"0")]}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": b""})

    async with serving(refuses) as running:
        assert b"429" in await said(running, f"{TO_A_SOCKET}\r\n")
    async with serving(app) as running:
        caller, _ = await opened(running)
        await caller.say(frame(1, b"\xff\xfe"))
        heard = await caller.hear_all()

    assert heard.endswith(b"\x88\x02" + (1007).to_bytes(2))
    assert not caplog.records


async def test_a_stop_closes_a_socket_that_never_said_a_whole_handshake() -> None:
    async with serving(app) as running:
        caller, socket = await opened(running)
        socket.handshake_initiated = False
        socket.shutdown()
        await turns(1)
        await caller.hear_all()

    assert socket.transport.is_closing()
