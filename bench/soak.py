"""`make soak`: a mixed load for a while with a kill -9 in its middle; then what was acknowledged is looked for.

Prints latencies, answers and memory, and fails on a lost project or key, a revoked key that works, or a 5xx. It does
not show LiveKit, the dashboard or MongoDB: one node with the embedded store, asked over its REST API.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
CALLERS = 8
PROJECTS_AT_FIRST = 10
# Far above what the load asks for: this is about what is kept, not about being refused.
LIMITS = {"RATE_LIMIT_USER_PER_MINUTE": "1000000", "RATE_LIMIT_PROJECT_PER_MINUTE": "1000000"}
READY_SECONDS = 30.0
PERSON = {"email": "soak@example.com", "password": "a password of the soak"}


@dataclass(frozen=True)
class Pair:
    """A key and its secret, as a backend keeps them."""

    project: str
    key_id: str
    headers: dict[str, str]


@dataclass
class Ledger:
    """What Pulse acknowledged, in the callers' own books."""

    projects: set[str] = field(default_factory=set[str])
    live: list[Pair] = field(default_factory=list[Pair])
    revoked: list[Pair] = field(default_factory=list[Pair])
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[str] = field(default_factory=Counter[str])


class Node:
    """One Pulse process on one data folder, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        own = {"PORT": str(self.port), "PULSE_DATA_DIR": str(self._folder / "data"), **LIMITS}
        command = [sys.executable, "-m", "pulse_dash", "run", "--api-only"]
        with (self._folder / "pulse.log").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)

    def kill_and_start(self) -> None:
        """No farewell: what it had not written is gone."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(15)

    def resident_megabytes(self) -> float:
        """What the kernel counts for it."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Load:
    """The callers: each step is one request of a kind, and what its answer means for the ledger."""

    def __init__(self, http: httpx.AsyncClient, ledger: Ledger, chance: random.Random) -> None:
        self._http, self._ledger, self._chance = http, ledger, chance
        self._user: dict[str, str] = {}
        self._organization = ""

    async def ready(self) -> None:
        """Come back when the node serves."""
        async with asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    if (await self._http.get("/ready")).is_success:
                        return
                except httpx.TransportError:
                    pass  # starting
                await asyncio.sleep(0.1)

    async def begin(self) -> None:
        """One account, some projects."""
        made = await self._http.post("/v1/auth/signup", json={**PERSON, "name": "Soak", "organization_name": "Soak"})
        found = made.raise_for_status().json()
        self._user = {"Authorization": f"Bearer {found['access_token']}"}
        self._organization = found["organization"]["id"]
        for _ in range(PROJECTS_AT_FIRST):
            await self.new_project()

    async def _log_in(self) -> None:
        """An access token lasts 15 minutes, and a soak may last a night."""
        answer = await self._http.post("/v1/auth/login", json=PERSON)
        self._user["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"

    async def _ask(
        self, kind: str, method: str, path: str, headers: dict[str, str], body: object = None
    ) -> httpx.Response:
        began = time.perf_counter()
        answer = await self._http.request(method, path, headers=headers, json=body)
        if answer.status_code == 401 and headers is self._user:
            await self._log_in()
            began = time.perf_counter()
            answer = await self._http.request(method, path, headers=headers, json=body)
        self._ledger.seconds[kind].append(time.perf_counter() - began)
        self._ledger.answers[str(answer.status_code)] += 1
        return answer

    def _pair(self, project: str, key_id: str, made: dict[str, str]) -> Pair:
        return Pair(project, key_id, {"X-Pulse-Key": made["pulse_api_key"], "X-Pulse-Secret": made["pulse_api_secret"]})

    async def new_project(self) -> None:
        """Acknowledged is in the ledger, with its first pair."""
        body = {"org_id": self._organization, "name": f"P {self._chance.getrandbits(32):08x}"}
        answer = await self._ask("create a project", "POST", "/v1/projects", self._user, body)
        if answer.status_code == 201:
            made = answer.json()
            self._ledger.projects.add(made["id"])
            self._ledger.live.append(self._pair(made["id"], "", made))

    async def new_key(self) -> None:
        """A second key of some project."""
        project = self._chance.choice(sorted(self._ledger.projects))
        answer = await self._ask("create a key", "POST", f"/v1/projects/{project}/keys", self._user, {"name": "soak"})
        if answer.status_code == 201:
            self._ledger.live.append(self._pair(project, answer.json()["id"], answer.json()))

    async def revoke(self) -> None:
        """A key that nobody else in this load uses any more, acknowledged or not."""
        mine = [pair for pair in self._ledger.live if pair.key_id]
        if not mine:
            return
        pair = self._chance.choice(mine)
        self._ledger.live.remove(pair)
        path = f"/v1/projects/{pair.project}/keys/{pair.key_id}"
        if (await self._ask("revoke a key", "DELETE", path, self._user)).is_success:
            self._ledger.revoked.append(pair)

    async def mint(self) -> None:
        """What customers' backends do all day; the token is validated every fifth time."""
        pair = self._chance.choice(self._ledger.live)
        body = {"room": f"r{self._chance.randrange(50)}", "identity": f"i{self._chance.randrange(5000)}"}
        answer = await self._ask("mint a token", "POST", "/v1/tokens/create", pair.headers, body)
        if answer.is_success and self._chance.random() < 0.2:
            token = {"token": answer.json()["token"]}
            await self._ask("validate a token", "POST", "/v1/tokens/validate", pair.headers, token)

    async def read(self) -> None:
        """A page of the list."""
        await self._ask("list projects", "GET", "/v1/projects?limit=50", self._user)

    async def call(self, until: float) -> None:
        """One caller; a request that the kill cut off is acknowledged by nobody and counted apart."""
        steps: list[Callable[[], Awaitable[None]]] = [self.mint, self.read, self.new_project, self.new_key, self.revoke]
        while time.monotonic() < until:
            step = self._chance.choices(steps, weights=(90, 6, 1, 2, 1))[0]
            try:
                await step()
            except httpx.TransportError:
                self._ledger.answers["cut off"] += 1
                await asyncio.sleep(0.1)

    async def differences(self) -> list[str]:
        """The ledger against Pulse."""
        wrong = [
            f"project {project} is lost"
            for project in sorted(self._ledger.projects)
            if (await self._http.get(f"/v1/projects/{project}", headers=self._user)).status_code != 200
        ]
        body = {"room": "after", "identity": "soak"}
        for pairs, wanted, words in ((self._ledger.live, 200, "is lost"), (self._ledger.revoked, 401, "works again")):
            for pair in pairs:
                answer = await self._http.post("/v1/tokens/create", json=body, headers=pair.headers)
                if answer.status_code != wanted:
                    wrong.append(f"a key of {pair.project} {words}: {answer.status_code}")
        return wrong


