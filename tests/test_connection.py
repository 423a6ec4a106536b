"""The shorter way and uvicorn's own say the same, byte by byte, however a stream of requests is cut into pieces."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_dash.connection import Answer, Departures, FastLane
from tests.core.soak import examples
from tests.wire import FAST, FORGETFUL, USUAL, Caller, Memory, Serving, remembering, serving, turns, until

DATE = re.compile(rb"\r\ndate: [^\r]*")
# What the application does, told by the request's path; {} is a number of turns.
MANNERS = ["whole", "silent", "pieces", "raise", "raise-started", "raise-done", "short", "long", "unmeasured", "close"]

bodies = st.binary(max_size=60)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked, in the manner that a header names."""
    headers = dict(scope["headers"])
    manner, wait = headers.get(b"x-manner", b"whole").decode(), int(headers.get(b"x-wait", b"0"))
    body, more = b"", manner != "silent"
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await turns(wait)
    told = {name: scope[name] for name in ("method", "path", "raw_path", "query_string", "http_version", "headers")}
    answer = repr((sorted(told.items()), body)).encode()
    await ANSWERS[manner](answer, wait, send)


async def _whole(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"content-length", b"%d" % len(answer)), (b"x-of", b"whole")])
    await turns(wait)
    await send({"type": "http.response.body", "body": answer})


async def _pieces(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [])
    for at in range(0, len(answer), 50):
        await send({"type": "http.response.body", "body": answer[at : at + 50], "more_body": True})
        await turns(wait)
    await send({"type": "http.response.body"})


async def _raise(answer: bytes, wait: int, send: Any) -> None:
    raise _Broken


async def _raise_started(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"content-length", b"%d" % len(answer))])
    await send({"type": "http.response.body", "body": answer[:9], "more_body": True})
    raise _Broken


async def _raise_done(answer: bytes, wait: int, send: Any) -> None:
    await _whole(answer, 0, send)
    raise _Broken


async def _short(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"content-length", b"%d" % (len(answer) + 1))])
    await send({"type": "http.response.body", "body": answer})


async def _long(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"content-length", b"3")])
    await send({"type": "http.response.body", "body": answer})


async def _unmeasured(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"x-of", b"unmeasured")])
    await send({"type": "http.response.body", "body": answer})


async def _close(answer: bytes, wait: int, send: Any) -> None:
    await _started(send, [(b"content-length", b"%d" % len(answer)), (b"connection", b"close")])
    await send({"type": "http.response.body", "body": answer})


async def _started(send: Any, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})


class _Broken(Exception):
    """What the application of these tests raises."""


ANSWERS = {
    "whole": _whole,
    "silent": _whole,
    "pieces": _pieces,
    "raise": _raise,
    "raise-started": _raise_started,
    "raise-done": _raise_done,
    "short": _short,
    "long": _long,
    "unmeasured": _unmeasured,
    "close": _close,
}


def written(line: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it is sent."""
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "pulse.example", **headers}.items())
    return f"{line}\r\n{head}\r\n".encode() + body


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, often of the fast lane and plain, seldom one that closes the connection."""
    # Most answer well: what breaks ends the stream, and behind it nothing is tried.
    manner = draw(st.sampled_from(["whole"] * 8 + ["pieces", "silent", "unmeasured"] * 2 + MANNERS))
    headers = {"X-Manner": manner, "X-Wait": draw(st.sampled_from("000123"))}
    path = draw(st.sampled_from(["/fast"] * 6 + ["/other", "/fast?a=%20b", "/%66ast", "/fast/", "/f%C3%A9"]))
    method = draw(st.sampled_from(["POST"] * 6 + ["GET", "HEAD", "PUT", "DELETE"]))
    version = draw(st.sampled_from(["1.1"] * 15 + ["1.0"]))
    headers |= draw(st.sampled_from([{}] * 12 + [{"Connection": "close"}, {"Connection": "keep-alive"}]))
    headers |= draw(st.sampled_from([{}] * 6 + [{"Expect": "100-continue"}]))
    line, body = f"{method} {path} HTTP/{version}", draw(bodies)
    if version == "1.1" and draw(st.sampled_from([False] * 4 + [True])):
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [body, *draw(st.lists(bodies))] if piece]
        return written(line, {**headers, "Transfer-Encoding": "chunked"}, b"".join(chunks) + b"0\r\n\r\n")
    if body or draw(st.booleans()):
        headers["Content-Length"] = str(len(body))
    return written(line, headers, body)


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[bytes, int]]:
    """Requests one behind the other, cut anywhere; with each piece how often the loop turns before the next."""
    last = written("GET /last HTTP/1.1", {"Connection": "close"})
    stream = b"".join([*draw(st.lists(requests(), min_size=1, max_size=6)), last])
    cuts = sorted({0, len(stream), *draw(st.lists(st.integers(0, len(stream)), max_size=8))})
    return [(stream[one:two], draw(st.sampled_from([0, 1, 2, 3, 8]))) for one, two in pairwise(cuts)]


