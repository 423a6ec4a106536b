"""Text in a CSV file: what a spreadsheet would run is words, and what was written is read back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core.csv_text import line


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\r", "\nx", "＝1", "－1", "\u3000＠x"]
)
def test_no_text_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(line([text]), newline=""))

    assert row == [f"'{text}"]


@pytest.mark.parametrize("text", ["plan;=1+1;x", "a;b; +1", ";@SUM(A1)", "x;\u3000＝1"])
def test_no_text_is_a_formula_where_semicolons_part_cells(text: str) -> None:
    cells = line([text]).strip().strip('"').split(";")

    assert len(cells) == text.count(";") + 1
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "＝")) for cell in cells)


def test_numbers_times_and_nothing_are_written_as_such() -> None:
    written = line([-3, None, True, datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)])

    assert written == "-3,,yes,2026-01-02T03:04:05.678Z\r\n"


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=2))
def test_what_was_written_is_read_back_as_one_line(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(line(cells), newline=""))

    assert [read.replace("'", "") for read in row] == [cell.replace("'", "") for cell in cells]
