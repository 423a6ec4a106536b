"""The bench of the audit log, small: it checks every answer itself and prints a figure for each promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_every_figure() -> None:
    command = [sys.executable, "-m", "bench.audit", "--entries", "2400", "--few", "2000", "--organizations", "4"]

    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)

    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert len(figures) == 33
    assert all(isinstance(figure, float) for figure in figures.values())
