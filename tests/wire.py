"""A server of the test's own on a real port in the same loop, and callers who say and hear bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pulse_dash.connection import NO_FAST_LANE, Answer, Connection, FastLane
from pulse_dash.server import Server, bound

FAST = frozenset({(b"POST", b"/fast"), (b"GET", b"/fast")})
# The three ways to the same answer: as usual, after memory had none, and for some applications from memory.
USUAL, FORGETFUL = NO_FAST_LANE, FastLane(FAST)


def remembering(app: Any) -> FastLane:
    """A fast lane that answers whatever this application, which must have no other effect, answers without waiting."""

    def answer(scope: Any, body: bytes) -> Answer | None:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        running = app(dict(scope), receive, send)
        try:
            running.send(None)
        except StopIteration:
            return _in_one_piece(sent)
        except Exception:  # noqa: BLE001 - the server asks the application again, and meets it there
            return None
        running.close()
        return None

    return FastLane(FAST, answer)


class Memory:
    """A fast lane that answers everything with the same, and keeps what it was asked."""

    def __init__(self, content: bytes = b"answer") -> None:
        self.asked: list[str] = []
        self.lane = FastLane(FAST, self._answer)
        self._content = content

    def _answer(self, scope: Any, body: bytes) -> Answer:
        self.asked.append(f"{scope['method']} {scope['path']}")
        return 200, b"content-length: %d\r\n" % len(self._content), self._content


def _in_one_piece(sent: list[Any]) -> Answer | None:
    start, *pieces = sent
    headers, body = list(start["headers"]), pieces[0].get("body", b"") if len(pieces) == 1 else b""
    whole = (b"content-length", b"%d" % len(body)) in headers and (b"connection", b"close") not in headers
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return (start["status"], lines, body) if whole and len(pieces) == 1 else None


async def turns(count: int) -> None:
    """Let the loop turn so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    """Let the loop turn until this holds. What does not for so many turns never will."""
    for _ in range(10_000_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


@dataclass
class Caller:
    """Whoever has connected. A plain socket: what was heard before a reset stays heard."""

    socket: socket.socket
    heard: bytes = b""
    # The other side closed with something unread, and what it had said before may be lost on the way.
    broken_off: bool = False

    async def say(self, *pieces: bytes, turns_between: int = 0) -> bool:
        """Send the pieces; whether the other side took them all."""
        for piece in pieces:
            try:
                await asyncio.get_running_loop().sock_sendall(self.socket, piece)
            except ConnectionError:
                self.broken_off = True
                return False
            await turns(turns_between)
        return True

    async def hear(self, end: bytes, times: int = 1) -> bytes:
        """All that came until now, as soon as it ends so and has said so this often."""
        while not self.heard.endswith(end) or self.heard.count(end) < times:
            assert await self._more(), f"closed after {self.heard!r}"
        return self.heard

    async def hear_all(self) -> bytes:
        """All that comes until the other side closes."""
        while await self._more():
            pass
        return self.heard

    def leave(self) -> None:
        self.socket.close()

    async def _more(self) -> bool:
        came = b""
        try:
            came = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20)
        except ConnectionError:
            self.broken_off = True
        self.heard += came
        return bool(came)


@dataclass
class Serving:
    """A server that runs."""

    server: Server = field(repr=False)
    port: int
    callers: list[Caller] = field(default_factory=list, repr=False)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        return self.server.server_state.tasks

    @property
    def connections(self) -> list[Connection]:
        return [one for one in self.server.server_state.connections if isinstance(one, Connection)]

    async def caller(self) -> Caller:
        """Somebody who has connected just now."""
        known, ours = set(self.connections), socket.socket()
        ours.setblocking(False)
        self.callers.append(Caller(ours))
        await asyncio.get_running_loop().sock_connect(ours, ("127.0.0.1", self.port))
        await until(lambda: set(self.connections) - known)
        return self.callers[-1]

    async def connected(self) -> tuple[Caller, Connection]:
        """The same, with the server's side of it."""
        known = set(self.connections)
        return await self.caller(), (set(self.connections) - known).pop()


@asynccontextmanager
async def serving(app: Any, fast: FastLane = FORGETFUL) -> AsyncIterator[Serving]:
    """Serve this application, which need not know of a lifespan; at the end everybody leaves."""

    async def alive(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    listening = bound("127.0.0.1", 0)
    running = Serving(Server(alive, fast), listening.getsockname()[1])
    task = asyncio.create_task(running.server.serve([listening]))
    await until(lambda: running.server.server_state.default_headers or task.done())
    try:
        yield running
    finally:
        for caller in running.callers:
            caller.leave()
        running.server.should_exit = True
        await task
