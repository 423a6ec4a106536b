"""Runs the Dockerfile's lines in a Debian of their own where no Docker is: a debootstrapped folder and chroot.

    sudo python3 deploy/try_image.py FOLDER     # builds; then starts CMD as USER and runs HEALTHCHECK once

Knows the instructions that our Dockerfile uses and refuses others. The base image is stood in for by Debian's
own Python of the same version, so this shows that the lines work, not that the base image is what we think.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = "python:3.13-slim-trixie"
BASE_PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
HANDED_IN = (
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
INSTRUCTIONS = {"FROM", "WORKDIR", "ENV", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


@dataclass
class Stage:
    """One FROM and what follows it."""

    name: str
    root: Path
    workdir: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    health: list[str] = field(default_factory=list[str])
    command: list[str] = field(default_factory=list[str])

    def run(self, command: list[str], more: dict[str, str], *, log: Path | None = None) -> subprocess.Popen[bytes]:
        """The command inside, in WORKDIR, as USER; its words go to the terminal, or to `log` alone."""
        step = f"cd {shlex.quote(self.workdir)} && exec {shlex.join(command)}"
        # Through the image's own sh, so that a relative program name means one in WORKDIR.
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"  # found here: below, PATH is the image's
        inside = [chroot, f"--userspec={self.user}:{self.user}", str(self.root), "/bin/sh", "-c", step]
        with log.open("wb") if log else nullcontext() as output:
            return subprocess.Popen(inside, env=self.environment | more, stdout=output, stderr=output)


def instructions(text: str) -> list[tuple[str, str]]:
    """The Dockerfile's lines as (instruction, rest); comments fall, continued lines are joined."""
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text)).splitlines()
    pairs = [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines if line.strip()]
    unknown = {name for name, _ in pairs} - INSTRUCTIONS
    if unknown:
        raise SystemExit(f"This script does not know {', '.join(sorted(unknown))}.")
    return pairs


def base(folder: Path) -> Path:
    """Debian with its Python, made once and copied for each stage."""
    made = folder / "base"
    if not (made / "made").exists():
        shutil.rmtree(made, ignore_errors=True)
        include = f"--include={BASE_PACKAGES}"
        subprocess.run(["debootstrap", "--variant=minbase", include, "trixie", str(made)], check=True)
        for name in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
            if Path("/", name).exists():
                shutil.copy(Path("/", name), made / name)
        (made / "made").touch()
    return made


def context(folder: Path) -> Path:
    """What `docker build` would send: what git has, without what .dockerignore leaves out."""
    sent = folder / "context"
    shutil.rmtree(sent, ignore_errors=True)
    wanted = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, stdout=-1, text=True
    )
    for name in listed.stdout.splitlines():
        if name.split("/")[0] in wanted and (ROOT / name).is_file():
            (sent / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, sent / name)
    return sent


def copy(stage: Stage, stages: dict[str, Stage], sent: Path, rest: str) -> None:
    """COPY with Docker's rule: of a folder its content is copied."""
    words = rest.split()
    origin = sent
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    place = stage.root / os.path.join(stage.workdir, target).lstrip("/")  # noqa: PTH118 - an absolute target wins
    for name in sources:
        source = origin / name.lstrip("/")
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True) if target.endswith("/") else None
            shutil.copy2(source, place)


def begin(folder: Path, rest: str) -> Stage:
    """FROM: a fresh copy of the base."""
    image, _, name = rest.partition(" AS ")
    if image != BASE:
        raise SystemExit(f"Only {BASE} is stood in for here.")
    stage = Stage(name or "final", folder / (name or "final"))
    subprocess.run(["rm", "-rf", str(stage.root)], check=True)
    subprocess.run(["cp", "-a", str(base(folder)), str(stage.root)], check=True)
    return stage


def carry_out(stage: Stage, rest: str) -> None:
    """RUN: by the stage's own shell."""
    began = time.monotonic()
    handed = {key: os.environ[key] for key in HANDED_IN if key in os.environ}
    if stage.run(["/bin/sh", "-c", rest], {"HOME": "/root", **handed}).wait() != 0:
        raise SystemExit(f"Failed: RUN {rest}")
    print(f"  {time.monotonic() - began:.1f} s", flush=True)


def describe(stage: Stage, name: str, rest: str) -> None:
    """What is only noted for later lines and for the start."""
    match name:
        case "WORKDIR":
            stage.workdir = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENV":
            for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', rest):
                stage.environment[key] = value.strip('"').replace("$PATH", stage.environment["PATH"])
        case "USER":
            stage.user = rest
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition(" CMD ")[2])
        case "CMD":
            stage.command = json.loads(rest)
        case _:
            """VOLUME, EXPOSE and STOPSIGNAL change nothing here."""


def build(folder: Path) -> Stage:
    """Every line in order; the last stage is what would run."""
    stages: dict[str, Stage] = {}
    sent = context(folder)
    stage = Stage("", folder)
    for name, rest in instructions((ROOT / "Dockerfile").read_text("utf-8")):
        print(f"{name} {rest}", flush=True)
        if name == "FROM":
            stage = begin(folder, rest)
            stages[stage.name] = stage
        elif name == "COPY":
            copy(stage, stages, sent, rest)
        elif name == "RUN":
            carry_out(stage, rest)
        else:
            describe(stage, name, rest)
    return stage


def main(arguments: list[str]) -> int:
    """Build, start with made-up secrets, ask the health check, stop as Docker would."""
    if len(arguments) != 1 or os.geteuid() != 0:
        print("Usage, as root: python3 deploy/try_image.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stage = build(folder)
    settings = {
        "PORT": os.environ.get("PORT", "8765"),
        "PUBLIC_URL": "https://pulse.example.com",
        "JWT_SECRET": "made-up-for-this-trial-and-long-enough",
        "API_KEY_PEPPER": "also-made-up-for-this-trial-and-long-enough",
        "ENCRYPTION_KEYS": "made-up-as-well-for-this-trial-and-long-enough",
        "HOME": "/data",
    }
    process = stage.run(stage.command, settings)
    healthy = False
    began = time.monotonic()
    while not healthy and process.poll() is None and time.monotonic() - began < 30:
        time.sleep(0.5)
        healthy = stage.run(stage.health, settings, log=Path(os.devnull)).wait() == 0
    print(f"HEALTHCHECK {'passed' if healthy else 'failed'} after {time.monotonic() - began:.1f} s", flush=True)
    process.terminate()
    began = time.monotonic()
    print(f"Ended with status {process.wait(30)} after {time.monotonic() - began:.1f} s")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
