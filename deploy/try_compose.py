"""Runs what compose.yaml runs, with its settings, on one machine without Docker, and takes a person through it.

    sudo .venv/bin/python deploy/try_compose.py FOLDER     # FOLDER as deploy/try_image.py left it

In a network of its own, where all services share one address of compose's subnet: Redis, LiveKit and Caddy as
programs of this machine (Caddy with certificates of its own making), Pulse as the image's last stage. Not MinIO.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import yaml
from livekit import rtc

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # started as a script, Python looks beside it only
    sys.path.insert(0, str(ROOT))

from deploy import first_env  # noqa: E402
from deploy.engines import PULSE_WEBHOOK, livekit, redis  # noqa: E402
from deploy.try_image import Stage, describe, instructions  # noqa: E402

PULSE, LIVEKIT = "pulse.example.com", "livekit.example.com"
SERVICES, VISITOR = "172.30.77.10", "203.0.113.9"  # in compose's subnet, which is trusted; and outside of it
APART = "PULSE_TRIAL_APART"


def say(line: str) -> None:
    """One line for the person at the terminal."""
    print(line, flush=True)


def go_apart(arguments: list[str]) -> None:
    """Again, in a network and a mount table of our own: no port and no name of this machine is touched."""
    os.environ[APART] = "yes"
    os.execvp("unshare", ["unshare", "--mount", "--net", sys.executable, __file__, *arguments])


def names(folder: Path, stage: Stage) -> None:
    """What Docker's resolver would say. Redis without a password answers on loopback only, except in its image."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost redis\n{SERVICES} pulse livekit minio {PULSE} {LIVEKIT}\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "link", "add", "trial", "type", "veth", "peer", "name", "other-end"], check=True)
    subprocess.run(["ip", "link", "set", "other-end", "up"], check=True)
    for address in (SERVICES, VISITOR):
        subprocess.run(["ip", "address", "add", f"{address}/24", "dev", "trial"], check=True)
    subprocess.run(["ip", "link", "set", "trial", "up"], check=True)
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    (stage.root / "etc/hosts").write_text(hosts.read_text())


def last_stage(folder: Path) -> Stage:
    """As deploy/try_image.py built it: its notes are read again, its files are there."""
    pairs = instructions((ROOT / "Dockerfile").read_text("utf-8"))
    start = max(at for at, (name, _) in enumerate(pairs) if name == "FROM")
    stage = Stage("final", folder / "final")
    for name, rest in pairs[start + 1 :]:
        if name not in {"RUN", "COPY"}:
            describe(stage, name, rest)
    return stage


def handed_over(service: dict[str, Any], env: dict[str, str]) -> dict[str, str]:
    """The service's environment with the values of `.env` in it."""

    def value(found: re.Match[str]) -> str:
        return env.get(found[1]) or found[2] or ""

    return {
        name: re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", value, str(text))
        for name, text in service.get("environment", {}).items()
    }


def await_true(what: str, look: Any, seconds: float = 30) -> None:
    """Within these seconds, or the trial has failed."""
    until = time.monotonic() + seconds
    while not look():
        if time.monotonic() > until:
            raise SystemExit(f"Failed: {what}")
        time.sleep(0.2)
    say(f"ok  {what}")


def listening(port: int) -> bool:
    """Whether something takes connections there."""
    try:
        httpx.get(f"http://127.0.0.1:{port}", timeout=1)
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True
    return True


def check(what: str, holds: bool) -> None:
    """The trial ends at the first thing that is not as it should be."""
    if not holds:
        raise SystemExit(f"Failed: {what}")
    say(f"ok  {what}")


