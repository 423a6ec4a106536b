"""`python -m pulse_dash run`, which is what `make run` becomes: it starts, says where, and ends when it is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.engines.process import free_port

ROOT = Path(__file__).resolve().parents[2]
OURS = (
    "PULSE_",
    "LIVEKIT_",
    "MONGO_",
    "R2_",
    "JWT_",
    "API_KEY_",
    "PUBLIC_URL",
    "PORT",
    "HOST",
    "SIGNUP",
    "REFLEX",
    "__",
)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """A start builds the dashboard when it must; what is tried here are the starts after that."""
    done = subprocess.run(
        [sys.executable, "-m", "pulse_dash.frontend", "build"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def port() -> int:
    return free_port()


def settings(port: int, folder: Path, **more: str) -> dict[str, str]:
    """Nothing of the developer's own settings, and a LiveKit that is certainly not there."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {
        **clean,
        "PORT": str(port),
        "PULSE_DATA_DIR": str(folder / "data"),
        "LIVEKIT_HOST": f"ws://127.0.0.1:{free_port()}",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "secret",
        **more,
    }


@contextmanager
def started(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pulse_dash", "run"], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until_ready(process: subprocess.Popen[str], port: int) -> None:
    while process.poll() is None:
        with (
            suppress(OSError, urllib.error.HTTPError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"It ended before it was ready:\n{process.communicate()[0]}")


def ended_by(process: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str]:
    os.killpg(process.pid, how)  # a terminal tells the whole group
    output, _ = process.communicate(timeout=300)  # a hang ends too
    return process.returncode, output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(port: int, tmp_path: Path, how: signal.Signals) -> None:
    with started(settings(port, tmp_path)) as process:
        until_ready(process, port)
        status, output = ended_by(process, how)

    assert status in {0, 128 + how}
    assert "Traceback" not in output


def test_an_end_in_the_middle_of_the_start_is_clean_too(port: int, tmp_path: Path) -> None:
    with started(settings(port, tmp_path)) as process:
        time.sleep(0.7)
        status, output = ended_by(process, signal.SIGINT)

    assert status in {0, 130, -signal.SIGINT}
    assert "Traceback" not in output


def test_it_says_where_to_go_where_the_data_is_and_how_to_get_livekit(port: int, tmp_path: Path) -> None:
    with started(settings(port, tmp_path)) as process:
        until_ready(process, port)
        _, output = ended_by(process, signal.SIGINT)

    assert f"http://localhost:{port}" in output
    assert f"embedded, in {tmp_path / 'data'}" in output
    assert "make livekit" in output


def test_a_port_that_is_taken_is_one_sentence(port: int, tmp_path: Path) -> None:
    with started(settings(port, tmp_path / "one")) as first:
        until_ready(first, port)
        with started(settings(port, tmp_path / "two")) as second:
            output, _ = second.communicate(timeout=30)

        assert second.returncode == 1
        assert f"Port {port} cannot be used" in output
        assert "Traceback" not in output


def test_a_second_process_on_the_same_data_is_refused_and_the_first_goes_on(port: int, tmp_path: Path) -> None:
    with started(settings(port, tmp_path)) as first:
        until_ready(first, port)
        with started(settings(free_port(), tmp_path)) as second:
            output, _ = second.communicate(timeout=30)

        assert second.returncode == 1
        assert "Traceback" not in output
        until_ready(first, port)


@pytest.mark.parametrize(
    "missing", ["PUBLIC_URL", "JWT_SECRET", "API_KEY_PEPPER", "ENCRYPTION_KEYS", "LIVEKIT_API_SECRET"]
)
def test_production_without_a_secret_is_one_line_that_names_it(port: int, tmp_path: Path, missing: str) -> None:
    good = {
        "PULSE_ENV": "production",
        "PUBLIC_URL": "https://pulse.example.com",
        "JWT_SECRET": "made-up-and-long-enough-for-a-test-of-the-start",
        "API_KEY_PEPPER": "another-made-up-and-long-enough-for-a-test",
        "ENCRYPTION_KEYS": "a-fourth-made-up-and-long-enough-for-a-test",
        "LIVEKIT_API_SECRET": "a-third-made-up-and-long-enough-for-a-test",
    }
    with started(settings(port, tmp_path, **{**good, missing: ""})) as process:
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert len(output.strip().splitlines()) == 1
    assert re.search(rf"\b{missing}\b", output)


def test_a_run_writes_its_data_for_its_owner_alone(port: int, tmp_path: Path) -> None:
    with started(settings(port, tmp_path)) as process:
        until_ready(process, port)
        files = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
        modes = {path.name: path.stat().st_mode & 0o077 for path in files}

    assert modes
    assert not any(modes.values()), modes
