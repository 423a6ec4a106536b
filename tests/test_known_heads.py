"""A head that is known spares reading and changes nothing else, whatever comes with it, before it or behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_dash.api.app import FAST as API_FAST
from pulse_dash.api.app import make_api
from pulse_dash.api.headers import CarefulAnswers
from pulse_dash.connection import Answer, FastLane
from pulse_dash.core import keys
from pulse_dash.known_heads import LONGEST_KNOWN, MOST_HEADERS_KNOWN, MOST_KNOWN, KnownHeads
from pulse_dash.services import Services
from tests.core.soak import examples
from tests.people import Town
from tests.test_connection import DATE, LANES, echo, nothing, written
from tests.wire import FAST, Caller, Memory, Serving, serving

SCOPE = {"headers": [(b"host", b"pulse.example")]}


def asked(body: bytes = b"", **headers: str) -> bytes:
    """A request of the fast lane."""
    return written("POST /fast HTTP/1.1", {"Content-Length": str(len(body)), **headers}, body)


@dataclass
class Counting:
    """A parser that counts how often it is given something to read."""

    behind: Any
    fed: int = 0

    def feed_data(self, data: bytes) -> None:
        self.fed += 1
        self.behind.feed_data(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


async def answered(running: Serving, *pieces: bytes) -> tuple[int, int]:
    """How many of these pieces, each awaited, got an answer of a new connection, and how many were read for it."""
    caller, connection = await running.connected()
    connection.parser = parser = Counting(connection.parser)
    for number, piece in enumerate(pieces, 1):
        await caller.say(piece)
        await caller.hear(b"answer", times=number)
    return len(pieces), parser.fed


async def test_a_head_is_read_once_whoever_sends_it_and_whatever_body_of_its_length() -> None:
    memory = Memory()
    async with serving(nothing, memory.lane) as running:
        first = await answered(running, asked(b"abc"), asked(b"xyz"))
        second = await answered(running, asked(b"\r\n\r"), asked(b"longer"), asked(b"shorte"))

    assert (first, second) == ((2, 1), (3, 1))
    assert memory.asked == ["POST /fast"] * 5


async def test_half_of_a_head_does_not_pass_for_the_body_of_the_request_before_it() -> None:
    half, memory = b"POST /fast HTTP/1.1\r\n", Memory()
    later = half + f"Content-Length: {len(half)}\r\n\r\n".encode() + half
    async with serving(nothing, memory.lane) as running:
        caller, connection = await running.connected()
        await caller.say(asked() + half)
        await caller.hear(b"answer")
        await caller.say(later.removeprefix(half))
        await caller.hear(b"answer", times=2)
        connection.parser = parser = Counting(connection.parser)
        await caller.say(asked() + half)
        await caller.hear(b"answer", times=3)

    assert parser.fed == 1


async def test_what_is_known_is_forgotten_every_minute() -> None:
    async with serving(nothing, Memory().lane) as running:
        await answered(running, asked())
        await running.server.on_tick(600)
        read_again = await answered(running, asked(), asked())

    assert read_again == (2, 1)


async def test_each_answer_is_to_the_address_that_asked_and_begins_with_a_state_of_its_own() -> None:
    told: list[tuple[Any, dict[str, Any], int]] = []

    def answer(scope: Any, _: bytes) -> Answer:
        told.append((scope["client"], dict(scope["state"]), len(scope["headers"])))
        scope["state"]["mine"] = True
        scope["headers"].append((b"mine", b""))
        return 200, b"content-length: 6\r\n", b"answer"

    async with serving(nothing, FastLane(FAST, answer)) as running:
        callers = [await running.caller() for _ in range(3)]
        for caller in callers:
            await caller.say(asked())
            await caller.hear(b"answer")
        addresses = [caller.socket.getsockname() for caller in callers]

    assert told == [(address, {}, 2) for address in addresses]


async def test_what_was_refused_is_read_each_time() -> None:
    lane = FastLane(FAST, lambda *_: (401, b"content-length: 6\r\n", b"answer"))
    async with serving(nothing, lane) as running:
        assert await answered(running, asked(), asked(), asked()) == (3, 3)


async def test_a_pair_that_is_revoked_opens_nothing_though_its_head_is_known(town: Town, services: Services) -> None:
    owner = await town.person()
    house, api = await town.project(owner), make_api(services)
    app, body = CarefulAnswers(api, https=False, at_once=api.at_once), orjson.dumps({"room": "a", "identity": "ada"})
    headers = {**house.headers, "Content-Length": str(len(body))}
    request, statuses = written("POST /v1/tokens/create HTTP/1.1", headers, body), list[bytes]()
    async with serving(app, FastLane(API_FAST, app.at_once)) as running:
        caller, connection = await running.connected()
        connection.parser = parser = Counting(connection.parser)
        for turn in range(4):
            if turn == 3:
                await keys.revoke(town.work(owner), house.id, house.key.id)
                await services.feed.read()
            caller.heard = b""
            await caller.say(request)
            statuses.append((await caller.hear(b"}"))[9:12])

    # The first is verified and remembered, the second read and known; the fourth is read to be refused.
    assert (statuses, parser.fed) == ([b"200", b"200", b"200", b"401"], 3)


ALONE = asked(b"{}")
NOT_KEPT = {
    "in chunks": (written("POST / HTTP/1.1", {"Transfer-Encoding": "chunked"}, b"0\r\n\r\n"), b"0\r\n\r\n"),
    "before another": (ALONE * 2, b"{}"),
    "behind an empty line": (b"\r\n\r\n" + ALONE, b"{}"),
    "before an empty line": (ALONE + b"\r\n", b"{}"),
    "its end alone": (b"{}", b"{}"),
    "nothing": (b"", b""),
    "too long": (asked(b"{}", **{"X-A": "a" * LONGEST_KNOWN}), b"{}"),
    "with many headers": (asked(b"{}", **{f"X-{n}": "" for n in range(MOST_HEADERS_KNOWN)}), b"{}"),
}


@pytest.mark.parametrize(("came", "body"), NOT_KEPT.values(), ids=NOT_KEPT)
def test_it_is_kept_only_of_one_whole_request_of_the_usual_size(came: bytes, body: bytes) -> None:
    heads = KnownHeads()
    headers = [line.lower().split(b": ") for line in came.split(b"\r\n") if b": " in line]
    heads.learn(came, {"headers": headers}, body)

    assert heads.recall(came) is None


NOT_KNOWN = {
    "its end is missing": ALONE[: ALONE.index(b"\r\n\r\n") + 2],
    "nothing of its end, where no body is due": asked().removesuffix(b"\r\n\r\n"),
    "a shorter body": ALONE[:-1],
    "a longer body": ALONE + b"\r\n",
    "another head": ALONE.replace(b"POST", b"post"),
    "another before it": ALONE * 2,
}


@pytest.mark.parametrize("came", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_it_is_known_only_to_the_letter_and_with_a_whole_body(came: bytes) -> None:
    heads = KnownHeads()
    heads.learn(ALONE, SCOPE, b"{}")
    heads.learn(asked(), SCOPE, b"")

    assert heads.recall(ALONE) == (SCOPE, b"{}")
    assert heads.recall(came) is None


@pytest.mark.parametrize("way", [asked(b"x" * 200_000), b"\r\n" * 100, ALONE * 3, b"\0", ALONE[:9]])
async def test_an_open_connection_keeps_nothing_of_what_it_read(way: bytes) -> None:
    async with serving(nothing, Memory().lane) as running:
        _, connection = await running.connected()
        connection.data_received(way)

        held = [value for value in vars(connection).values() if isinstance(value, bytes)]
        assert sum(map(len, held)) < 1_000


def test_so_many_are_kept_and_no_more() -> None:
    heads = KnownHeads()
    many = [asked(b"{}", **{"X-Number": str(number)}) for number in range(MOST_KNOWN + 1)]
    for each in many[:-1]:
        heads.learn(each, SCOPE, b"{}")
    before = [each for each in many if heads.recall(each)]
    heads.learn(many[-1], SCOPE, b"{}")

    assert before == many[:-1]
    assert [each for each in many if heads.recall(each)] == many[1:]


@pytest.fixture
async def all_ways() -> AsyncIterator[list[Serving]]:
    """A server for each way, the first of which remembers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(echo, fast)) for fast in LANES]


