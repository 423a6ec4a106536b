"""Makes the checkout's `.venv` what the pinned requirements say, then runs a command in it.

Knows virtual environments, interruption and two makes at once; needs nothing but Python itself.
What is run afterwards (`python -m pulse_dash …`, pytest) is not its business.

    python3 deploy/bootstrap.py [--dev] [--] [arguments for the environment's python …]
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
MARK = VENV / "pulse-install.json"
LOCK = ROOT / ".venv.lock"
OLDEST = (3, 11)
PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.14")
SETS = {"run": ("requirements.txt",), "dev": ("requirements.txt", "requirements-dev.txt")}
CONSTRAINTS = "requirements.lock"


class Refused(Exception):
    """The environment cannot be made; the message is the whole sentence for the person at the terminal."""


def say(line: str) -> None:
    """One line of progress, at once also through a pipe."""
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    """Bring `.venv` up to date, then become the command; comes back only when there is none to become."""
    wanted = "run"
    if arguments and arguments[0] == "--dev":
        wanted, arguments = "dev", arguments[1:]
    if arguments and arguments[0] == "--":
        arguments = arguments[1:]
    try:
        if sys.version_info < OLDEST:
            become_a_newer_python()
        ensure(wanted)
    except Refused as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The next make goes on from here.")
        return 130
    if arguments:
        os.chdir(ROOT)
        os.execve(VENV_PYTHON, [str(VENV_PYTHON), *arguments], environment())
    return 0


def environment() -> dict[str, str]:
    """As after `activate`: the environment's own programs (node among them) come first."""
    path = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "VIRTUAL_ENV": str(VENV), "PATH": path}


def become_a_newer_python() -> NoReturn:
    """Go on under a Python that is new enough, when this machine has one beside the default."""
    for name in PYTHONS:
        found = shutil.which(name)
        if found and not runs(found, "-c", "import sys; assert sys.version_info >= (3, 11)"):
            continue
        if found:
            os.execv(found, [found, *sys.argv])
    this = sys.version.split()[0]
    raise Refused(f"Pulse needs Python 3.11 or newer; this is {this} and no newer one is on the PATH.")


def ensure(wanted: str) -> None:
    """The warm path reads two small files; only when they disagree is the lock taken and pip run."""
    if state() is not None and is_current(wanted):
        return
    with LOCK.open("a") as lock:
        take(lock)
        if is_current(wanted):  # the make before us did it while we waited
            return
        make_environment(lock, fresh=must_start_over())
        install(lock, wanted)


def take(lock: IO[str]) -> None:
    """One installation at a time in one checkout; the others wait and say so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another make is installing in this checkout; waiting for it …")
        fcntl.flock(lock, fcntl.LOCK_EX)


def digest(wanted: str) -> str:
    """Changes whenever what is asked for changes."""
    sha = hashlib.sha256()
    for name in (*SETS[wanted], CONSTRAINTS):
        file = ROOT / name
        sha.update(name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b"") + b"\0")
    return sha.hexdigest()


def state() -> dict[str, str] | None:
    """What the mark in `.venv` says, or None when there is none that can be read."""
    try:
        mark = json.loads(MARK.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) else None


def mark_as(**facts: str) -> None:
    """Written aside and renamed, so that an interruption leaves the old mark or the new one, never half of one."""
    aside = MARK.with_suffix(".new")
    aside.write_text(json.dumps({"at": str(VENV), **facts}), "utf-8")
    aside.replace(MARK)


def is_current(wanted: str) -> bool:
    """True when the mark names exactly these requirements, this folder, and a Python that is still there."""
    mark = state() or {}
    return mark.get(wanted) == digest(wanted) and mark.get("at") == str(VENV) and VENV_PYTHON.exists()


def must_start_over() -> bool:
    """A folder that moved, lost its Python or was left in the middle of an installation is not mended but made anew.

    The mark is the first thing written into the folder: a `.venv` without one is somebody's own and stays untouched.
    """
    if not VENV.exists():
        return True
    mark = state()
    if mark is None:
        raise Refused(f"{VENV} was not made by this Makefile. Move it away, then try again.")
    return mark.get("state") != "whole" or mark.get("at") != str(VENV) or not VENV_PYTHON.exists()


def make_environment(lock: IO[str], *, fresh: bool) -> None:
    """An empty environment with pip, in a folder that says from its first moment whose it is."""
    if not fresh:
        return
    for module in ("venv", "ensurepip"):
        if not runs(sys.executable, "-c", f"import {module}"):
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise Refused(
                f"This Python ({sys.executable}) comes without its {module} module. "
                f"On Debian and Ubuntu: apt install python{version}-venv"
            )
    say(f"Making .venv with Python {sys.version.split()[0]} …")
    if VENV.exists():
        # Renamed first: a removal that is interrupted must not leave half a folder under the name that counts.
        old = ROOT / ".venv.old"
        shutil.rmtree(old, ignore_errors=True)
        VENV.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    new = ROOT / ".venv.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / MARK.name).write_text(json.dumps({"at": str(VENV), "state": "installing"}), "utf-8")
    new.rename(VENV)
    call([sys.executable, "-m", "venv", str(VENV)], lock, "Making the environment failed.")


def install(lock: IO[str], wanted: str) -> None:
    """pip, with one line of progress; the mark turns `whole` only after it ended well."""
    mark_as(state="installing")
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "-r", SETS[wanted][-1]]
    if (ROOT / CONSTRAINTS).is_file():
        command += ["-c", CONSTRAINTS]
    say(f"Installing {' and '.join(SETS[wanted])} (the first time takes a minute or two) …")
    call(command, lock, "pip could not install the requirements. Its last words are above; run make again to retry.")
    say("Installed.")
    # Who has the development set has the other one too.
    mark_as(state="whole", **{name: digest(name) for name in SETS if wanted in ("dev", name)})


def call(command: list[str], lock: IO[str], failure: str) -> None:
    """Run quietly, count what is collected, and show the end of the output only when it went wrong.

    The child holds the lock too: were this process killed, the next make would wait until the orphan is done.
    """
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        pass_fds=[lock.fileno()],
    ) as child:  # fmt: skip
        lines: list[str] = []
        collected = 0
        for line in child.stdout or ():
            lines.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                collected += 1
                if collected % 20 == 0:
                    say(f"  {collected} packages looked at")
            elif line.startswith("Installing collected packages"):
                say(f"  unpacking {line.count(',') + 1} packages")
    if child.returncode != 0:
        print("\n".join(lines[-15:]), file=sys.stderr)
        raise Refused(failure)


def runs(*command: str) -> bool:
    """Whether a small program ends well."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
