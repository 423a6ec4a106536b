"""The bench of the store, small: it checks every answer itself and prints a figure for each promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_every_figure() -> None:
    command = [sys.executable, "-m", "bench.store", "--documents", "2000", "--due", "200", "--seconds", "0.2"]

    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)

    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert len(figures) == 13
    assert all(isinstance(figure, float) for figure in figures.values())
