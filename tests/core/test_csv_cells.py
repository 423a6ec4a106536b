"""What a spreadsheet would run is written as text."""

from __future__ import annotations

import pytest

from pulse_dash.core.csv_cells import cell
from tests.hostile import NAMES

RUNS = (
    *("=1+1", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\n=1", "\r=1", "\tx"),
    *("\u3000＝1", "＋1", "－1", "＠x", "\u00a0-1", "\u2212 1"),
)


@pytest.mark.parametrize("text", RUNS)
def test_a_formula_is_written_as_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "x", "1", "a=1", "203.0.113.9", "x@example.com", "'=1", "{}"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_no_name_begins_what_runs(name: str) -> None:
    assert cell(name).lstrip()[:1] not in set("=+-@＝＋－＠−")
