"""Keys derived from the installation's secrets, one for each purpose, and the hashes and MACs made with them.

A token of one kind can't pass where another belongs, because each kind has a key of its own (HKDF, RFC 5869).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pulse_dash.core import base64url
from pulse_dash.core.keyed_hash import KeyedHash
from pulse_dash.core.secret import Secret


class Unreadable(Exception):
    """Something was encrypted with a key that is no longer among ours, or damaged."""


class Sealing:
    """Encrypts what Pulse must read again: the first key writes, all read."""

    def __init__(self, encryption_keys: Sequence[Secret]) -> None:
        self._ciphers = MultiFernet([_cipher(key) for key in encryption_keys])

    def __repr__(self) -> str:
        return "Sealing(…)"

    def sealed(self, text: bytes) -> bytes:
        """Encrypted with the first of the encryption keys."""
        return self._ciphers.encrypt(text)

    def opened(self, sealed: bytes) -> bytes:
        """What `sealed` was given, whichever of the keys wrote it. Raises Unreadable."""
        try:
            return self._ciphers.decrypt(sealed)
        except InvalidToken as error:
            raise Unreadable from error


class Vault(Sealing):
    """Holds the derived keys; nothing that it holds can be printed or pickled."""

    def __init__(self, jwt_secret: Secret, api_key_pepper: Secret, encryption_keys: Sequence[Secret]) -> None:
        super().__init__(encryption_keys)
        self._root = jwt_secret.reveal().encode()
        self._pepper = api_key_pepper.reveal().encode()
        self.access_key = self._derive("access token")
        self.challenge_key = self._derive("second factor challenge")
        self._session_key = self._derive("session secret")
        self._stamp = _Mac(self._derive("session stamp"))
        # Ties the parts of a `pulse` attribute together.
        self.participant_mac = _Mac(self._derive("participant attribute")).over
        self._request = _Mac(self._derive("repeated request"))
        self._link = _Mac(self._derive("mailed link"))
        self._livekit = _Mac(self._derive("own livekit"))
        self._recovery = _Mac(self._derive("recovery code"))

    def __repr__(self) -> str:
        return "Vault(…)"

    def _derive(self, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"pulse {purpose}".encode()).derive(self._root)

    def peppered(self, api_secret: str) -> bytes:
        """What bcrypt hashes of an API secret: base64 of its HMAC, so never over bcrypt's 72 bytes."""
        return b64encode(hmac.digest(self._pepper, api_secret.encode(), "sha256"))

    def session_hash(self, secret: str) -> str:
        """How a session's secret is kept: 256 random bits need no slow hash."""
        return hmac.digest(self._session_key, secret.encode(), "sha256").hex()

    def session_stamp(self, session_id: str, secret: str) -> str:
        """Shows that a session's secret was once ours to give, without looking anything up."""
        return self._stamp.over(session_id, secret)

    def request_mac(self, *parts: str) -> str:
        """Recognizes a request that was sent before without keeping what it said."""
        return self._request.over(*parts)

    def link_hash(self, kind: str, token: str) -> str:
        """How a mailed link is kept; one of another kind never has the same."""
        return self._link.over(kind, token)

    def recovery_hash(self, user_id: str, code: str) -> str:
        """How a recovery code is kept; the same code of another person has another."""
        return self._recovery.over(user_id, code)

    def livekit_mac(self, api_key: str, api_secret: str) -> str:
        """Recognizes a LiveKit's pair without keeping it."""
        return self._livekit.over(api_key, api_secret)


def _cipher(key: Secret) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"pulse encryption").derive(key.reveal().encode())
    return Fernet(urlsafe_b64encode(derived))


class _Mac:
    """A keyed hash over several texts."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = KeyedHash(key)

    def over(self, *parts: str) -> str:
        """128 bits over the parts, URL-safe. Their lengths keep parts from sliding into each other."""
        message = "".join([f"{len(part)}:{part}" for part in parts])
        return base64url.encoded(self._keyed.over(message.encode("utf-8", "surrogatepass"))[:16]).decode()


def random_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def random_letters(alphabet: str, count: int) -> str:
    """So many letters of an alphabet, each as likely as any other."""
    return "".join(secrets.choice(alphabet) for _ in range(count))


def same(one: str | bytes, other: str | bytes) -> bool:
    """Compare without telling by time where they differ."""
    one_bytes = one.encode("utf-8", "surrogatepass") if isinstance(one, str) else one
    other_bytes = other.encode("utf-8", "surrogatepass") if isinstance(other, str) else other
    return hmac.compare_digest(one_bytes, other_bytes)


def fingerprint(value: bytes) -> bytes:
    """BLAKE2s (RFC 7693), for comparing a verified secret from memory; nowhere else is it kept."""
    return hashlib.blake2s(value).digest()
