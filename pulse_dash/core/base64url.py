"""Base64 for URLs without padding (RFC 4648, section 5; RFC 7515, section 2), as JWTs and our MACs are written."""

from __future__ import annotations

from pybase64 import b64encode


def encoded(data: bytes) -> bytes:
    """The letters."""
    return b64encode(data, b"-_").rstrip(b"=")
