"""The one way in which text of tenants goes into a CSV file: quoted, and never as a formula of whoever opens it."""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final

from pulse_dash.core.clock import in_utc

Cell = str | int | bool | datetime | None

# What spreadsheets take for the beginning of a formula, also after blanks, and controls that lead into another cell.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")

# Where a spreadsheet takes semicolons for the ends of cells, what follows one begins a cell too.
_INSIDE = re.compile(r"(;\s*)([=+\-@＝＋－＠])")

# What begins no formula in front, as of most texts; whatever else is looked at closely.
_HARMLESS = frozenset({"", *string.ascii_letters, *string.digits, "{", "_", "/"})

_SHORT: Final = 256


def line(cells: Iterable[Cell]) -> str:
    """One line, ended as RFC 4180 has it."""
    return lines([cells])


def lines(rows: Iterable[Iterable[Cell]]) -> str:
    """A line for each."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [
            cell
            if (type(cell) is str and cell[:1] in _HARMLESS and ";" not in cell) or cell is None or type(cell) is int
            else _text(cell)
            for cell in cells
        ]
        for cells in rows
    )
    return written.getvalue()


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return _repeated(cell) if len(cell) <= _SHORT else _neutral(cell)
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return str(cell)
        case datetime():
            return in_utc(cell)


def _neutral(cell: str) -> str:
    cell = _INSIDE.sub(r"\1'\2", cell)
    return f"'{cell}" if _FORMULA.match(cell) else cell


# Browsers tell their names with semicolons, and the same ones in row after row.
_repeated = lru_cache(maxsize=1_024)(_neutral)
