"""What is logged is kept for the test to look at, and stays out of its output."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Every log line of the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines
