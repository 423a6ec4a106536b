"""A running Pulse: the process that `make run` starts, on a port and a data folder of its own, beside a real LiveKit.

One serves the whole run, so each test signs up people of its own. What they do in it is told by the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.engines import Missing
from deploy.engines import livekit as livekit_binary
from tests.engines.livekit import LiveKit
from tests.engines.process import free_port, running

ROOT = Path(__file__).resolve().parents[1]
WEBHOOK = "/v1/internal/livekit/webhook"
WITHIN = 15.0
PASSWORD = "correct horse battery staple"
# What a developer's shell says of a Pulse of theirs is not meant for this one.
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "XDG_CACHE_HOME", "PULSE_ENGINES", "VIRTUAL_ENV")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Served:
    """Where a running Pulse is."""

    port: int
    data: Path
    log: Path

    @property
    def url(self) -> str:
        """Its PUBLIC_URL; pages at any other name are sent here."""
        return f"http://localhost:{self.port}"


@dataclass(frozen=True)
class Customer:
    """Somebody with an account and one project, and that project's backend, over the REST API alone."""

    http: httpx.AsyncClient
    project_id: str
    key: str
    secret: str
    bearer: str
    email: str

    @property
    def pair(self) -> dict[str, str]:
        """As a backend sends it."""
        return {"X-Pulse-Key": self.key, "X-Pulse-Secret": self.secret}

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask as the project's backend, and take whatever is answered."""
        return await self.http.request(method, path, json=body, headers=self.pair)

    async def token(self, room: str, identity: str, **more: object) -> dict[str, Any]:
        """Mint a token; `more` are fields of the request."""
        answer = await self.ask("POST", "/v1/tokens/create", {"room": room, "identity": identity, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@asynccontextmanager
async def a_customer(pulse: Served) -> AsyncIterator[Customer]:
    """Sign up somebody new and make their first project."""
    number = next(_numbers)
    person = {"email": f"guest{os.getpid()}-{number}@example.com", "password": PASSWORD, "name": "Ada Lovelace"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pulse.port}", timeout=20) as http:
        signed = await _made(http, "/v1/auth/signup", {**person, "organization_name": f"Acme {number}"})
        bearer = str(signed["access_token"])
        project = {"org_id": signed["organization"]["id"], "name": f"Project {number}"}
        made = await _made(http, "/v1/projects", project, {"Authorization": f"Bearer {bearer}"})
        yield Customer(
            http, made["id"], made["pulse_api_key"], made["pulse_api_secret"], bearer=bearer, email=person["email"]
        )


async def eventually(look: Callable[[], Awaitable[Any]], *, within: float = WITHIN) -> Any:
    """What `look` answers once it answers something, or what it answered last."""
    found = None
    for _ in range(int(within * 10)):
        if found := await look():
            break
        await asyncio.sleep(0.1)
    return found


async def _made(
    http: httpx.AsyncClient, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    answer = await http.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


@contextmanager
def pulse_running(
    folder: Path,
    livekit: LiveKit | None = None,
    *,
    port: int | None = None,
    program: str = "pulse_dash",
    **settings: str,
) -> Iterator[Served]:
    """A Pulse while the block runs; `program` is the module that is run as one.

    Its dashboard is built first, since a first build takes longer than any start."""
    built = subprocess.run(
        [sys.executable, "-m", "pulse_dash.frontend", "build"], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    served = Served(port or free_port(), folder / "data", folder / "pulse.log")
    command = [sys.executable, "-m", program, "run"]
    environment = _environment(served, livekit) | settings
    # Its folder is not the checkout's: there a developer's `.env` may lie.
    with running(command, ready=lambda: _is_ready(served.port), log=served.log, environment=environment, folder=folder):
        yield served


def _environment(served: Served, livekit: LiveKit | None) -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "PYTHONPATH": str(ROOT),
        "PORT": str(served.port),
        "PULSE_DATA_DIR": str(served.data),
        "LIVEKIT_HOST": livekit.url if livekit else f"ws://127.0.0.1:{free_port()}",
        "LIVEKIT_API_KEY": livekit.api_key if livekit else "nokey",
        "LIVEKIT_API_SECRET": livekit.api_secret if livekit else "there-is-no-livekit-behind-this-secret",
        "RATE_LIMIT_IP_PER_MINUTE": "100000",
        "RATE_LIMIT_USER_PER_MINUTE": "100000",
    }


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def pulse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One Pulse for the whole run, against the tests' LiveKit where there is one."""
    try:
        livekit_binary()
        livekit: LiveKit | None = request.getfixturevalue("livekit_server")
    except Missing:
        livekit = None
    with pulse_running(tmp_path_factory.mktemp("pulse"), livekit) as served:
        if livekit is not None:
            livekit.set_webhook(f"http://127.0.0.1:{served.port}{WEBHOOK}")
        yield served
