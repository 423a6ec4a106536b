"""Where the raw results of a bench are kept, with the machine they came from: `bench/raw/NAME-TIME.json`."""

from __future__ import annotations

import json
import os
import platform
import sysconfig
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "raw"


def keep(name: str, figures: dict[str, Any]) -> None:
    """Write what a bench measured, beside what it measured before."""
    FOLDER.mkdir(exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        # A Python that was built without optimizations is slower by a tenth to a third.
        "built": sysconfig.get_config_var("CONFIG_ARGS"),
        "load": os.getloadavg(),
    }
    now = datetime.now(UTC)
    whole = {"at": now.isoformat(timespec="seconds"), "machine": machine, **figures}
    (FOLDER / f"{name}-{now:%Y%m%dT%H%M%S}.json").write_text(json.dumps(whole, indent=1, default=_plain) + "\n")


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value)} is no result")
