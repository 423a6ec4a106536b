"""Hashing and checking passwords and API secrets with bcrypt, in threads of their own and never too many at once."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import bcrypt

from pulse_dash.core.errors import FieldError, Unavailable
from pulse_dash.core.names import has_controls

T = TypeVar("T")

PASSWORD_LENGTH = range(10, 129)

_PASSWORD_COST = 12
_SECRET_COST = 4
_THREADS = 2
_WAITING = 64
# A secret takes a thousandth of a password's time, and after a restart every key of the house is looked up at once.
_SECRETS_WAITING = 4_096


def password_errors(password: str) -> list[FieldError]:
    """Why this cannot be a password, if it cannot."""
    if len(password) not in PASSWORD_LENGTH:
        return [FieldError("password", "Must be 10 to 128 characters.")]
    if has_controls(password):
        return [FieldError("password", "Must not hold control characters.")]
    if password.lower() in _common():
        return [FieldError("password", "Is one of the most common passwords. Choose another; a sentence is fine.")]
    return []


@cache
def _common() -> frozenset[str]:
    """Those of the 30,000 most common that are long enough to be taken otherwise."""
    # It costs megabytes while it is imported, and is needed at the first sign-up alone.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) in PASSWORD_LENGTH)


class Passwords:
    """bcrypt off the event loop; more than `_WAITING` callers at once are turned away, so a flood stays bounded."""

    def __init__(self, password_cost: int = _PASSWORD_COST) -> None:
        self._cost = password_cost
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bcrypt")
        self._waiting = 0
        # Checked when an address is unknown, so that the answer takes as long as for a known one.
        self._nobody: bytes | None = None

    async def hash(self, password: str) -> str:
        """A hash of the password, of whatever length it is (bcrypt alone stops at 72 bytes)."""
        hashed = await self._run(lambda: bcrypt.hashpw(_any_length(password), bcrypt.gensalt(self._cost)))
        return hashed.decode()

    async def check(self, password: str, hashed: str | None) -> bool:
        """Whether it is that password; None as hash takes just as long and is never right."""
        if hashed is None:
            if self._nobody is None:
                self._nobody = (await self.hash("nobody's password")).encode()
            nobody = self._nobody
            await self._run(lambda: bcrypt.checkpw(_any_length(password), nobody))
            return False
        return await self._run(lambda: bcrypt.checkpw(_any_length(password), hashed.encode()))

    async def hash_secret(self, peppered: bytes) -> str:
        """A hash of 32 peppered bytes in base64: 238 random bits need no slow hash."""
        return (await self._run(lambda: bcrypt.hashpw(peppered, bcrypt.gensalt(_SECRET_COST)))).decode()

    async def check_secret(self, peppered: bytes, hashed: str) -> bool:
        """Whether it is that secret."""
        return await self._run(lambda: bcrypt.checkpw(peppered, hashed.encode()), most=_SECRETS_WAITING)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[[], T], *, most: int = _WAITING) -> T:
        if self._waiting >= most:
            raise Unavailable("sign-in", "Too many sign-ins at once. Try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._waiting -= 1


def _any_length(password: str) -> bytes:
    return b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
