"""`make demo`: LiveKit, Pulse, and a sample organization with people coming and going in its rooms.

Knows Pulse only by its REST API, as any customer would; all it leaves behind lies in `.pulse-demo`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from livekit import rtc

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # started as a script, Python looks beside it only
    sys.path.insert(0, str(ROOT))

from deploy.engines import PULSE_WEBHOOK, Missing, livekit, livekit_config  # noqa: E402

FOLDER = Path(os.environ.get("PULSE_DEMO_DIR") or ROOT / ".pulse-demo")
KEY, SECRET = "demokey", "a-secret-for-a-livekit-that-only-this-machine-reaches"
PERSON = {"email": "demo@example.com", "password": "a demo on this machine", "name": "Mira Holm"}
ORGANIZATION = "Tidewater Studio"
PROJECTS = {
    "Evening Classes": ("pottery-101", "watercolour", "open-studio"),
    "Support Desk": ("desk-1", "desk-2"),
}
PEOPLE = ("Ada", "Bao", "Carmen", "Dmitri", "Esi", "Farah", "Goran", "Hana", "Imre", "Jun", "Kofi", "Lena")
IN_ROOMS = 6
STAY_SECONDS = (40, 240)
START_SECONDS = 300.0  # the first start builds the dashboard


class NotStarted(Exception):
    """Pulse ended, or stayed silent, before there was anything to show."""


def say(line: str = "") -> None:
    """One line for the person at the terminal."""
    print(line, flush=True)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """So that a demo stands beside a `make run` and a LiveKit that are there already."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(log_name: str, command: list[str], **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program while the block runs, its words in `.pulse-demo`."""
    with (FOLDER / log_name).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


@dataclass
class Pulse:
    """The running Pulse as a customer with an account sees it."""

    http: httpx.AsyncClient
    bearer: dict[str, str] = field(default_factory=dict[str, str])

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """As the demo's person; the access token lasts 15 minutes and is renewed by signing in again."""
        answer = await self.http.request(method, path, json=body, params=query, headers=self.bearer)
        if answer.status_code == 401:
            await self.sign_in()
            answer = await self.http.request(method, path, json=body, params=query, headers=self.bearer)
        return answer.raise_for_status()

    async def sign_in(self) -> str:
        """Sign up the first time, log in from then on; gives the organization's id."""
        credentials = {"email": PERSON["email"], "password": PERSON["password"]}
        answer = await self.http.post("/v1/auth/login", json=credentials)
        if answer.status_code == 401:
            answer = await self.http.post("/v1/auth/signup", json={**PERSON, "organization_name": ORGANIZATION})
        found = answer.raise_for_status().json()
        self.bearer = {"Authorization": f"Bearer {found['access_token']}"}
        return str(found["organization"]["id"])

    async def seed(self) -> dict[str, str]:
        """The two projects by name, made when they are not there; gives their ids."""
        organization = await self.sign_in()
        there = (await self.ask("GET", "/v1/projects", org_id=organization, limit="100")).json()["items"]
        ids = {project["name"]: project["id"] for project in there}
        for name in PROJECTS:
            if name not in ids:
                made = (await self.ask("POST", "/v1/projects", {"org_id": organization, "name": name})).json()
                ids[name] = made["id"]
                await self.use_key(made["pulse_api_key"], made["pulse_api_secret"])
        return {name: ids[name] for name in PROJECTS}

    async def use_key(self, key: str, secret: str) -> None:
        """Once, as a backend does; the secret is shown at this moment only, and forgotten."""
        pair = {"X-Pulse-Key": key, "X-Pulse-Secret": secret}
        body = {"room": "first-steps", "identity": "backend"}
        (await self.http.post("/v1/tokens/create", json=body, headers=pair)).raise_for_status()

    async def token(self, project: str, room: str, person: str) -> dict[str, str]:
        """What an app's backend would ask for one of its people."""
        body = {"room": room, "identity": person.lower(), "name": person}
        return (await self.ask("POST", "/v1/tokens/create", body, project_id=project)).json()


