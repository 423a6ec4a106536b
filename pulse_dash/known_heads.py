"""Heads of requests that were answered in one step, so that the same bytes need no second reading.

Whoever calls an API sends the same head with nearly every request. What such a request gets is decided each time anew;
only the reading is spared.
"""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

_END: Final = b"\r\n\r\n"
# A head holds its caller's secret, and one with a number of its own never comes again: few are kept, and not for long.
MOST_KNOWN: Final = 4_000
LONGEST_KNOWN: Final = 2_048


class KnownHeads:
    """What was read of them, by their bytes."""

    def __init__(self) -> None:
        # Each with how long the body is that comes with it.
        self._known: dict[bytes, tuple[Scope, int]] = {}

    def recall(self, came: bytes) -> tuple[Scope, bytes] | None:
        """Scope and body of what came, where that is exactly one request with a known head."""
        head, end, body = came.partition(_END)
        known = self._known.get(head)
        # A head alone, as long as its end is missing, is no request yet.
        if known is None or len(body) != known[1] or not end:
            return None
        return known[0], body

    def learn(self, came: bytes, scope: Scope, body: bytes) -> None:
        """Keep the head of a request, where nothing else came before it or behind its body.

        Another body of this length behind this head is a whole request too, unless it comes in chunks."""
        head, end, rest = came.partition(_END)
        if not end or rest != body or len(head) > LONGEST_KNOWN:
            return
        if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[head] = scope, len(body)

    def forget(self) -> None:
        """Keep nothing of what was read until now."""
        self._known.clear()
