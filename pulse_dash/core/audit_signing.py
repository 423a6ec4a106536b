"""The key that signs where the audit log's chains stand (Ed25519), which the database alone does not give away.

It comes from AUDIT_SIGNING_KEY; without that setting the first node makes one and keeps it sealed by ENCRYPTION_KEYS.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pulse_dash.core.errors import Unavailable
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Unreadable, Vault
from pulse_dash.store.audit_chain import Head


class PublicKeys:
    """What others verify with: whether one of these keys, in hexadecimal, signed something."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = frozenset(keys)

    def good(self, key: str, signature: str, message: bytes) -> bool:
        """Whether it was this key and it is one of these."""
        if key not in self._keys:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def signed(self, head: Head) -> bool:
        """Whether one of them signed where a chain stands."""
        return self.good(head.key, head.signature, head.message)


class AuditSigning:
    """The first key signs, all verify."""

    def __init__(self, vault: Vault, keys: Sequence[Secret]) -> None:
        self._vault = vault
        self._keys = [_derived(key.reveal().encode()) for key in keys]

    def __repr__(self) -> str:
        return "AuditSigning(…)"

    @property
    def ready(self) -> bool:
        """Whether there is a key to sign with."""
        return bool(self._keys)

    @property
    def public_keys(self) -> tuple[str, ...]:
        """What others verify with, in hexadecimal; the first is the one that signs."""
        return tuple(_public(key) for key in self._keys)

    def fresh(self) -> bytes:
        """A new key, sealed, to be kept."""
        return self._vault.sealed(secrets.token_bytes(32))

    def use(self, sealed: bytes) -> None:
        """Sign with the key that was kept. Raises Unavailable."""
        try:
            self._keys = [_derived(self._vault.opened(sealed))]
        except Unreadable as error:
            raise Unavailable(
                "audit", "The key that signs the audit log was sealed with one that is not among ENCRYPTION_KEYS."
            ) from error

    def sign(self, message: bytes) -> tuple[str, str]:
        """Which key signed, and the signature, both in hexadecimal."""
        return _public(self._keys[0]), self._keys[0].sign(message).hex()

    def good(self, key: str, signature: str, message: bytes) -> bool:
        """Whether one of our keys signed that."""
        return PublicKeys(self.public_keys).good(key, signature, message)


def _derived(secret: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"pulse audit signing").derive(secret)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
