"""Brings the real programs that Pulse is tried against: LiveKit's server, Chromium and Redis.

Knows where each comes from, which version, and how to find it again; how they are started is told in
tests/engines and deploy/demo.py. Needs nothing but Python itself.

    python3 deploy/engines.py             # install or build what is missing
    python3 deploy/engines.py livekit     # start LiveKit as `make run` expects it
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LIVEKIT_VERSION = "1.13.5"
# Later versions have replace lines in their go.mod, which `go install` refuses.
LIVEKIT_MODULE = f"github.com/livekit/livekit-server/cmd/server@v{LIVEKIT_VERSION}"
# LiveKit asks for a newer Go than most machines have; from 1.21 on, Go fetches that by itself.
OLDEST_GO = (1, 21)
GO_ELSEWHERE = Path("/usr/local/go/bin/go")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PULSE_WEBHOOK = "/v1/internal/livekit/webhook"


class Missing(Exception):
    """An engine is not there; the message says which one and how it comes."""


def cache() -> Path:
    """Outside the checkout: a fresh clone finds what an earlier one built."""
    chosen = os.environ.get("PULSE_ENGINES")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulse-engines"


def livekit() -> Path:
    """The server that `make engines` built, or one that is on the PATH."""
    built = cache() / f"livekit-server-{LIVEKIT_VERSION}"
    if built.is_file():
        return built
    installed = shutil.which("livekit-server")
    if installed:
        return Path(installed)
    raise Missing("livekit-server is not here; `make engines` builds it")


def livekit_config(*, ports: tuple[int, int, int], key: str, secret: str, webhook: str, redis: str = "") -> str:
    """A server for this machine alone; `ports` are for signalling, media over TCP and media over UDP."""
    config: dict[str, object] = {
        "port": ports[0],
        "bind_addresses": ["127.0.0.1"],
        "rtc": {"tcp_port": ports[1], "udp_port": ports[2], "use_external_ip": False, "node_ip": "127.0.0.1"},
        "room": {"enable_remote_unmute": True},  # otherwise unmuting from outside is refused
        "keys": {key: secret},
        "webhook": {"api_key": key, "urls": [webhook]},
        "logging": {"level": "info"},
    }
    if redis:
        config["redis"] = {"address": redis}
    return json.dumps(config)  # every JSON is a YAML


def chromium() -> Path:
    """Any Chromium of this machine."""
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise Missing("Chromium is not here; `make engines` installs it")


def redis() -> Path:
    """Debian's Redis."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    raise Missing("redis-server is not here; `make engines` installs it")


ENGINES = {"LiveKit": livekit, "Chromium": chromium, "Redis": redis}


def main(arguments: list[str]) -> int:
    """Without a word: bring what is missing and name each; `livekit`: become a LiveKit server."""
    try:
        if arguments == ["livekit"]:
            if attempt(livekit):
                with alone():
                    bring_livekit()
            start_livekit()
        with alone():
            said = [str(missing) for bring in (bring_packages, bring_livekit) if (missing := attempt(bring))]
        found = [f"{name}: {find()}" for name, find in ENGINES.items()] if not said else []
    except Missing as missing:
        said, found = [str(missing)], []
    except KeyboardInterrupt:
        return 130
    print("\n".join(found + [f"{sentence}." for sentence in said]), flush=True)
    return 1 if said else 0


@contextmanager
def alone() -> Iterator[None]:
    """One at a time on a machine: two checkouts must not build the same thing at once."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def attempt(bring: Callable[[], object]) -> Missing | None:
    """One engine that cannot be had must not keep the others away."""
    try:
        bring()
    except Missing as missing:
        return missing
    return None


def start_livekit() -> None:
    """In the foreground, with the keys of its own development mode and its webhook pointing at `make run`."""
    port = os.environ.get("PORT", "8000")
    config = (
        f"webhook: {{api_key: devkey, urls: ['http://127.0.0.1:{port}{PULSE_WEBHOOK}']}}\n"
        "room: {enable_remote_unmute: true}\n"
    )
    binary = str(livekit())
    os.execv(binary, [binary, "--dev", "--bind", "127.0.0.1", "--node-ip", "127.0.0.1", "--config-body", config])


def bring_packages() -> None:
    """What Debian has, in one go and only when something is missing."""
    wanted: list[str] = []
    for package, find in (("chromium", chromium), ("redis-server", redis)):
        try:
            find()
        except Missing:
            wanted.append(package)
    if go() is None and not is_built():
        wanted.append("golang")
    if wanted:
        apt_install(wanted)


def apt_install(packages: list[str]) -> None:
    """As root or with a sudo that asks nothing; otherwise the line that the person types."""
    line = f"apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise Missing(f"Missing on this machine: {', '.join(packages)}; install them with its package manager")
    become_root: list[str] = []
    if os.geteuid() != 0:
        become_root = ["sudo", "-n"]
        if shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode != 0:
            raise Missing(f"Missing on this machine: {', '.join(packages)}; as root: {line}")
    print(f"{line} …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = [*become_root, "apt-get", "-qq", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"]
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run([*apt, *step], env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            print((done.stdout + done.stderr)[-2000:], file=sys.stderr)
            raise Missing(f"apt-get {step[0]} failed")


def go() -> str | None:
    """A Go toolchain, also where its own tarball puts it."""
    return shutil.which("go") or (str(GO_ELSEWHERE) if GO_ELSEWHERE.is_file() else None)


def is_built() -> bool:
    """A LiveKit on the PATH serves people; the tests want the version they were written against."""
    return (cache() / f"livekit-server-{LIVEKIT_VERSION}").is_file()


def bring_livekit() -> None:
    """Compiled once per version and moved into place whole, so that an interrupted build leaves nothing."""
    if is_built():
        return
    toolchain = go()
    if toolchain is None:
        raise Missing("Building LiveKit needs Go: https://go.dev/dl")
    version = subprocess.run([toolchain, "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
    numbers = re.match(r"go(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_GO:
        oldest = ".".join(map(str, OLDEST_GO))
        raise Missing(f"Building LiveKit needs Go {oldest} or newer, this is {version}: https://go.dev/dl")
    print(f"Building LiveKit {LIVEKIT_VERSION} with {version} (some minutes the first time) …", flush=True)
    workshop = cache() / "building"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    environment = {**os.environ, "GOBIN": str(workshop), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    done = subprocess.run(
        [toolchain, "install", LIVEKIT_MODULE],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        raise Missing(f"Building LiveKit {LIVEKIT_VERSION} failed")
    (workshop / "server").rename(cache() / f"livekit-server-{LIVEKIT_VERSION}")
    shutil.rmtree(workshop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
