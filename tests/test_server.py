"""How the server starts, says why it cannot, and stops when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest

from pulse_dash import asgi, cli, server
from pulse_dash.connection import FastLane
from pulse_dash.server import PortTaken, bound, serve
from pulse_dash.settings import Settings
from tests.wire import Caller, until


def _has_ipv6() -> bool:
    try:
        bound("::1", 0).close()
    except (OSError, PortTaken):
        return False
    return True


HOSTS = ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 on this machine"))]


def listening_at(host: str, port: int = 0) -> socket.socket:
    """Somebody else, who listens there, on any port that is free if none is named."""
    other = bound(host, port)
    other.listen()
    return other


class App:
    """An application that begins and ends, and answers each request as the test says."""

    def __init__(self, answered: Callable[[], object] = lambda: True, failing: str = "") -> None:
        self.phases: list[str] = []
        self._answered, self._failing = answered, failing

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                if phase == self._failing:
                    raise _Broken
                self.phases.append(phase)
                await send({"type": f"lifespan.{phase}.complete"})
            return
        self.phases.append("asked")
        await until(self._answered)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"answer"})


class _Broken(Exception):
    """What the application of these tests raises."""


@pytest.mark.parametrize("host", HOSTS)
def test_a_taken_port_is_named_with_what_to_do(host: str) -> None:
    with listening_at(host) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as taken:
            bound(host, port)

    assert str(taken.value) == f"Port {port} cannot be used: Address already in use. Set PORT to another."


@pytest.mark.parametrize("host", HOSTS)
def test_a_port_whose_last_listener_has_gone_is_free(host: str) -> None:
    with listening_at(host) as before, socket.create_connection(before.getsockname()[:2]):
        port = before.getsockname()[1]
        served, _ = before.accept()
        # Whoever closes first leaves the port in TIME_WAIT.
        served.close()

    with bound(host, port) as after:
        after.listen()


async def test_a_port_that_is_taken_during_the_start_is_named_too_and_the_application_ends() -> None:
    others: list[socket.socket] = []

    class Slow(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            others.append(listening_at("127.0.0.1", port))
            await super().__call__(scope, receive, send)

    port, app = free_port(), Slow()
    with pytest.raises(PortTaken, match=f"Port {port} cannot be used"):
        await serve(app, host="127.0.0.1", port=port)
    others[0].close()

    assert app.phases == ["startup", "shutdown"]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_what_breaks_at_the_start_or_at_the_end_is_raised_and_not_logged(
    phase: str, caplog: pytest.LogCaptureFixture
) -> None:
    serving = asyncio.create_task(serve(App(failing=phase), host="127.0.0.1", port=0))
    if phase == "shutdown":
        await asyncio.sleep(0)
        await told(signal.SIGTERM)

    with pytest.raises(_Broken):
        await serving
    assert not caplog.records


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_lets_what_is_being_answered_end_and_then_the_application(how: signal.Signals) -> None:
    stopped, port = asyncio.Event(), free_port()
    app = App(answered=stopped.is_set)
    serving = asyncio.create_task(serve(app, host="127.0.0.1", port=port))
    await until(lambda: "startup" in app.phases)
    caller = await asked(port)
    await until(lambda: "asked" in app.phases)
    await told(how)
    await refused(port)
    stopped.set()
    heard = await caller.hear_all()
    caller.leave()
    await serving

    assert heard.endswith(b"answer")
    assert app.phases == ["startup", "asked", "shutdown"]


async def test_a_second_interrupt_waits_for_nobody() -> None:
    port, app = free_port(), App(answered=lambda: False)
    serving = asyncio.create_task(serve(app, host="127.0.0.1", port=port))
    await until(lambda: "startup" in app.phases)
    caller = await asked(port)
    await until(lambda: "asked" in app.phases)
    await told(signal.SIGINT)
    await told(signal.SIGINT)
    await serving
    caller.leave()

    assert app.phases == ["startup", "asked"]


async def told(how: signal.Signals) -> None:
    """Send this process a signal, and let the loop take it."""
    os.kill(os.getpid(), how)
    await asyncio.sleep(0.01)


def free_port() -> int:
    with bound("127.0.0.1", 0) as once:
        return once.getsockname()[1]


async def asked(port: int) -> Caller:
    """Somebody who has connected, as soon as that is possible, and asked."""
    ours = await connected(port)
    while ours is None:
        await asyncio.sleep(0)
        ours = await connected(port)
    caller = Caller(ours)
    await caller.say(b"GET / HTTP/1.1\r\n\r\n")
    return caller


async def refused(port: int) -> None:
    """Wait until nobody listens there any more."""
    while (ours := await connected(port)) is not None:
        ours.close()
        await asyncio.sleep(0)


async def connected(port: int) -> socket.socket | None:
    ours = socket.socket()
    ours.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(ours, ("127.0.0.1", port))
    except ConnectionError:
        ours.close()
        return None
    return ours


def test_a_node_is_served_with_what_its_memory_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []

    async def serves(app: Any, **given: Any) -> None:
        served.append((app, given["fast"]))

    monkeypatch.setattr(server, "serve", serves)

    assert cli._run(settings, api_only=True) == 0
    ((app, fast),) = served
    assert fast == FastLane(asgi.FAST, app.at_once)
    assert (b"POST", b"/v1/tokens/create") in fast.routes
