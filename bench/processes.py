"""The servers that a bench loads: Pulse itself and its neighbours, each as a process of its own on a free port."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx

from tests.engines.livekit import LiveKit

ROOT = Path(__file__).resolve().parent.parent
NEIGHBOURS = ROOT / "bench" / "neighbours"
BUILT = ROOT / ".build" / "bench"
_AS_PULSE_RUNS_IT = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error")
SECRET = "a-secret-that-only-the-bench-knows-of"  # noqa: S105 - of a LiveKit that is never started


@dataclass(frozen=True)
class Contender:
    """Something that answers POST /v1/tokens/create; `group` is its process group."""

    name: str
    port: int
    group: int
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time of all its processes until now."""
        ticks = 0
        for pid in processes_of(self.group):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Proportional set size of all its processes in MB, each shared page counted once."""
        kilobytes = 0
        for pid in processes_of(self.group):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return kilobytes / 1000


def processes_of(group: int) -> list[int]:
    """The processes of a group that run now."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(path.name)) == group:
                found.append(int(path.name))
        except ProcessLookupError:
            continue
    return found


@contextmanager
def on_uvicorn(name: str, target: str) -> Iterator[Contender]:
    """An ASGI application on the server that Pulse uses, one worker."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", *_AS_PULSE_RUNS_IT, "--port", str(port), target]
    with process(command, {}, f"http://127.0.0.1:{port}/") as group:
        yield Contender(name, port, group)


def nodes() -> dict[str, str]:
    """The Nodes by their version: the one that builds the dashboard, and the machine's own on the path."""
    beside_python = Path(sys.executable).parent
    found = [shutil.which("node", path=str(folder)) for folder in (beside_python, *os.get_exec_path())]
    return {
        subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip(): node
        for node in reversed(found)
        if node
    }


@contextmanager
def express(version: str, node: str) -> Iterator[Contender]:
    """Express with LiveKit's server SDK on this Node, installed from its lock file the first time."""
    folder = BUILT / "express"
    shutil.copytree(NEIGHBOURS / "express", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    if not (folder / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    port = free_port()
    settings = {"PORT": str(port), "NODE_ENV": "production"}
    with process([node, str(folder / "server.js")], settings, f"http://127.0.0.1:{port}/") as group:
        yield Contender(f"Express, Node {version}", port, group)


@contextmanager
def go() -> Iterator[Contender]:
    """net/http with LiveKit's Go package on one core, built the first time."""
    binary = BUILT / "go"
    BUILT.mkdir(parents=True, exist_ok=True)
    subprocess.run(["go", "build", "-o", str(binary), "."], cwd=NEIGHBOURS / "go", check=True)
    port = free_port()
    settings = {"PORT": str(port), "GOMAXPROCS": "1"}
    with process([str(binary)], settings, f"http://127.0.0.1:{port}/") as group:
        yield Contender("Go, livekit/protocol", port, group)


@contextmanager
def pulse(
    folder: Path,
    *,
    dashboard: bool = False,
    livekit: LiveKit | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Contender]:
    """Pulse as it runs in production, with a limit that no bench reaches; the caller makes its own keys.

    Without a LiveKit it is given one that never answers: minting asks none."""
    port = free_port()
    secret = folder / "secrets"
    if not secret.exists():
        folder.mkdir(parents=True, exist_ok=True)
        secret.write_text("\n".join(secrets.token_urlsafe(32) for _ in range(3)))
    drawn = secret.read_text().split()
    settings = {
        "PULSE_ENV": "production",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://localhost:{port}",
        "SIGNUP": "open",
        "JWT_SECRET": drawn[0],
        "API_KEY_PEPPER": drawn[1],
        "ENCRYPTION_KEYS": drawn[2],
        "PULSE_DATA_DIR": str(folder / "data"),
        "LIVEKIT_HOST": livekit.url if livekit else "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": livekit.api_key if livekit else "benchkey",
        "LIVEKIT_API_SECRET": livekit.api_secret if livekit else SECRET,
        "RATE_LIMIT_PROJECT_PER_MINUTE": "100000000",
        "RATE_LIMIT_USER_PER_MINUTE": "100000000",
        **more,
    }
    command = [sys.executable, "-m", "pulse_dash", "run", *([] if dashboard else ["--api-only"])]
    with process(command, settings, f"http://127.0.0.1:{port}/health") as group:
        yield Contender("Pulse", port, group)


@dataclass(frozen=True)
class Account:
    """Somebody with an organization on a Pulse under load."""

    pulse: Contender
    org_id: str
    bearer: dict[str, str]

    def project(self, name: str) -> tuple[str, dict[str, str]]:
        """A new project's id, and the headers of its first key."""
        answer = httpx.post(
            f"{self.pulse.url}/v1/projects", json={"org_id": self.org_id, "name": name}, headers=self.bearer, timeout=60
        )
        made = answer.raise_for_status().json()
        return made["id"], {"X-Pulse-Key": made["pulse_api_key"], "X-Pulse-Secret": made["pulse_api_secret"]}

    def key(self, project_id: str, name: str) -> dict[str, str]:
        """One more key of a project, as headers."""
        answer = httpx.post(
            f"{self.pulse.url}/v1/projects/{project_id}/keys", json={"name": name}, headers=self.bearer, timeout=60
        )
        made = answer.raise_for_status().json()
        return {"X-Pulse-Key": made["pulse_api_key"], "X-Pulse-Secret": made["pulse_api_secret"]}


def account(served: Contender) -> Account:
    """Sign up."""
    person = {"email": "bench@example.com", "password": "a bench on this machine", "name": "Ada"}
    answer = httpx.post(f"{served.url}/v1/auth/signup", json={**person, "organization_name": "Bench"}, timeout=60)
    made = answer.raise_for_status().json()
    return Account(served, made["organization"]["id"], {"Authorization": f"Bearer {made['access_token']}"})


@contextmanager
def process(command: list[str], settings: dict[str, str], ready: str) -> Iterator[int]:
    """The command until the block ends, in a process group of its own; begun when `ready` answers."""
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "said").open("wb+") as said:
        started = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True
        )
        try:
            _wait(started, ready)
            yield started.pid
        finally:
            started.terminate()
            try:
                started.wait(timeout=30)
            except subprocess.TimeoutExpired:
                # Its supervisor waits for a worker that does not hear it.
                os.killpg(started.pid, signal.SIGKILL)


def _wait(started: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(600):
        if started.poll() is not None:
            raise SystemExit(f"{started.args} ended before it was ready")
        try:
            if httpx.get(url).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{started.args} is not ready")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
