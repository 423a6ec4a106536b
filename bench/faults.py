"""Eight faults put into a running node one after another: seconds until `GET /v1/status` names the right part, until
its incident stands, and after mending until it is closed.

    python -m bench.faults [--named] [--component NAME]    # --named: only until each is named, a fifth of the time

The node is a process of its own beside a real LiveKit, a mail server and an S3 (moto). The database is the stand-in
that the tests of the MongoDB driver use, because no MongoDB can be had here: it shows that a database which hangs is
named, and nothing about MongoDB. Seconds are those of a caller who asks twice a second.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench import raw
from bench.processes import ROOT, Contender, free_port, pulse
from deploy.engines import livekit as livekit_binary
from deploy.engines import livekit_config
from tests.engines.livekit import API_KEY, API_SECRET, LiveKit, Relay
from tests.engines.process import listens

LONGEST = 300.0
BUCKET = "bench-bucket"
_FOLLOW: Mapping[str, frozenset[str]] = {"livekit": frozenset({"join"})}
MAIL = """
import sys, time
from aiosmtpd.controller import Controller
class Taken:
    async def handle_DATA(self, server, session, envelope): return "250 taken"
Controller(Taken(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
while True: time.sleep(60)
"""
DATABASE = """
import asyncio, sys
from pathlib import Path
from pulse_dash.store.catalog import COLLECTIONS
from tests.store.standin import Standin
real = asyncio.start_server
asyncio.start_server = lambda serve, host, port: real(serve, host, int(sys.argv[1]))
async def main():
    async with Standin(COLLECTIONS, Path(sys.argv[2])): await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass
class Program:
    """Something that the node stands on, and that can be ended, halted, and brought back."""

    command: list[str]
    port: int
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)
        while not listens(self.port):
            if self.running.poll() is not None:
                raise SystemExit(f"{self.command[0]} ended: {self.log.read_text()[-500:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def halt(self) -> None:
        """It takes connections as its kernel does, and answers nothing."""
        self._tell(signal.SIGSTOP)

    def go_on(self) -> None:
        self._tell(signal.SIGCONT)

    def _tell(self, word: signal.Signals) -> None:
        if self.running is None:
            raise SystemExit(f"{self.command[0]} does not run")
        os.kill(self.running.pid, word)


@dataclass
class Proxy:
    """Stands in front of LiveKit as a load balancer does; with `joins` off it lets no WebSocket through."""

    behind: int
    joins: bool = True
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._serve, args=(listening,), daemon=True).start()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            near, _ = listening.accept()
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with near:
            first = near.recv(65536)
            if not self.joins and b"upgrade: websocket" in first.lower():
                near.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.behind), timeout=5)
            except OSError:
                return
            far.settimeout(None)
            with far:
                far.sendall(first)
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and the component that has to be named."""

    name: str
    component: str
    inject: Callable[[], None]
    mend: Callable[[], None]


@dataclass(frozen=True)
class Found:
    """Seconds of one fault; `opened` is None where nobody can write it down before it is mended."""

    fault: str
    component: str
    named: float
    also: list[str]
    opened: float | None = None
    closed: float | None = None


@dataclass
class Engines:
    """What a node stands on, each as a process of its own."""

    folder: Path
    livekit: Program
    proxy: Proxy
    mail: Program
    storage: Program
    database: Program

    @classmethod
    def made(cls, folder: Path) -> Engines:
        python, port = sys.executable, free_port()
        config = folder / "livekit.yaml"
        proxy = Proxy(port)

        def program(name: str, command: list[str], at: int) -> Program:
            return Program(command, at, folder / f"{name}.log")

        ports = (free_port(), free_port(), free_port())
        made = cls(
            folder,
            program("livekit", [str(livekit_binary()), "--config", str(config)], port),
            proxy,
            program("mail", [python, "-c", MAIL, str(ports[0])], ports[0]),
            program("storage", [python, "-m", "moto.server", "-p", str(ports[1])], ports[1]),
            program("database", [python, "-c", DATABASE, str(ports[2]), str(folder / "documents")], ports[2]),
        )
        made.configure(API_SECRET)
        return made

    def configure(self, secret: str) -> None:
        """What LiveKit is started with the next time."""
        ports = (self.livekit.port, free_port(), free_port())
        text = livekit_config(ports=ports, key=API_KEY, secret=secret, webhook="http://127.0.0.1:9/")
        (self.folder / "livekit.yaml").write_text(text, "utf-8")

    def start_livekit_with(self, secret: str) -> None:
        self.livekit.kill()
        self.configure(secret)
        self.livekit.start()

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            (self.folder / "documents").mkdir()
            for each in self.programs:
                each.start()
            self.proxy.start()
            httpx.put(f"http://127.0.0.1:{self.storage.port}/{BUCKET}").raise_for_status()
            yield
        finally:
            for each in self.programs:
                each.kill()

    @property
    def settings(self) -> dict[str, str]:
        """What a node needs to find them."""
        return {
            "RATE_LIMIT_IP_PER_MINUTE": "100000000",
            "MONGO_URI": f"mongodb://127.0.0.1:{self.database.port}",
            "SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}?from=pulse@example.com",
            "R2_BUCKET_NAME": BUCKET,
            "R2_ENDPOINT": f"http://127.0.0.1:{self.storage.port}",
            "R2_REGION": "us-east-1",
            "R2_ACCESS_KEY_ID": "bench",
            "R2_SECRET_ACCESS_KEY": "bench-secret",
        }

    @property
    def programs(self) -> tuple[Program, ...]:
        """All of them."""
        return self.livekit, self.mail, self.storage, self.database

    def faults(self) -> list[Fault]:
        """The eight, each mended before the next."""
        livekit, mail, storage = self.livekit, self.mail, self.storage
        return [
            Fault("LiveKit is killed", "livekit", livekit.kill, livekit.start),
            Fault("LiveKit hangs", "livekit", livekit.halt, livekit.go_on),
            Fault(
                "LiveKit knows another secret",
                "livekit",
                lambda: self.start_livekit_with(API_SECRET[::-1]),
                lambda: self.start_livekit_with(API_SECRET),
            ),
            Fault(
                "nobody can join, though LiveKit's API answers",
                "join",
                lambda: setattr(self.proxy, "joins", False),
                lambda: setattr(self.proxy, "joins", True),
            ),
            Fault("the mail server is killed", "mail", mail.kill, mail.start),
            Fault("the mail server hangs", "mail", mail.halt, mail.go_on),
            Fault("object storage hangs", "storage", storage.halt, storage.go_on),
            Fault("the database hangs", "database", self.database.halt, self.database.go_on),
        ]


def states(node: Contender) -> dict[str, str]:
    """What the status says of each component now."""
    answer = httpx.get(f"{node.url}/v1/status", timeout=10).raise_for_status()
    return {each["name"]: each["status"] for each in answer.json()["components"]}


def open_incidents(node: Contender) -> list[dict[str, Any]]:
    """The incidents that nobody closed."""
    answer = httpx.get(f"{node.url}/v1/status/incidents", timeout=10).raise_for_status()
    return [each for each in answer.json()["items"] if each["resolved_at"] is None]


def until(holds: Callable[[], bool], what: str) -> float:
    """Seconds until it holds; asked twice a second."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > LONGEST:
            raise SystemExit(f"After {LONGEST:.0f} seconds not yet: {what}")
        time.sleep(0.5)
    return time.monotonic() - began