async def soak(seconds: float, seed: int, node: Node) -> int:
    """Half the time, the kill, the other half, the comparison."""
    ledger = Ledger()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{node.port}", timeout=15) as http:
        load = Load(http, ledger, random.Random(seed))
        await load.ready()
        await load.begin()
        memory = [node.resident_megabytes()]
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(load.call(until))
            await asyncio.sleep(seconds / 2)
            memory.append(node.resident_megabytes())
            await asyncio.to_thread(node.kill_and_start)
        await load.ready()
        memory.append(node.resident_megabytes())
        await load.read()  # a fresh access token, were the old one at its end
        wrong = await load.differences()
    wrong += [f"{count} answers {status}" for status, count in ledger.answers.items() if status.startswith("5")]
    report(ledger, memory, wrong)
    return 1 if wrong else 0


def report(ledger: Ledger, memory: list[float], wrong: list[str]) -> None:
    """Numbers first, the verdict last."""
    for kind, taken in sorted(ledger.seconds.items()):
        ordered = sorted(taken)
        middle, late = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
        print(f"{kind:18} {len(taken):7} times   median {middle * 1e3:7.1f} ms   p99 {late * 1e3:7.1f} ms")
    print("answers           ", ", ".join(f"{status}: {count}" for status, count in sorted(ledger.answers.items())))
    print("memory            ", " → ".join(f"{megabytes:.0f} MB" for megabytes in memory), "(start, before kill, end)")
    print(
        "kept              ", f"{len(ledger.projects)} projects, {len(ledger.live)} keys, {len(ledger.revoked)} revoked"
    )
    print("\n".join(["DIFFERENT:", *wrong]) if wrong else "Everything that was acknowledged is there.", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pulse-soak-") as folder:
        node = Node(Path(folder))
        try:
            return asyncio.run(soak(asked.seconds, asked.seed, node))
        finally:
            node.stop()


if __name__ == "__main__":
    sys.exit(main())
