"""How long properties are tried: briefly in CI, for as long as it takes with PULSE_SOAK=1."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("PULSE_SOAK"))


def examples(in_ci: int, soaking: int) -> int:
    """How many examples to try."""
    return soaking if SOAK else in_ci
