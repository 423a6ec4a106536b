"""The house that the seam's tests visit; it compiles nothing and writes outside of the checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.seam_house import House, an_open_house


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[House]:
    monkeypatch.setenv("__REFLEX_SKIP_COMPILE", "1")
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path / "web"))
    with an_open_house() as opened:
        yield opened