async def visit(pulse: Pulse, project: str, room: str, person: str, chance: random.Random) -> None:
    """Join a real room, hold a silent microphone open for a while, leave."""
    minted = await pulse.token(project, room, person)
    stay = rtc.Room()
    await stay.connect(minted["url"], minted["token"])
    try:
        source = rtc.AudioSource(48_000, 1)
        await stay.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("microphone", source))
        await asyncio.sleep(chance.uniform(*STAY_SECONDS))
    finally:
        await stay.disconnect()


async def life(pulse: Pulse, projects: dict[str, str]) -> None:
    """Keep some people in rooms; whoever leaves is replaced by somebody else somewhere else."""
    chance = random.Random()
    present: set[str] = set()

    async def place() -> None:
        while True:
            project = chance.choice(list(projects))
            person = chance.choice([name for name in PEOPLE if name not in present])
            present.add(person)
            try:
                await visit(pulse, projects[project], chance.choice(PROJECTS[project]), person, chance)
            except (httpx.HTTPError, rtc.ConnectError) as error:
                say(f"{person} could not join: {error}")
                await asyncio.sleep(10)
            finally:
                present.discard(person)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_ROOMS):
            group.create_task(place())


async def await_pulse(http: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    """Come back when it serves; the first time it builds its dashboard before."""
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            try:
                if (await http.get("/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.2)
    raise NotStarted


def last_words() -> str:
    """The end of what Pulse printed."""
    return "\n".join((FOLDER / "pulse.log").read_text("utf-8", "replace").splitlines()[-3:])


async def demo() -> None:
    """Everything up, its address said, then life until Ctrl-C."""
    port = int(os.environ.get("PORT", "8000"))
    address = f"http://localhost:{port}"
    settings = {"PORT": str(port), "PULSE_DATA_DIR": str(FOLDER / "data")}
    async with AsyncExitStack() as stack:
        try:
            ports = (free_port(), free_port(), free_port(socket.SOCK_DGRAM))
            webhook = f"http://127.0.0.1:{port}{PULSE_WEBHOOK}"
            config = livekit_config(ports=ports, key=KEY, secret=SECRET, webhook=webhook)
            await stack.enter_async_context(running("livekit.log", [str(livekit()), "--config-body", config]))
            settings |= {
                "LIVEKIT_HOST": f"ws://127.0.0.1:{ports[0]}",
                "LIVEKIT_API_KEY": KEY,
                "LIVEKIT_API_SECRET": SECRET,
            }
            with_livekit = True
        except Missing as missing:
            say(f"Without LiveKit: {missing}. The rooms stay empty.")
            with_livekit = False
        say("Starting Pulse (the first time it builds its dashboard, a minute or two) …")
        command = [sys.executable, "-m", "pulse_dash", "run"]
        process = await stack.enter_async_context(running("pulse.log", command, **settings))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30))
        await await_pulse(http, process)
        pulse = Pulse(http)
        projects = await pulse.seed()
        say()
        say(f"  {address}")
        say(f"  e-mail    {PERSON['email']}")
        say(f"  password  {PERSON['password']}")
        say()
        say(f"{ORGANIZATION} has the projects {' and '.join(projects)}. Ctrl-C ends the demo.")
        living = asyncio.create_task(life(pulse, projects)) if with_livekit else None
        try:
            await process.wait()
            say(f"Pulse ended by itself:\n{last_words()}")
        finally:
            if living:
                living.cancel()
                await asyncio.wait([living], timeout=3)


async def until_told() -> int:
    """Ctrl-C, or a terminal that goes away, is the way it ends."""
    showing = asyncio.create_task(demo())
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(told, showing.cancel)
    try:
        await showing
    except asyncio.CancelledError:
        say("\nThe demo has ended; `make demo` goes on where it was.")
        return 0
    except (NotStarted, TimeoutError):
        say(f"Pulse did not start:\n{last_words()}")
    return 1


def main() -> int:
    """The exit status: 0 when it was told to end."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    return asyncio.run(until_told())


if __name__ == "__main__":
    sys.exit(main())
