"""The one way in which text of tenants goes into a CSV file: quoted, and never as a formula of whoever opens it."""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Iterable
from datetime import datetime

Cell = str | int | bool | datetime | None

# What spreadsheets take for the beginning of a formula, also after blanks, and controls that lead into another cell.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")

# Where a spreadsheet takes semicolons for the ends of cells, what follows one begins a cell too.
_INSIDE = re.compile(r"(;\s*)([=+\-@＝＋－＠])")

# A letter or a digit in front begins no formula, and most texts have one.
_HARMLESS = frozenset({"", *string.ascii_letters, *string.digits})


def line(cells: Iterable[Cell]) -> str:
    """One line, ended as RFC 4180 has it."""
    return lines([cells])


def lines(rows: Iterable[Iterable[Cell]]) -> str:
    """A line for each."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [cell if type(cell) is str and cell[:1] in _HARMLESS and ";" not in cell else _text(cell) for cell in cells]
        for cells in rows
    )
    return written.getvalue()


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        cell = _INSIDE.sub(r"\1'\2", cell)
        return f"'{cell}" if _FORMULA.match(cell) else cell
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return str(cell)
        case datetime():
            return cell.isoformat(timespec="seconds").replace("+00:00", "Z")