LANES = [remembering(echo), FORGETFUL, USUAL]


@pytest.fixture
async def all_ways() -> AsyncIterator[list[Serving]]:
    """A server for each way."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(echo, fast)) for fast in LANES]


async def answers(caller: Caller, pieces: list[tuple[bytes, int]]) -> tuple[bytes, bool]:
    """What was answered, and whether the end of it may be lost."""
    for piece, count in pieces:
        if not await caller.say(piece, turns_between=count):
            break
    heard = await caller.hear_all()
    caller.leave()
    return DATE.sub(b"\r\ndate", heard), caller.broken_off


@given(pieces=streams())
@settings(
    max_examples=examples(200, 20_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_all_ways_answer_the_same(all_ways: list[Serving], pieces: list[tuple[bytes, int]]) -> None:
    *others, (usual, usual_broken) = [await answers(await running.caller(), pieces) for running in all_ways]

    for other, broken in others:
        assert other == usual or (broken and usual.startswith(other)) or (usual_broken and other.startswith(usual))


@pytest.fixture(params=LANES, ids=["from memory", "after memory", "as usual"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Serving]:
    """A server for one of the ways."""
    async with serving(echo, request.param) as running:
        yield running


def asked(manner: str, **headers: str) -> bytes:
    """A request of the fast lane."""
    return written("POST /fast HTTP/1.1", {"X-Manner": manner, "Content-Length": "0", **headers})


def with_trailer(trailer: bytes) -> bytes:
    """One whose body comes in chunks, and something behind it."""
    head = written("POST /fast HTTP/1.1", {"Transfer-Encoding": "chunked"})
    return head + b"1\r\na\r\n0\r\n" + trailer + b"\r\n\r\n"


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await _whole(b"usual!", 0, send)


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("POST /other HTTP/1.1", {}),
        ("PUT /fast HTTP/1.1", {}),
        ("POST /fast?a=b HTTP/1.1", {}),
        ("POST /fast HTTP/1.0", {"Connection": "keep-alive"}),
        ("POST /fast HTTP/1.1", {"Connection": "close"}),
        ("POST /fast HTTP/1.1", {"Expect": "100-continue"}),
    ],
)
async def test_memory_is_asked_about_nothing_but_plain_requests_of_its_routes(
    line: str, headers: dict[str, str]
) -> None:
    memory = Memory()
    async with serving(nothing, memory.lane) as running:
        caller = await running.caller()
        await caller.say(written(line, {**headers, "Content-Length": "0"}))
        await caller.hear(b"usual!")

    assert not memory.asked


async def test_memory_answers_one_request_of_a_connection_in_a_turn() -> None:
    memory = Memory()
    async with serving(nothing, memory.lane) as running:
        caller = await running.caller()
        await caller.say(written("POST /fast HTTP/1.1", {"Content-Length": "0"}) * 3)
        await caller.hear(b"usual!", times=2)
        in_a_turn = len(memory.asked)
        await caller.say(written("POST /fast HTTP/1.1", {"Content-Length": "0"}))
        heard = await caller.hear(b"answer")

    assert (in_a_turn, len(memory.asked)) == (1, 2)
    assert re.findall(rb"answer|usual!", heard) == [b"answer", b"usual!", b"usual!", b"answer"]


async def test_an_answer_from_memory_is_written_in_one_piece() -> None:
    async with serving(nothing, Memory().lane) as running:
        caller, connection = await running.connected()
        connection.transport = Written(connection.transport)
        await caller.say(asked("whole"))
        heard = await caller.hear(b"answer")

    assert connection.transport.pieces == [heard]


async def test_answers_of_one_turn_leave_when_it_ends_also_those_beside_one_who_has_gone() -> None:
    departures, one, gone, other = Departures(), Written(), Written(closing=True), Written()

    for transport in (one, gone, other):
        departures.add(transport, b"answer")
    before = [*one.pieces, *other.pieces]
    await turns(1)

    assert (before, one.pieces, gone.pieces, other.pieces) == ([], [b"answer"], [], [b"answer"])


async def test_an_answer_reaches_who_has_no_more_to_say(either: Serving) -> None:
    caller = await either.caller()

    await caller.say(asked("whole"))
    caller.socket.shutdown(socket.SHUT_WR)

    assert (await caller.hear_all()).endswith(b"b'')")


async def test_an_answer_leaves_before_the_refusal_of_what_came_with_its_request() -> None:
    async with serving(nothing, Memory().lane) as running:
        caller = await running.caller()
        await caller.say(asked("whole") + b"nonsense\r\n\r\n")
        heard = await caller.hear_all()

    assert heard.startswith(b"HTTP/1.1 200")
    assert heard.count(b"HTTP/1.1 4") == 1


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
async def test_no_header_of_the_application_becomes_two(value: bytes) -> None:
    async def injects(scope: Any, receive: Any, send: Any) -> None:
        await _started(send, [(b"content-length", b"0"), (b"x-a", value)])
        await send({"type": "http.response.body"})

    async with serving(injects) as running:
        caller = await running.caller()
        await caller.say(asked("whole"))
        heard = await caller.hear_all()

    assert value not in heard


async def test_an_answer_from_memory_reaches_who_has_gone_quiet_in_the_same_step() -> None:
    async with serving(nothing, Memory().lane) as running:
        _, connection = await running.connected()
        connection.transport = Written()
        connection.data_received(asked("whole"))
        connection.eof_received()

        assert connection.transport.pieces[0].endswith(b"answer")


@pytest.mark.parametrize(("key", "status"), [("dGhlIHNhbXBsZSBub25jZQ==", b"101"), ("none", b"400")])
async def test_a_socket_opens_or_is_refused_behind_an_answer_from_memory(key: str, status: bytes) -> None:
    async def opens(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    offer = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    handshake = written("GET /socket HTTP/1.1", {**offer, "Sec-WebSocket-Key": key})
    async with serving(opens, Memory().lane) as running:
        caller = await running.caller()
        await caller.say(asked("whole") + handshake)
        heard = await caller.hear_all()

    assert re.findall(rb"HTTP/1.1 (\d+)|(answer)", heard) == [(b"200", b""), (b"", b"answer"), (status, b"")]


async def test_what_comes_behind_a_body_changes_nothing_about_its_request(either: Serving) -> None:
    caller = await either.caller()

    await caller.say(with_trailer(b"Expect: 100-continue"))
    heard = await caller.hear(b"b'a')")

    assert heard.startswith(b"HTTP/1.1 200")
    assert b"connection: close" not in heard


@pytest.mark.parametrize("path", [b"/fast", b"/other"])
async def test_the_parser_reads_nothing_behind_a_close_that_comes_behind_a_body_so_the_connection_ends(
    either: Serving, path: bytes
) -> None:
    before = await either.caller()
    await before.say(asked("whole"))
    await before.hear(b"b'')")
    caller = await either.caller()

    await caller.say(with_trailer(b"Connection: close").replace(b"/fast", path), turns_between=8)
    await caller.say(asked("whole", **{"X-Wait": "0"}), asked("whole"), turns_between=8)
    heard = await caller.hear_all()

    assert heard.count(b"HTTP/1.1 ") == heard.count(b"connection: close") == 1
    assert heard.endswith(b"b'a')")


async def test_what_comes_behind_a_body_passes_for_no_header(either: Serving) -> None:
    caller = await either.caller()

    await caller.say(with_trailer(b"X-Forwarded-For: 203.0.113.7"))

    assert b"203.0.113.7" not in await caller.hear(b"b'a')")


async def test_a_stop_delivers_what_waits_and_closes() -> None:
    def answers_and_stops(scope: Any, body: bytes) -> Answer:
        asyncio.get_running_loop().call_soon(connection.shutdown)
        return 200, b"content-length: 6\r\n", b"answer"

    async with serving(nothing, FastLane(FAST, answers_and_stops)) as running:
        caller, connection = await running.connected()
        await caller.say(asked("whole"))

        assert (await caller.hear_all()).endswith(b"answer")


async def test_a_stop_waits_for_what_is_being_answered_and_says_that_it_closes() -> None:
    async def answers_late(scope: Any, receive: Any, send: Any) -> None:
        await until(lambda: running.server.should_exit and not running.server.servers[0].is_serving())
        await turns(1)
        await _whole(b"answer", 0, send)

    async with serving(answers_late) as running:
        caller = await running.caller()
        await caller.say(asked("whole"))
        await until(lambda: running.tasks)
        running.server.should_exit = True
        heard = await caller.hear_all()

    assert heard.endswith(b"answer")
    assert b"\r\nconnection: close\r\n" in heard


class Written:
    """A transport that keeps what was written to it, and hands it on where there is another behind it."""

    def __init__(self, behind: Any = None, *, closing: bool = False) -> None:
        self.pieces: list[bytes] = []
        self._behind, self._closing = behind, closing

    def write(self, data: bytes) -> None:
        self.pieces.append(data)
        if self._behind is not None:
            self._behind.write(data)

    def is_closing(self) -> bool:
        return self._closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)
