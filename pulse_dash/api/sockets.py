"""Who may open a socket to the dashboard, how many, and how fast they may talk: our own pages, a few for each visitor.

What is said over a socket is reflex_seam's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BY_ADDRESS = 10
MOST_BY_SESSION = 20
OPENINGS_AT_ONCE = 100
OPENINGS_A_SECOND = 4.0

MESSAGES_A_SECOND = 20
LONGEST_MESSAGE = 100_000

SessionOf = Callable[[Scope], Awaitable[str | None]]


@dataclass(slots=True)
class _Holder:
    """One visitor's sockets: how many are open, and how many more may be opened right now."""

    open: int = 0
    allowance: float = OPENINGS_AT_ONCE
    at: float = field(default_factory=time.monotonic)

    def take(self, most: int, now: float) -> bool:
        self.allowance = min(OPENINGS_AT_ONCE, self.allowance + (now - self.at) * OPENINGS_A_SECOND)
        self.at = now
        if self.open >= most or self.allowance < 1:
            return False
        self.open += 1
        self.allowance -= 1
        return True


class _Pace:
    """Lets so many messages pass each second; who sends faster waits, and with it their socket."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._free_at = 0.0

    async def wait(self) -> None:
        now = time.monotonic()
        # A second's worth may come at once: a page that loads sends a handful together.
        self._free_at = max(self._free_at, now - 1) + 1 / self._a_second
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


class BoundedSockets:
    """Lets in sockets that our own pages open, up to a number for each session or, without one, each address."""

    def __init__(self, app: ASGIApp, *, origin: str, session_of: SessionOf, address_of: Callable[[Scope], str]) -> None:
        self._app = app
        self._origin = origin.encode()
        self._session_of = session_of
        self._address_of = address_of
        self._holders: dict[str, _Holder] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if scope["path"].rstrip("/") != "/_event":
            await _refuse(scope, receive, send, 404)
            return
        if origins != [self._origin]:
            # Another site's page would bring our visitor's cookie with it.
            await _refuse(scope, receive, send, 403)
            return
        session = await self._session_of(scope)
        name, most = (session, MOST_BY_SESSION) if session else (self._address_of(scope), MOST_BY_ADDRESS)
        self._forget_the_quiet()
        holder = self._holders.setdefault(name, _Holder())
        if not holder.take(most, time.monotonic()):
            await _refuse(scope, receive, send, 429)
            return
        try:
            await self._app(scope, _paced(receive, send), send)
        finally:
            holder.open -= 1

    def _forget_the_quiet(self) -> None:
        if len(self._holders) > 1_000:
            recent = time.monotonic() - OPENINGS_AT_ONCE / OPENINGS_A_SECOND
            self._holders = {name: held for name, held in self._holders.items() if held.open or held.at > recent}


def _paced(receive: Receive, send: Send) -> Receive:
    """What a socket says, at a pace that can be followed; one that says too much at once is closed."""
    pace = _Pace(MESSAGES_A_SECOND)

    async def paced() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        if len(message.get("text") or message.get("bytes") or b"") > LONGEST_MESSAGE:
            await send({"type": "websocket.close", "code": 1009})
            return {"type": "websocket.disconnect", "code": 1009}
        await pace.wait()
        return message

    return paced


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "websocket.http.response.body", "body": b""})
