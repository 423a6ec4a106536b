"""What a connection waits for has bounds, and nobody holds up anybody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pulse_dash import connection as bounds
from pulse_dash.connection import (
    LARGEST_HEAD,
    MOST_DISCARDED,
    MOST_HEADERS,
    MOST_PIECES,
    MOST_WAITING,
    QUIET_SECONDS,
    FastLane,
)
from tests.wire import FORGETFUL, USUAL, Memory, serving, turns, until

BOTH_WAYS = pytest.mark.parametrize("fast", [FORGETFUL, USUAL])
PLAIN = b"POST /fast HTTP/1.1\r\nHost: pulse.example\r\nContent-Length: 0\r\n\r\n"
HEAD = b"POST /fast HTTP/1.1\r\nHost: pulse.example\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def answer(send: Any, body: bytes = b"answer", status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def answers(scope: Any, receive: Any, send: Any) -> None:
    """Answers when it has read what was sent."""
    await read(receive)
    await answer(send)


async def refuses(scope: Any, receive: Any, send: Any) -> None:
    """Answers without a look at the body."""
    await answer(send, status=413)


# Who does not read, and who goes


@BOTH_WAYS
async def test_who_does_not_read_waits_alone_and_misses_nothing(fast: FastLane) -> None:
    large = b"a" * 8_000_000

    async def answers_much(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, large if scope["method"] == "POST" else b"answer")

    async with serving(answers_much, fast) as running:
        lazy, its_connection = await running.connected()
        await lazy.say(PLAIN)
        await until(lambda: its_connection.flow.write_paused)
        await lazy.say(b"GET /fast HTTP/1.1\r\n\r\n")
        await until(lambda: running.tasks)
        other = await running.caller()
        await other.say(b"GET /fast HTTP/1.1\r\n\r\n")
        await other.hear(b"answer")

        assert len(running.tasks) == 1
        assert (await lazy.hear(b"answer")).count(large) == 1


async def test_memory_answers_nobody_who_does_not_read() -> None:
    memory = Memory(b"a" * 8_000_000)
    async with serving(answers, memory.lane) as running:
        caller, connection = await running.connected()
        await caller.say(PLAIN)
        await until(lambda: connection.flow.write_paused)
        await caller.say(PLAIN, turns_between=20)

    assert len(memory.asked) == 1


@BOTH_WAYS
async def test_an_application_learns_that_its_caller_has_gone_and_nothing_is_left(fast: FastLane) -> None:
    got: list[str] = []

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        while "http.disconnect" not in got:
            got.append((await receive())["type"])
        await answer(send)

    async with serving(waits, fast) as running:
        caller = await running.caller()
        await caller.say(PLAIN)
        await until(lambda: got)
        caller.leave()
        await until(lambda: not running.tasks)

    assert got == ["http.request", "http.disconnect"]


@BOTH_WAYS
async def test_it_learns_so_also_when_another_request_waits_behind_it(fast: FastLane) -> None:
    async def writes_until_it_learns(scope: Any, receive: Any, send: Any) -> None:
        await read(receive)
        learns = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not learns.done():
            await send({"type": "http.response.body", "body": b"a" * 1000, "more_body": True})
            await turns(1)

    async with serving(writes_until_it_learns, fast) as running:
        caller, connection = await running.connected()
        await caller.say(PLAIN, turns_between=3)
        await caller.say(PLAIN)
        await until(lambda: connection.pipeline)
        caller.leave()

        await until(lambda: not running.tasks)


# How much is read


async def test_a_head_that_goes_on_and_on_is_refused_and_the_connection_closed() -> None:
    async with serving(answers) as running:
        caller = await running.caller()
        await caller.say(HEAD)
        pieces = 1
        while running.connections and pieces < 1000:
            await caller.say(b"X-A: %b\r\n" % (b"a" * 1000), turns_between=5)
            pieces += 1

        assert (await caller.hear_all()).startswith(b"HTTP/1.1 431 ")
    assert LARGEST_HEAD / 1000 < pieces < LARGEST_HEAD / 1000 + 10


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (CHUNKED + b"1\r\na\r\n0\r\n", b"X-A: %b\r\n" % (b"a" * 1000)),
        (CHUNKED + b"1\r\na\r\n0\r\nX-A: ", b"a" * 1000),
        (CHUNKED + b"1;a=", b"a" * 1000),
        (PLAIN, b"\r\n" * 500),
    ],
    ids=["trailers", "a trailer", "a chunk's extension", "empty lines"],
)
async def test_nor_does_anything_else_that_gets_nowhere(start: bytes, piece: bytes) -> None:
    async with serving(answers) as running:
        caller = await running.caller()
        await caller.say(start)
        pieces = 1
        while running.connections and pieces < 1000:
            await caller.say(piece, turns_between=5)
            pieces += 1

        assert b"HTTP/1.1 431 " in await caller.hear_all()


async def test_a_head_is_not_charged_with_the_body_that_came_before_it_in_the_same_piece() -> None:
    async with serving(answers) as running:
        caller, connection = await running.connected()
        body = b"a" * (LARGEST_HEAD + 1)
        connection.data_received(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body + PLAIN[:10])
        await caller.hear(b"answer")
        caller.heard = b""
        await caller.say(PLAIN[10:])

        assert (await caller.hear(b"answer")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("headers", "status"), [(MOST_HEADERS, b"200"), (MOST_HEADERS + 1, b"400")])
async def test_so_many_headers_are_read_and_no_more(headers: int, status: bytes) -> None:
    async with serving(answers) as running:
        caller = await running.caller()
        names = b"".join(b"X-%d: a\r\n" % number for number in range(headers - 1))
        await caller.say(b"GET /fast HTTP/1.1\r\nConnection: close\r\n" + names + b"\r\n")

        assert (await caller.hear_all()).startswith(b"HTTP/1.1 " + status)


async def test_a_body_that_nobody_waits_for_is_read_so_far_and_no_further() -> None:
    async with serving(refuses) as running:
        caller, connection = await running.connected()
        await caller.say(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        await caller.hear(b"answer")
        sent, piece = 0, b"a" * 100_000
        while sent < 100 * MOST_DISCARDED and await caller.say(piece, turns_between=2):
            sent += len(piece)

        assert connection._discarded > MOST_DISCARDED
    assert MOST_DISCARDED <= sent < 10 * MOST_DISCARDED


async def test_what_is_left_of_a_refused_body_does_not_spoil_the_next_request() -> None:
    async with serving(refuses) as running:
        caller = await running.caller()
        body = b"a" * (MOST_DISCARDED - 1)
        for _ in range(2):
            await caller.say(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
            await caller.hear(b"answer")
            caller.heard = b""
            assert await caller.say(body)


@pytest.mark.parametrize("path", [b"/fast", b"/other"])
async def test_a_body_in_tiny_pieces_is_refused_before_it_holds_up_others(path: bytes) -> None:
    start = CHUNKED.replace(b"/fast", path)
    async with serving(answers) as running:
        caller, connection = await running.connected()
        connection.data_received(start + b"1\r\na\r\n" * MOST_PIECES)
        connection.data_received(b"1\r\na\r\n" * MOST_PIECES)
        before = connection.transport.is_closing()
        connection.data_received(b"1\r\na\r\n" * (MOST_PIECES + 1))

        assert (before, connection.transport.is_closing()) == (False, True)
        assert (await caller.hear_all()).startswith(b"HTTP/1.1 400 ")


async def test_no_more_is_read_while_much_waits_behind_an_unanswered_request() -> None:
    may_answer = asyncio.Event()

    async def answers_late(scope: Any, receive: Any, send: Any) -> None:
        await may_answer.wait()
        await answers(scope, receive, send)

    async with serving(answers_late) as running:
        caller, connection = await running.connected()
        await caller.say(PLAIN, turns_between=5)
        request = HEAD + b"Content-Length: %d\r\n\r\n" % (MOST_WAITING // 2) + b"a" * (MOST_WAITING // 2)
        connection.data_received(request * 2)
        little = connection.flow.read_paused
        connection.data_received(request * 2)
        much = connection.flow.read_paused
        may_answer.set()

        assert (little, much) == (False, True)
        assert (await caller.hear(b"answer", times=5)).count(b"HTTP/1.1 200 ") == 5


# Who says nothing


async def test_who_said_nothing_whole_for_too_long_is_forgotten_and_nobody_before() -> None:
    async with serving(answers) as running:
        _, idle = await running.connected()
        caller, halfway = await running.connected()
        await caller.say(PLAIN)
        await caller.hear(b"answer")
        await caller.say(HEAD, turns_between=5)
        now = asyncio.get_running_loop().time()

        assert [one.is_forgotten(now + QUIET_SECONDS - 1) for one in (idle, halfway)] == [False, False]
        assert [one.is_forgotten(now + QUIET_SECONDS + 1) for one in (idle, halfway)] == [True, True]


async def test_who_is_answered_from_memory_is_not_forgotten() -> None:
    async with serving(answers, Memory().lane) as running:
        caller, connection = await running.connected()
        connection._quiet_since -= 2 * QUIET_SECONDS
        await caller.say(PLAIN)
        await caller.hear(b"answer")

        assert not connection.is_forgotten(asyncio.get_running_loop().time())


@pytest.mark.parametrize("lane", [FORGETFUL, Memory(b"a" * 8_000_000).lane], ids=["usual", "memory"])
async def test_who_takes_nothing_of_what_it_is_sent_is_forgotten_and_nothing_is_left(
    lane: FastLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers_much(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"a" * 8_000_000)

    async with serving(answers_much, lane) as running:
        caller, connection = await running.connected()
        await caller.say(PLAIN)
        await until(lambda: connection.flow.write_paused)
        now = asyncio.get_running_loop().time()

        assert not connection.is_forgotten(now)
        assert not connection.is_forgotten(now + QUIET_SECONDS - 1)
        assert connection.is_forgotten(now + QUIET_SECONDS + 1)
        monkeypatch.setattr(bounds, "QUIET_SECONDS", -1)
        await running.server.on_tick(0)
        await until(lambda: not running.connections)


async def test_who_takes_a_little_now_and_then_is_not_forgotten() -> None:
    async with serving(answers, Memory(b"a" * 32_000_000).lane) as running:
        caller, connection = await running.connected()
        await caller.say(PLAIN)
        await until(lambda: connection.flow.write_paused)
        now = asyncio.get_running_loop().time()
        connection.is_forgotten(now)
        for looks in range(1, 4):
            untaken = connection.transport.get_write_buffer_size()
            while connection.transport.get_write_buffer_size() == untaken:
                await asyncio.get_running_loop().sock_recv(caller.socket, 1_000_000)

            assert not connection.is_forgotten(now + looks * (QUIET_SECONDS + 1))


@BOTH_WAYS
async def test_who_does_not_finish_a_body_is_forgotten_and_nothing_is_left(
    fast: FastLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(answers, fast) as running:
        caller, connection = await running.connected()
        await caller.say(HEAD + b"Content-Length: 2\r\n\r\n{", turns_between=5)
        now = asyncio.get_running_loop().time()

        assert not connection.is_forgotten(now + QUIET_SECONDS - 1)
        monkeypatch.setattr(bounds, "QUIET_SECONDS", -1)
        await running.server.on_tick(0)

        assert await caller.hear_all() == b""
        await until(lambda: not running.tasks)


@BOTH_WAYS
async def test_nobody_is_forgotten_while_being_answered(fast: FastLane, monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = asyncio.Event()

    async def answers_late(scope: Any, receive: Any, send: Any) -> None:
        await may_answer.wait()
        await answer(send)

    async with serving(answers_late, fast) as running:
        idle, waits = await running.caller(), await running.caller()
        await waits.say(PLAIN)
        await until(lambda: running.tasks)
        monkeypatch.setattr(bounds, "QUIET_SECONDS", -1)
        await running.server.on_tick(0)
        monkeypatch.undo()
        may_answer.set()

        assert await idle.hear_all() == b""
        assert (await waits.hear(b"answer")).startswith(b"HTTP/1.1 200 ")
