"""The ciphers of people in the audit log: a key for each, which is itself sealed by ENCRYPTION_KEYS."""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pulse_dash.core.errors import Unavailable
from pulse_dash.core.vault import Sealing, Unreadable

_NONCE = 12
_STANDARD = bytes.maketrans(b"-_", b"+/")


class PersonCiphers:
    """AES-256-GCM under a person's key. A key that was unsealed is remembered for a while, found by its sealed form
    alone: whose document is gone is found no more."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._opened = lru_cache(maxsize=1_000)(self._unsealed)

    def __repr__(self) -> str:
        return "PersonCiphers(…)"

    def fresh(self) -> bytes:
        """A new key, sealed, to be kept."""
        return self._sealing.sealed(secrets.token_bytes(32))

    def seal(self, key: bytes, text: bytes, beside: str) -> str:
        """The text under that key, bound to what it stands beside. Raises Unavailable."""
        nonce = secrets.token_bytes(_NONCE)
        return urlsafe_b64encode(nonce + self._opened(key).encrypt(nonce, text, beside.encode())).decode()

    def open(self, key: bytes, sealed: str, beside: str) -> bytes | None:
        """The text again; None where it is not of this key and place."""
        try:
            # The standard library's way takes five calls, and an export has one for each row.
            raw = binascii.a2b_base64(sealed.encode().translate(_STANDARD))
            return self._opened(key).decrypt(raw[:_NONCE], raw[_NONCE:], beside.encode())
        except (InvalidTag, ValueError, Unavailable):
            return None

    def _unsealed(self, key: bytes) -> AESGCM:
        try:
            return AESGCM(self._sealing.opened(key))
        except Unreadable as error:
            raise Unavailable(
                "audit", "A person's key was sealed with one that is not among ENCRYPTION_KEYS."
            ) from error
