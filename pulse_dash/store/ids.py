"""Ids: a prefix that names the noun, then 26 letters that sort by the moment they were made.

It knows how an id is made and how one looks; which prefix belongs to what is told by the noun's module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

# Crockford's alphabet: no i, l, o or u, so that an id read aloud or typed is not mistaken.
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH: Final = 26
_RANDOM_BITS = 80
_LOWER_HALF = (1 << 40) - 1
_BODY = re.compile(f"[0-7][{ALPHABET}]{{{LENGTH - 1}}}")


# Two letters at a time: half the steps. The moment takes ten letters, whose first two bits are none, the rest sixteen.
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]


class _Clock(Protocol):
    def time(self) -> float: ...


class IdMaker:
    """Makes ids from the clock and the randomness it is given, so that a test can repeat them.

    Within one millisecond, and while the clock goes back, the random part of the last id is counted up by
    a random step: ids of one process always sort as they were made, and none can be guessed from another."""

    def __init__(self, clock: _Clock, token_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._token_bytes = token_bytes
        self._moment = -1
        # The letters of the moment and of the random part's upper half, which hardly ever change within a millisecond.
        self._letters = ""
        self._upper = self._lower = 0

    def make(self, prefix: str) -> str:
        moment = int(self._clock.time() * 1000 + 0.5)
        if moment > self._moment:
            self._begin(moment, int.from_bytes(self._token_bytes(_RANDOM_BITS // 8)))
        else:
            self._lower += 1 + int.from_bytes(self._token_bytes(4))
            if self._lower > _LOWER_HALF:
                self._carry()
        return f"{prefix}_{self._letters}{_letters(self._lower)}"

    def _begin(self, moment: int, random: int) -> None:
        self._moment, self._upper, self._lower = moment, random >> 40, random & _LOWER_HALF
        self._letters = _PAIRS[moment >> 40] + _letters(moment & _LOWER_HALF) + _letters(self._upper)

    def _carry(self) -> None:
        random = (self._upper << 40) + self._lower
        beyond = random >> _RANDOM_BITS
        self._begin(self._moment + beyond, random & (1 << _RANDOM_BITS) - 1)


def looks_like(prefix: str, text: object) -> bool:
    """Whether it could be an id of this kind; junk need not be looked for."""
    if not isinstance(text, str):
        return False
    head, _, body = text.partition("_")
    return head == prefix and _BODY.fullmatch(body) is not None


def moment_of(made: str) -> datetime:
    """When an id was made, in UTC. Raises ValueError for what is no id."""
    body = made.partition("_")[2]
    if _BODY.fullmatch(body) is None:
        raise ValueError("not an id")
    number = 0
    for letter in body:
        number = number << 5 | ALPHABET.index(letter)
    return datetime.fromtimestamp((number >> _RANDOM_BITS) / 1000, UTC)


def _letters(number: int) -> str:
    """Forty bits as eight letters."""
    return _PAIRS[number >> 30] + _PAIRS[number >> 20 & 1023] + _PAIRS[number >> 10 & 1023] + _PAIRS[number & 1023]
