"""Heads of requests that were answered in one step, so that the same bytes need no second reading.

Whoever calls an API sends the same head with nearly every request. What such a request gets is decided each time anew;
only the reading is spared.
"""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

_END: Final = b"\r\n\r\n"
# A head holds its caller's secret, what was read of it weighs ten times as much, and one with a number of its own never
# comes again: few are kept, small ones, and not for long.
MOST_KNOWN: Final = 1_000
LONGEST_KNOWN: Final = 1_024
MOST_HEADERS_KNOWN: Final = 32


class KnownHeads:
    """What was read of them, by their bytes."""

    def __init__(self) -> None:
        # Each with how long the body is that comes with it.
        self._known: dict[bytes, tuple[Scope, int]] = {}

    def recall(self, came: bytes) -> tuple[Scope, bytes] | None:
        """Scope and body of what came, where that is exactly one request with a known head."""
        length = _length_of_head(came)
        known = self._known.get(came[:length])
        if known is None or len(came) - length != known[1]:
            return None
        return known[0], came[length:]

    def learn(self, came: bytes, scope: Scope, body: bytes) -> None:
        """Keep the head of a request, where nothing else came before it or behind its body.

        Another body of this length behind this head is a whole request too, unless it comes in chunks."""
        length, names = _length_of_head(came), {name for name, _ in scope["headers"]}
        if not length or came[length:] != body or b"transfer-encoding" in names:
            return
        if len(scope["headers"]) > MOST_HEADERS_KNOWN:
            return
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[came[:length]] = scope, len(body)

    def forget(self) -> None:
        """Keep nothing of what was read until now."""
        self._known.clear()


def _length_of_head(came: bytes) -> int:
    """How long the head is, its end with it; 0 where that is not there or too far."""
    end = came.find(_END, 0, LONGEST_KNOWN)
    return 0 if end < 0 else end + len(_END)
