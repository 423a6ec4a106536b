"""`python -m bench.tokens`: complete token minting beside a bare FastAPI that only mints and beside an empty answer.

Prints ratios of the same round, because these machines differ by two between rounds. It does not show a network, TLS,
a cold start, or more than one core.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
PATH = "/v1/tokens/create"
BODY = {"room": "lobby", "identity": "ada"}
SECRET = "a-secret-that-only-the-bench-knows-of"  # noqa: S105 - of a LiveKit that is never started


@dataclass(frozen=True)
class Contender:
    """Something that answers POST /v1/tokens/create."""

    name: str
    port: int
    headers: dict[str, str]


def main() -> int:
    """Run the rounds and print what came out; the exit status tells whether every answer was right."""
    asked = argparse.ArgumentParser(prog="python -m bench.tokens")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=int, default=4)
    asked.add_argument("--connections", type=int, default=32)
    options = asked.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        contenders = [
            stack.enter_context(empty()),
            stack.enter_context(fastapi_that_mints()),
            stack.enter_context(pulse(Path(folder))),
        ]
        for contender in contenders[1:]:
            check(contender)
        rounds = [
            {contender.name: load(contender, options.seconds, options.connections) for contender in contenders}
            for _ in range(options.rounds)
        ]
    show(rounds)
    return 0


def check(contender: Contender) -> None:
    """A wrong answer is never timed."""
    answer = httpx.post(f"http://127.0.0.1:{contender.port}{PATH}", json=BODY, headers=contender.headers)
    if answer.status_code != 200 or answer.json()["token"].count(".") != 2:
        raise SystemExit(f"{contender.name} answers {answer.status_code}: {answer.text}")


def load(contender: Contender, seconds: int, connections: int) -> tuple[float, float]:
    """Requests a second and the 99th percentile in milliseconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        headers = {"Content-Type": "application/json", **contender.headers}
        lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
        script.write("\n".join(['wrk.method = "POST"', f"wrk.body = '{json.dumps(BODY)}'", *lines]))
        script.flush()
        url = f"http://127.0.0.1:{contender.port}{PATH}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"{contender.name} refused requests:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if rate is None or slow is None:
        raise SystemExit(said)
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


def show(rounds: list[dict[str, tuple[float, float]]]) -> None:
    """A line each, with the ratio of Pulse to it in the same round."""
    print(f"{'':24}{'a second':>10}{'p99 ms':>9}{'Pulse is':>12}")
    for name in rounds[0]:
        rate = statistics.median(one[name][0] for one in rounds)
        slow = statistics.median(one[name][1] for one in rounds)
        ratio = statistics.median(one["Pulse"][0] / one[name][0] for one in rounds)
        print(f"{name:24}{rate:>10,.0f}{slow:>9.1f}{ratio:>11.2f}×")
    print(json.dumps({"rounds": rounds}))


@contextmanager
def empty() -> Iterator[Contender]:
    with _granian("bench.empty:application") as port:
        yield Contender("empty answer", port, {})


@contextmanager
def fastapi_that_mints() -> Iterator[Contender]:
    with _granian("bench.minting:application") as port:
        yield Contender("FastAPI that only mints", port, {})


@contextmanager
def pulse(folder: Path) -> Iterator[Contender]:
    """The whole path: credentials, limits, mint, count, log line."""
    port = _free_port()
    settings = {
        "PORT": str(port),
        "PULSE_DATA_DIR": str(folder / "data"),
        "LIVEKIT_HOST": "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": "benchkey",
        "LIVEKIT_API_SECRET": SECRET,
        "RATE_LIMIT_PROJECT_PER_MINUTE": "100000000",
    }
    command = [sys.executable, "-m", "pulse_dash", "run", "--api-only"]
    with _process(command, settings, lambda: httpx.get(f"http://127.0.0.1:{port}/health").is_success):
        yield Contender("Pulse", port, _pair(f"http://127.0.0.1:{port}"))


def _pair(url: str) -> dict[str, str]:
    person = {"email": "bench@example.com", "password": "a bench on this machine", "name": "Ada"}
    signup = {**person, "organization_name": "Bench"}
    account = httpx.post(f"{url}/v1/auth/signup", json=signup).raise_for_status().json()
    project = httpx.post(
        f"{url}/v1/projects",
        json={"org_id": account["organization"]["id"], "name": "Bench"},
        headers={"Authorization": f"Bearer {account['access_token']}"},
    )
    made = project.raise_for_status().json()
    return {"X-Pulse-Key": made["pulse_api_key"], "X-Pulse-Secret": made["pulse_api_secret"]}


@contextmanager
def _granian(target: str) -> Iterator[int]:
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--no-log", target]
    with _process(command, {}, lambda: httpx.get(f"http://127.0.0.1:{port}/").status_code < 500):
        yield port


@contextmanager
def _process(command: list[str], settings: dict[str, str], ready: Callable[[], bool]) -> Iterator[None]:
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(process, ready)
            yield
        finally:
            process.terminate()
            process.wait(timeout=15)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended before it was ready")
        try:
            if ready():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{process.args} is not ready")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
