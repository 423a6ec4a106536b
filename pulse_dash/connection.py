"""One HTTP connection: uvicorn's own, with bounds on what it waits for, and a shorter way for what memory answers.

What a request means is the application's; how the server starts and stops is server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from pulse_dash.known_heads import KnownHeads

LARGEST_HEAD: Final = 64 * 1024
MOST_HEADERS: Final = 128
# How long a connection may say nothing, or only half of a request, or take nothing of what it is sent. Proxies give
# theirs up after a minute: it must not end here at the moment in which one sends the next request.
QUIET_SECONDS: Final = 75
# How much of a body is read that nobody waits for any more: enough for most to see why they were refused.
MOST_DISCARDED: Final = 4 * 1024 * 1024
# In how many pieces bodies may come with one read: each costs as much as a header, and may be a byte.
MOST_PIECES: Final = 4_000
# How many requests may wait behind the one that is answered, and how much of bodies before no more is read.
MOST_PIPELINED: Final = 16
MOST_WAITING: Final = 64 * 1024

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_CLOSE = (b"connection", b"close")
# What an offer to speak another protocol consists of.
_OFFERING = frozenset({b"connection", b"upgrade", b"http2-settings"})

Answer = tuple[int, bytes, bytes]


class FastLane(NamedTuple):
    """Which requests may be answered without waiting for anybody, and what answers them.

    Routes are method and path, written exactly so. The answer to a scope and a whole body is status, the lines of the
    headers, each with its end, of which content-length is one, and content; None where the application must be asked
    as usual."""

    routes: AbstractSet[tuple[bytes, bytes]] = frozenset()
    answer: Callable[[Scope, bytes], Answer | None] = lambda _, __: None


NO_FAST_LANE: Final = FastLane()


class Departures:
    """Answers of one turn of the event loop, which leave together when it ends.

    Each write wakes up whoever waits for it, and with one core for both that costs as much as making a token: written
    one by one, a fifth fewer were answered."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        # How often they left; what leaves together has the same number.
        self.turn = 0

    def add(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send this when the turn ends; whoever writes to it or closes it before lets them leave first."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.leave)
        self._waiting.append((transport, answer))

    def leave(self) -> None:
        """Send what waits, now."""
        self.turn += 1
        waiting, self._waiting = self._waiting, []
        for transport, answer in waiting:
            if not transport.is_closing():
                transport.write(answer)


class Connection(HttpToolsProtocol):
    """One connection. What came whole and memory can answer is answered in one step; all else is uvicorn's."""

    parser: Any
    scope: Any
    cycle: Any
    # What is being answered, or was the last; `cycle` may wait behind it.
    _answered: Any

    def __init__(self, fast: FastLane, departures: Departures, heads: KnownHeads, **given: Any) -> None:
        super().__init__(**given)
        self._departures = departures
        self._fast = fast
        self._heads = heads
        # The parser has the beginning of a request and not its end, or reads nothing more.
        self._begun = False
        # What came with this read, where it began with a request.
        self._came = b""
        # The headers of every answer as uvicorn last had them, and their lines.
        self._usual: list[tuple[bytes, bytes]] = []
        self._usual_lines = b""
        # In which turn the last request was answered in one step.
        self._turn = -1
        self._quiet_since = self.loop.time()
        # How much came since a head, a piece of a body or a request was last complete.
        self._unfinished = 0
        self._discarded = 0
        # How many pieces of bodies came with this read.
        self._pieces = 0
        # How much waited to be taken by the other side at the last look.
        self._untaken = 0
        # The body of a request that may go the shorter way, as far as it came.
        self._held: list[bytes] | None = None
        self._answered = None
        # Nothing more is read here, for what came could not be.
        self._deaf = False

    def is_forgotten(self, now: float) -> bool:
        """Whether it has said nothing whole, or taken nothing, for too long; `now` is the loop's time.

        It compares with the last look, so somebody has to look now and then."""
        untaken = self.transport.get_write_buffer_size()
        if untaken != self._untaken:
            self._untaken, self._quiet_since = untaken, now
        waits_for_them = untaken or self._rests() or self._waits_for_a_body()
        return bool(waits_for_them) and now - self._quiet_since > QUIET_SECONDS

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if not self._begun:
            known = self._heads.recall(data)
            if known is not None and self._is_free() and self._answer_at_once(*known) is not None:
                return
            self._came = data
        self._unfinished += len(data)
        self._pieces = 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._meet_offer(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        finally:
            # Who keeps the connection need not keep what came with it.
            self._came = b""
        if self._held is not None:
            self._go_the_usual_way()
        elif self._unfinished > LARGEST_HEAD and self._may_refuse():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def eof_received(self) -> None:
        # The transport closes now, also where the other side only has nothing more to say.
        self._departures.leave()

    def send_400_response(self, msg: str) -> None:
        if self._may_refuse():
            super().send_400_response(msg)

    def _may_refuse(self) -> bool:
        """Whether a refusal is the next answer that is due.

        What was taken before is answered first, and a request whose body broke off gets one answer, not a second or a
        half one with a refusal inside; after either the connection closes."""
        self._departures.leave()
        if self._deaf or self.transport.is_closing():
            return False
        self._deaf = True
        newest = self.cycle
        broken = bool(newest and newest.more_body)
        if broken and self.pipeline:
            self.pipeline.popleft()
            newest = self.cycle = self.pipeline[0][0] if self.pipeline else self._answered
        elif broken or self._rests():
            due = not broken or not newest.response_started
            if not due:
                self.transport.close()
            return due
        newest.keep_alive = False
        # Who leaves meanwhile is noticed by reading alone.
        self.flow.resume_reading()
        return False

    def on_message_begin(self) -> None:
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._discarded = 0
        self._hear_whole()
        # What a callback of the parser raises is answered with 400, and closes.
        if len(self.headers) > MOST_HEADERS or len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many headers, or requests at once")
        # The application keeps the list. What comes behind a body must not pass for a header.
        self.headers = self.headers.copy()
        if self.parser.should_upgrade():
            self._hear_offer()
        elif (self.parser.get_method(), self.url) in self._fast.routes and self._may_go_the_shorter_way():
            self._held = []
        else:
            super().on_headers_complete()
            if self.pipeline and sum(len(cycle.body) for cycle, _ in self.pipeline) <= MOST_WAITING:
                # uvicorn pauses here, and does not notice who leaves.
                self.flow.resume_reading()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            raise ValueError("a body in too many pieces")
        if self._held is not None:
            self._held.append(body)
            return
        if self.parser.should_upgrade():
            return
        super().on_body(body)
        if self._rests():
            self._discarded += len(body)
            if self._discarded > MOST_DISCARDED:
                self.transport.close()

    def on_message_complete(self) -> None:
        # What comes behind a body in chunks may tell the parser to read nothing more.
        self._unfinished, self._begun = 0, not self.parser.should_keep_alive()
        if self._held is not None and self._begun:
            self._go_the_usual_way()
        if self._held is None:
            if not self.parser.should_upgrade():
                super().on_message_complete()
                self._close_when_answered()
            return
        scope, body = self.scope, b"".join(self._held)
        scope["method"], scope["query_string"] = self.parser.get_method().decode(), b""
        scope["path"], scope["raw_path"] = self.url.decode(), self.url
        status = self._answer_at_once(scope, body)
        if status is None:
            self._go_the_usual_way()
            super().on_message_complete()
            return
        self._held = None
        if status == HTTPStatus.OK:
            self._heads.learn(self._came, scope, body)

    def on_response_complete(self) -> None:
        # As uvicorn's, whose timer of each answer cost more than one look at all connections now and then.
        self.server_state.total_requests += 1
        self._quiet_since = self.loop.time()
        if self.transport.is_closing():
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.flow.resume_reading()

    def shutdown(self) -> None:
        self._departures.leave()
        super().shutdown()

    def handle_websocket_upgrade(self) -> None:
        self._departures.leave()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._held = None
        if self._answered is not None and not self._answered.response_complete:
            # uvicorn tells it only to the newest request.
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _close_when_answered(self) -> None:
        """Keep no connection of which nothing more is read."""
        if self._begun and self.cycle.keep_alive:
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self._departures.leave()
                self.transport.close()

    def _answer_at_once(self, scope: Scope, body: bytes) -> int | None:
        """Give the answer from memory, and its status; None where memory has none. The scope may be another's head."""
        ours = {"client": self.client, "server": self.server, "state": self.app_state.copy()}
        answer = self._fast.answer({**scope, "headers": scope["headers"].copy(), **ours}, body)
        if answer is None:
            return None
        self._hear_whole()
        self._turn = self._departures.turn
        status, lines, content = answer
        usual = self.server_state.default_headers
        if usual is not self._usual:
            self._usual, self._usual_lines = usual, b"".join([b"%b: %b\r\n" % header for header in usual])
        self._departures.add(self.transport, b"%b%b%b\r\n%b" % (STATUS_LINE[status], self._usual_lines, lines, content))
        self.server_state.total_requests += 1
        return status

    def _hear_whole(self) -> None:
        """A head, or a request, was complete just now."""
        self._unfinished = 0
        self._quiet_since = self.loop.time()

    def _hear_offer(self) -> None:
        """A request to speak another protocol: ours for sockets, on a connection that owes no answer, or none."""
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("a tunnel")
        if self._should_upgrade():
            if not self._rests():
                # What is being answered would never learn that its caller has gone.
                raise ValueError("a socket behind an unanswered request")
            super().on_headers_complete()

    def _meet_offer(self, rest: bytes) -> None:
        """Become a socket, or read the request as if nothing had been offered (RFC 9110, section 7.8).

        The parser takes whatever follows an offer for the other protocol: left so, a body would be the next request."""
        if self._should_upgrade():
            self.handle_websocket_upgrade()
            return
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        headers = [header for header in self.headers if header[0] not in _OFFERING] + [_CLOSE] * closes
        line = self.parser.get_method(), self.url, self.parser.get_http_version().encode()
        self.parser, self._begun = httptools.HttpRequestParser(self), False
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        self.data_received(b"%b %b HTTP/%b\r\n" % line + lines + b"\r\n" + rest)

    def _rests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _waits_for_a_body(self) -> bool:
        newest = self.cycle
        waits = newest is self._answered and newest.more_body and not newest.response_started
        return waits and not self.flow.read_paused

    def _may_go_the_shorter_way(self) -> bool:
        parser = self.parser
        return (
            parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.expect_100_continue
            and self._is_free()
        )

    def _is_free(self) -> bool:
        """Whether the next answer may leave now. One in a turn: whoever sends many in a row lets others go between."""
        return not self.flow.write_paused and self._rests() and self._turn != self._departures.turn

    def _go_the_usual_way(self) -> None:
        """Memory has no answer, or the body did not come with the head, and is read as fast as the application does."""
        came, self._held = self._held or (), None
        # Only who keeps the connection and expects nothing comes here; trailers may have said otherwise since.
        self.expect_100_continue = False
        super().on_headers_complete()
        self.cycle.keep_alive = True
        for piece in came:
            super().on_body(piece)
