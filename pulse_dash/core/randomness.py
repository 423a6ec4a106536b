"""The one source of random bytes for ids. Keys and secrets take theirs from `secrets`, each by itself."""

from __future__ import annotations

import os

_DRAWN_AT_ONCE = 4096


class Randomness:
    """The system's random bytes, drawn many at a time: a call into the kernel costs more than all the rest of an id."""

    def __init__(self) -> None:
        self._drawn = b""
        self._used = 0

    def bytes(self, count: int) -> bytes:
        """So many bytes that were never given before."""
        if self._used + count > len(self._drawn):
            self._drawn, self._used = os.urandom(max(_DRAWN_AT_ONCE, count)), 0
        given = self._drawn[self._used : self._used + count]
        self._used += count
        return given
