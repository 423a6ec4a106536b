"""The server: it listens, tells the application to begin and to end, and stops in time when it is asked to.

It is uvicorn, in the event loop of its caller. How a connection is read and answered is connection's.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from pulse_dash.connection import NO_FAST_LANE, Connection, Departures, FastLane
from pulse_dash.known_heads import KnownHeads
from pulse_dash.web_socket import WebSocket

STOP_SECONDS = 4
# Pages send far less; what is larger is refused before it is read whole.
LARGEST_SOCKET_MESSAGE = 1_000_000
# uvicorn ticks ten times a second.
_TICKS_BETWEEN_LOOKS, _TICKS_BETWEEN_FORGETTING = 50, 600

_log = logging.getLogger("uvicorn.error")


class PortTaken(Exception):
    """Somebody else listens there; the message says so with the port."""


class Server(uvicorn.Server):
    """uvicorn's server, to which whoever runs it gives the signals; it closes connections that were forgotten."""

    def __init__(self, app: ASGIApp, fast: FastLane = NO_FAST_LANE) -> None:
        departures, self._heads = Departures(), KnownHeads()

        def connected(**given: Any) -> Connection:
            return Connection(fast, departures, self._heads, **given)

        protocol: Any = connected
        # Whatever strangers send is no line of our log.
        _log.setLevel(logging.ERROR)
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                loop="none",
                http=protocol,
                ws=WebSocket,
                ws_max_size=LARGEST_SOCKET_MESSAGE,
                # Socket.IO asks for signs of life itself, and compressing keeps memory for each open page.
                ws_ping_interval=None,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=1024,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with _unlogged():
            try:
                await super().startup(sockets)
            except OSError as error:
                # Whose socket was bound as early as ours, and listens since.
                await self.lifespan.shutdown()
                raise _taken(sockets[0].getsockname()[1] if sockets else self.config.port, error) from error

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        with _unlogged():
            await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_BETWEEN_LOOKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection) and connection.is_forgotten(now):
                    # Closing would wait for whoever takes nothing.
                    connection.transport.abort()
        if counter % _TICKS_BETWEEN_FORGETTING == 0:
            self._heads.forget()
        return await super().on_tick(counter)


async def serve(app: ASGIApp, *, host: str, port: int, fast: FastLane = NO_FAST_LANE) -> None:
    """Serve in this process until SIGINT or SIGTERM, then let what is under way end.

    Raises PortTaken, and whatever stopped the start of a part."""
    failed = list[BaseException]()

    async def lived(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except BaseException as error:
            failed.append(error)
            raise

    def watched(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (lived if scope["type"] == "lifespan" else app)(scope, receive, send)

    server, loop = Server(watched, fast), asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, server.handle_exit, stop, None)
    with bound(host, port) as listening:
        try:
            await server.serve(sockets=[listening])
        except SystemExit:
            # So uvicorn tells that the application did not start.
            if not failed:
                raise
    if failed:
        raise failed[0]


def bound(host: str, port: int) -> socket.socket:
    """A socket at this address, where nobody else listens; port 0 is any that is free. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise _taken(port, error) from error
    return listening


def _taken(port: int, error: OSError) -> PortTaken:
    return PortTaken(f"Port {port} cannot be used: {error.strerror}. Set PORT to another.")


@contextmanager
def _unlogged() -> Generator[None]:
    """What fails at the start is raised, and what is interrupted at the end was asked to stop: no trace of either."""
    _log.disabled = True
    try:
        yield
    finally:
        _log.disabled = False
