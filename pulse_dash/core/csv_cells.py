"""Text on its way into a spreadsheet: what one would run as a formula is written as the text that it is."""

from __future__ import annotations

import re

# After blanks of any kind; the full-width forms count in some of them.
_RUNS = re.compile("^\\s*[=+\\-@\u2212\uff0b\uff0d\uff1d\uff20\t\r\n]")


def cell(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text and _RUNS.match(text) else text
