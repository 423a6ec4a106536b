"""What somebody signed in with, in words. A browser says of itself what it likes, so this decides nothing."""

from __future__ import annotations

import re
from typing import Final

from pulse_dash.core.names import on_one_line

UNKNOWN: Final = "An unknown device"
_LONGEST: Final = 60

# The first that fits counts: nearly every browser also says the names of those that it wants to be taken for.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Headless Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_PROGRAM: Final = re.compile(r"[A-Za-z][\w.+-]*(?:/\d+(?:\.\d+)*)?")


def device_of(user_agent: str) -> str:
    """`Chrome on macOS` for a browser, `curl 8.5` for a program, and honest where neither is told."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or system or UNKNOWN
    program = _PROGRAM.match(on_one_line(user_agent).strip())
    return program[0].replace("/", " ")[:_LONGEST] if program else UNKNOWN