def tried(node: Contender, fault: Fault, *, named_only: bool = False) -> Found:
    """Put it in, wait until it is named, and mend it."""
    until(lambda: set(states(node).values()) == {"operational"} and not open_incidents(node), "all is well")
    fault.inject()
    try:
        named = until(lambda: states(node)[fault.component] == "down", f"{fault.component} is named")
        opened = None if named_only else _opened(node, fault, named)
        also = sorted(name for name, state in states(node).items() if state != "operational")
    finally:
        fault.mend()
    closed = None if named_only else until(lambda: _over(node, fault), f"{fault.component} is well again")
    wrong = set(also) - {fault.component} - _FOLLOW.get(fault.component, frozenset())
    if wrong:
        raise SystemExit(f"{fault.name}: {', '.join(wrong)} named too")
    return Found(fault.name, fault.component, named, also, opened, closed)


def _opened(node: Contender, fault: Fault, named: float) -> float | None:
    if fault.component == "database":
        # Nobody can write it down before the database is back; three failures it has to have by then.
        time.sleep(50)
        return None
    more = until(lambda: any(fault.component in each["components"] for each in open_incidents(node)), "an incident")
    if len(open_incidents(node)) != 1:
        raise SystemExit(f"{fault.name}: {len(open_incidents(node))} incidents of one cause")
    return named + more


def _over(node: Contender, fault: Fault) -> bool:
    answer = httpx.get(f"{node.url}/v1/status/incidents", timeout=10).json()
    told = any(fault.component in each["components"] for each in answer["items"])
    return told and not open_incidents(node) and states(node)[fault.component] == "operational"


@contextmanager
def node_with(engines: Engines) -> Iterator[Contender]:
    """A node that stands on them."""
    url = f"ws://127.0.0.1:{engines.proxy.port}"
    server = LiveKit(url, API_KEY, API_SECRET, engines.folder / "livekit.log", Relay("http://127.0.0.1:9/"))
    with pulse(engines.folder / "node", livekit=server, more=engines.settings) as node:
        yield node


def main() -> int:
    """Print each fault's seconds."""
    asked = argparse.ArgumentParser(prog="python -m bench.faults")
    asked.add_argument("--named", action="store_true", help="only until each is named")
    asked.add_argument("--component", default="", help="only the faults of this one")
    options = asked.parse_args()
    found: list[Found] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        engines = Engines.made(Path(folder))
        stack.enter_context(engines.running())
        node = stack.enter_context(node_with(engines))
        for fault in engines.faults():
            if options.component not in ("", fault.component):
                continue
            each = tried(node, fault, named_only=options.named)
            found.append(each)
            opened = "" if each.opened is None else f"  incident after {each.opened:5.1f} s"
            closed = "" if each.closed is None else f"  closed {each.closed:5.1f} s after mending"
            print(f"{each.fault:46} {each.component:9} named after {each.named:5.1f} s{opened}{closed}", flush=True)
    worst = max(each.named for each in found)
    raw.keep("faults", {"faults": found})
    print(f"{len(found)} faults, each named; the slowest after {worst:.1f} s (60 allowed)")
    return 0 if worst < 60 else 1


if __name__ == "__main__":
    sys.exit(main())
