"""What a process beside the node gets of the node's environment, in which there are secrets."""

from __future__ import annotations

import os
from typing import Final

_PASSED_ON: Final = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE", "COVERAGE_PROCESS_START"}
)


def child_environment() -> dict[str, str]:
    """All that Python needs to start, and none of our settings."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON}
