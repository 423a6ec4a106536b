"""The bench of starting, small: it starts Pulse, restarts it, and every key still opens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_every_figure() -> None:
    command = [sys.executable, "-m", "bench.starting", "--keys", "3", "--starts", "1", "--api-only"]

    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)

    assert run.returncode == 0, run.stderr
    assert [line.partition("  ")[0] for line in run.stdout.splitlines()] == [
        "warm start to the first token",
        "3 keys after a restart, verified",
        "idle, all processes (PSS)",
    ]