HEADS = [{}, {"X-Manner": "silent"}, {"X-Manner": "pieces"}, {"X-Wait": "2"}, {"Connection": "keep-alive"}]
CLOSING = written("POST /fast HTTP/1.1", {"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\nConnection: close\r\n\r\n")
CHUNKED = written("POST /fast HTTP/1.1", {"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n")
# Mostly whole requests with few heads, so that most are known.
wholes = st.one_of(
    *[st.builds(asked, st.sampled_from([b"", b"{}", b"[]", b"\r\n"])) for _ in range(4)],
    st.sampled_from([written("GET /fast HTTP/1.1", headers) for headers in HEADS]),
    st.sampled_from([asked(b"{}", **headers) for headers in HEADS]),
    # And what must not be taken for one: two at once, empty lines, chunks, what offers another protocol.
    st.sampled_from([ALONE * 2, ALONE + b"\r\n", b"\r\n", b"\r\n" + ALONE, CHUNKED, CHUNKED + ALONE, CLOSING]),
    st.sampled_from([asked(b"{}", Connection="upgrade", Upgrade="h2c"), asked(b"{}", Expect="100-continue")]),
    st.sampled_from([written("GET /other HTTP/1.1", {}), written("GET /other HTTP/1.1", {}) + ALONE]),
)


@st.composite
def cut(draw: st.DrawFn) -> list[bytes]:
    """One of them, seldom in two pieces."""
    whole = draw(wholes)
    at = draw(st.integers(1, len(whole))) if draw(st.sampled_from([False] * 4 + [True])) else len(whole)
    return [piece for piece in (whole[:at], whole[at:]) if piece]


@given(conversation=st.lists(st.tuples(cut(), st.sampled_from([0, 1, 3, 8])), max_size=12))
@settings(
    max_examples=examples(200, 20_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_a_conversation_with_known_heads_is_the_same(
    all_ways: list[Serving], conversation: list[tuple[list[bytes], int]]
) -> None:
    *others, (usual, usual_broken) = [await _heard(await running.caller(), conversation) for running in all_ways]

    for other, broken in others:
        assert other == usual or (broken and usual.startswith(other)) or (usual_broken and other.startswith(usual))


async def _heard(caller: Caller, conversation: list[tuple[list[bytes], int]]) -> tuple[bytes, bool]:
    """All that is answered until a last request ends the connection."""
    for pieces, count in [*conversation, ([written("GET /last HTTP/1.1", {"Connection": "close"})], 0)]:
        if not await caller.say(*pieces, turns_between=count):
            break
    heard = await caller.hear_all()
    caller.leave()
    return DATE.sub(b"\r\ndate", heard), caller.broken_off