async def walk(ca: Path) -> None:
    """From sign-up to a participant, by the public names."""
    way = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=ca), local_address=VISITOR)
    async with httpx.AsyncClient(base_url=f"https://{PULSE}", transport=way, timeout=20) as http:
        page = await http.get("/login")
        check("the page comes over https, with HSTS", page.is_success and "strict-transport-security" in page.headers)
        check("nobody reads /metrics from outside", (await http.get("/metrics")).status_code == 404)
        ada = {"email": "ada@example.com", "password": "a long enough password", "name": "Ada"}
        made = await http.post("/v1/auth/signup", json={**ada, "organization_name": "First"})
        user = {"Authorization": f"Bearer {made.raise_for_status().json()['access_token']}"}
        eve = {**ada, "email": "eve@example.com", "organization_name": "Second"}
        check("a second sign-up is refused", (await http.post("/v1/auth/signup", json=eve)).status_code == 403)
        new = {"org_id": made.json()["organization"]["id"], "name": "One"}
        project = (await http.post("/v1/projects", json=new, headers=user)).raise_for_status().json()
        pair = {"X-Pulse-Key": project["pulse_api_key"], "X-Pulse-Secret": project["pulse_api_secret"]}
        wanted = {"room": "hall", "identity": "ada"}
        token = (await http.post("/v1/tokens/create", json=wanted, headers=pair)).raise_for_status().json()
        check("the token names LiveKit's public address", token["url"] == f"wss://{LIVEKIT}")
        room = rtc.Room()
        # The client brings its own list of authorities and would not know Caddy's; so it goes past it.
        await room.connect("ws://livekit:7880", token["token"])
        rooms = (await http.get("/v1/media/rooms", headers=pair)).raise_for_status().json()["items"]
        check("Pulse sees the room by LiveKit's API, through Caddy", [found["name"] for found in rooms] == ["hall"])
        await room.disconnect()
        await asyncio.sleep(2)


def heard(pulse_log: Path) -> None:
    """What only Pulse's own log tells."""
    lines = [line for line in pulse_log.read_text().splitlines() if PULSE_WEBHOOK in line]
    check("LiveKit's webhooks were taken", bool(lines) and all('"status": 200' in line for line in lines))
    check("visitors are known by their own address", f'"principal": "{VISITOR}"' in pulse_log.read_text())


def main(arguments: list[str]) -> int:
    """Everything up in compose's order, the walk, everything down."""
    if len(arguments) != 1 or os.geteuid() != 0:
        print("Usage, as root: .venv/bin/python deploy/try_compose.py FOLDER", file=sys.stderr)
        return 2
    if APART not in os.environ:
        go_apart(arguments)
    folder = Path(arguments[0]).resolve()
    stage = last_stage(folder)
    names(folder, stage)
    subprocess.run(["find", str(stage.root / "data"), "-mindepth", "1", "-delete"], check=True)
    (folder / ".env").unlink(missing_ok=True)
    first_env.main([PULSE, LIVEKIT], folder)
    env = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    for name, source in compose["secrets"].items():
        file = stage.root / "run/secrets" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(env[source["environment"]])
        file.chmod(0o444)
    config = folder / "livekit.yaml"  # there is no STUN server to ask here
    config.write_text(
        (ROOT / "deploy/livekit.yaml").read_text().replace("use_external_ip: true", f"node_ip: {SERVICES}")
    )
    caddyfile = folder / "Caddyfile"
    caddyfile.write_text("{\n\tlocal_certs\n\tskip_install_trust\n}\n" + (ROOT / "deploy/Caddyfile").read_text())
    ca = folder / "caddy/caddy/pki/authorities/local/root.crt"
    base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with ExitStack() as stack:
        log = stack.enter_context((folder / "compose.log").open("wb"))

        def start(command: list[str], **environment: str) -> None:
            process = subprocess.Popen(command, env={**base, **environment}, stdout=log, stderr=log, cwd=folder)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)

        start([str(redis()), *services["redis"]["command"][1:]])
        await_true("Redis listens", lambda: listening(6379))
        start([str(livekit()), "--config", str(config)], **handed_over(services["livekit"], env))
        await_true("LiveKit listens", lambda: listening(7880))
        caddy = ["caddy", "run", "--adapter", "caddyfile", "--config", str(caddyfile)]
        start(caddy, XDG_DATA_HOME=str(folder / "caddy"), **handed_over(services["caddy"], env))
        await_true("Caddy has its certificates", lambda: ca.exists() and listening(80))
        (stage.root / "etc/ssl/certs/trial.pem").write_bytes(ca.read_bytes())
        stage.environment |= handed_over(services["pulse"], env) | {"SSL_CERT_FILE": "/etc/ssl/certs/trial.pem"}
        pulse_log = folder / "pulse.log"
        pulse = stage.run(stage.command, {"HOME": "/data"}, log=pulse_log)
        stack.callback(pulse.wait, 20)
        stack.callback(pulse.terminate)
        await_true("Pulse is healthy", lambda: stage.run(stage.health, {}, log=Path(os.devnull)).wait() == 0)
        asyncio.run(walk(ca))
        heard(pulse_log)
    say("Ended.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
