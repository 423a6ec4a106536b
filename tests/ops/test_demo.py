"""`make demo`: a newcomer sees a Pulse with life in it, and nothing is left running after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.engines import Missing, livekit
from tests.engines.plugin import lacks
from tests.engines.process import free_port

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 240.0  # the first start builds the dashboard


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def demo(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    try:
        livekit()
    except Missing as missing:
        lacks(missing)
    environment = {**os.environ, "PORT": str(port), "PULSE_DEMO_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "deploy/demo.py"], cwd=ROOT, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ask(port: int, path: str, bearer: str = "", body: object = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def eventually(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + WITHIN
    while True:
        with suppress(OSError):
            if found := look():
                return found
        assert time.monotonic() < until
        time.sleep(0.3)


@pytest.mark.livekit
def test_the_demo_has_people_in_the_rooms_of_two_projects_and_ends_when_told(
    demo: subprocess.Popen[str], port: int
) -> None:
    credentials = {"email": "demo@example.com", "password": "a demo on this machine"}
    bearer = eventually(lambda: ask(port, "/v1/auth/login", body=credentials))["access_token"]
    projects = eventually(lambda: two(ask(port, "/v1/projects", bearer)["items"]))
    rooms = [f"/v1/media/rooms?project_id={project['id']}" for project in projects]
    rooms_with_people = eventually(
        lambda: sum(room["num_participants"] for at in rooms for room in ask(port, at, bearer)["items"])
    )
    os.killpg(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=20)

    assert rooms_with_people >= 1
    assert demo.returncode == 0
    assert credentials["password"] in output
    assert "Traceback" not in output


def two(projects: list[Any]) -> list[Any]:
    return projects if len(projects) == 2 else []
