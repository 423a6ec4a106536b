"""What people signed in with, in words that are true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core.devices import UNKNOWN, device_of
from tests.people import HOSTILE

_MOZILLA = "Mozilla/5.0"
SAID = {
    f"{_MOZILLA} (Macintosh; Mac OS X 10) AppleWebKit/537.36 Chrome/126.0 Safari/537.36": ("Chrome on macOS"),
    f"{_MOZILLA} (Macintosh; Mac OS X 14) AppleWebKit/605 Version/17.5 Safari/605": ("Safari on macOS"),
    f"{_MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0": (
        "Edge on Windows"
    ),
    f"{_MOZILLA} (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": "Firefox on Linux",
    f"{_MOZILLA} (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36": (
        "Chrome on Android"
    ),
    f"{_MOZILLA} (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Version/17.5 Mobile/15E Safari/604.1": (
        "Safari on iPhone"
    ),
    f"{_MOZILLA} (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605 CriOS/126.0 Mobile/15E Safari/604.1": (
        "Chrome on iPad"
    ),
    f"{_MOZILLA} (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36": "Chrome on ChromeOS",
    "curl/8.5.0": "curl 8.5.0",
    "python-httpx/0.27.0": "python-httpx 0.27.0",
    "": UNKNOWN,
    "  ": UNKNOWN,
    "\x00\x1b[31m": UNKNOWN,
    "💥": UNKNOWN,
}


@pytest.mark.parametrize("user_agent", SAID)
def test_a_device_is_named_as_people_name_it(user_agent: str) -> None:
    assert device_of(user_agent) == SAID[user_agent]


@given(st.text() | st.just(HOSTILE))
def test_whatever_is_sent_the_words_are_few_and_on_one_line(user_agent: str) -> None:
    words = device_of(user_agent)

    assert 0 < len(words) <= 60
    assert words.isprintable()
    assert "<" not in words
