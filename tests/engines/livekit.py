"""A real LiveKit server for the tests, with its webhook pointing wherever a test wants it.

Knows LiveKit's configuration; who joins and what is asserted is told by the tests.
"""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.engines import livekit as livekit_binary
from deploy.engines import livekit_config
from tests.engines.process import free_port, running

API_KEY = "testkey"
API_SECRET = "a_secret_of_the_tests_that_is_long_enough"


@dataclass
class Relay:
    """Stands where LiveKit sends its webhooks and hands each on to the Pulse of the moment.

    LiveKit reads the address once, at its start; tests start a Pulse each. Without a target it answers 200.
    """

    url: str
    target: str | None = None
    bodies: list[bytes] = field(default_factory=list[bytes])
    # The same with the signature that came with each.
    signed: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])

    def hand_on(self, body: bytes, headers: dict[str, str]) -> int:
        """The status that the target gave, 502 when there was no answer."""
        self.bodies.append(body)
        self.signed.append((body, headers.get("Authorization", "")))
        if self.target is None:
            return 200
        request = urllib.request.Request(self.target, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 502


@dataclass(frozen=True)
class LiveKit:
    """Where a running server is and the pair it trusts."""

    url: str
    api_key: str
    api_secret: str
    log: Path
    relay: Relay

    @property
    def http_url(self) -> str:
        """Its server API; `url` is for clients."""
        return self.url.replace("ws://", "http://")

    def set_webhook(self, url: str | None) -> None:
        """Send events to this address from now on; None lets them fall."""
        self.relay.target = url

    def events(self) -> list[str]:
        """The types of all events that it sent so far, in the order they came."""
        return [json.loads(body)["event"] for body in list(self.relay.bodies)]


@contextmanager
def relay_running() -> Iterator[Relay]:
    """The relay on a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            self.send_response(relay.hand_on(body, kept))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Silence: what came is kept in `bodies`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        relay = Relay(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, name="livekit-webhook-relay", daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def livekit_running(
    folder: Path, *, redis: str = "", key: str = API_KEY, secret: str = API_SECRET
) -> Iterator[LiveKit]:
    """A server on free ports, its files in `folder`; raises deploy.engines.Missing when there is no binary."""
    binary = livekit_binary()
    port, log = free_port(), folder / "livekit.log"
    with relay_running() as relay:
        ports = (port, free_port(), free_port(socket.SOCK_DGRAM))
        file = folder / "livekit.yaml"
        file.write_text(livekit_config(ports=ports, key=key, secret=secret, webhook=relay.url, redis=redis), "utf-8")
        found = LiveKit(f"ws://127.0.0.1:{port}", key, secret, log, relay)

        def answers() -> bool:
            try:
                with urllib.request.urlopen(found.http_url, timeout=1) as answer:
                    return answer.status == 200
            except OSError:
                return False

        with running([str(binary), "--config", str(file)], ready=answers, log=log):
            yield found
