"""How API keys and secrets are written: a prefix that scanners find, random base62, and a checksum.

It makes and checks the text; whose key it is, and whether it still opens anything, is told by keys.
"""

from __future__ import annotations

import secrets
import string
import zlib

KEY_PREFIX = "pulse_key_"
SECRET_PREFIX = "pulse_secret_"  # noqa: S105 - what every secret begins with
USER_PREFIX = "pulse_user_"
_HANDLE_LENGTH = 12
_KEY_LENGTH = 24
_SECRET_LENGTH = 40
_CHECKSUM_LENGTH = 6
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE62_SET = frozenset(_BASE62)


def new_key() -> str:
    """A fresh public key, `pulse_key_` and 30 characters."""
    return _new(KEY_PREFIX, _KEY_LENGTH)


def new_secret() -> str:
    """A fresh secret of 238 random bits, `pulse_secret_` and 46 characters."""
    return _new(SECRET_PREFIX, _SECRET_LENGTH)


def new_user_token() -> str:
    """A fresh personal token, `pulse_user_` and 58 characters: its handle, 238 random bits and the checksum."""
    return _new(USER_PREFIX, _HANDLE_LENGTH + _SECRET_LENGTH)


def is_user_token(text: str) -> bool:
    """Whether the text can be a personal token of ours."""
    return _is(text, USER_PREFIX, _HANDLE_LENGTH + _SECRET_LENGTH)


def handle_of(token: str) -> str:
    """What a personal token begins with: enough to find it and to tell it from others, far from enough to use it."""
    return token[: len(USER_PREFIX) + _HANDLE_LENGTH]


def is_key(text: str) -> bool:
    """Whether the text can be a key of ours; a typing mistake or junk never reaches the database."""
    return _is(text, KEY_PREFIX, _KEY_LENGTH)


def is_secret(text: str) -> bool:
    """Whether the text can be a secret of ours."""
    return _is(text, SECRET_PREFIX, _SECRET_LENGTH)


def _new(prefix: str, length: int) -> str:
    random = "".join(secrets.choice(_BASE62) for _ in range(length))
    return prefix + random + _checksum(random)


def _is(text: str, prefix: str, length: int) -> bool:
    body = text[len(prefix) :]
    if not text.startswith(prefix) or len(body) != length + _CHECKSUM_LENGTH or not _BASE62_SET.issuperset(body):
        return False
    return _checksum(body[:length]) == body[length:]


def _checksum(random: str) -> str:
    """CRC32 in base62, six digits, as secret scanners know it from GitHub's tokens."""
    value = zlib.crc32(random.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits
