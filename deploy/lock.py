"""Writes requirements.lock: what an empty environment holds after requirements-dev.txt was installed into it.

Knows only that file; deploy/bootstrap.py and the Dockerfile read it as pip's constraints.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Every package that requirements-dev.txt brings, pinned: used as constraints (pip install -c), so that installs repeat.
# Made by: make lock
"""


def main() -> int:
    """Install into a folder of its own, so that nothing of this machine gets into the list."""
    with tempfile.TemporaryDirectory(prefix="pulse-lock-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", "requirements-dev.txt"], check=True, cwd=ROOT)
        frozen = subprocess.run([*pip, "freeze"], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    (ROOT / "requirements.lock").write_text(HEAD + frozen, "utf-8")
    print(f"requirements.lock: {len(frozen.splitlines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
