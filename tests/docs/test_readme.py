"""The README's lines, typed one after the other against a running Pulse and a real LiveKit."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.engines.livekit import LiveKit
from tests.served import Served

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
_WITHIN = 60


def _blocks() -> list[str]:
    """The shell blocks after the first, which starts Pulse and LiveKit; here they run already."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert "make run" in blocks[0]
    return blocks[1:]


def _script(pulse: Served) -> str:
    """The lines as they stand, with this Pulse's port and an address that is used once."""
    script = "\n".join(_blocks())
    return script.replace("http://localhost:8000", f"http://127.0.0.1:{pulse.port}").replace(
        "ada@example.com", f"readme{pulse.port}@example.com"
    )


@asynccontextmanager
async def _typed(script: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The script in a shell of its own, ended with all that it started."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-e", "-c", script,
        cwd=folder, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _as_after_an_install(folder: Path) -> None:
    """The folder in which a reader stands: the examples, the environment of `make run`, and npm's package."""
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    (folder / ".venv").symlink_to(sys.prefix)


async def _install(folder: Path) -> None:
    named = re.search(r"`npm (install --no-save \S+)`", README)
    assert named is not None
    npm = await asyncio.create_subprocess_exec("npm", *named[1].split(), cwd=folder)
    async with asyncio.timeout(_WITHIN):
        assert await npm.wait() == 0


async def test_the_readmes_lines_bring_two_clients_into_one_room_and_they_hear_each_other(
    pulse: Served, livekit_server: LiveKit, tmp_path: Path
) -> None:
    _as_after_an_install(tmp_path)
    await _install(tmp_path)
    wanted = {"ada says hello from Python", "bob says hello from JavaScript"}
    heard: list[str] = []

    async with _typed(_script(pulse), tmp_path) as typed, asyncio.timeout(_WITHIN):
        assert typed.stdout is not None
        while not wanted <= set(heard):
            line = (await typed.stdout.readline()).decode()
            if not line:
                break
            heard.append(line.strip())

    assert wanted <= set(heard), "\n".join(heard)


def test_the_readmes_python_client_comes_with_pulse() -> None:
    assert re.search(r"^livekit==[\d.]+$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", ["run", "livekit", "test", "demo", "help", "engines"])
def test_every_command_that_the_readme_names_is_one_of_the_makefile(command: str) -> None:
    assert f"make {command}" in README
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
