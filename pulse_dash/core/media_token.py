"""LiveKit's access tokens: JWTs signed with HS256 (RFC 7515, docs.livekit.io/home/get-started/authentication).

It signs and reads; who may have which grants is told by tokens. Signing is the hot path's core: HMAC and orjson alone.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Literal, cast

import orjson

from pulse_dash.core import base64url
from pulse_dash.core.keyed_hash import KeyedHash

Reason = Literal["malformed", "signature", "expired"]

_HEADER = base64url.encoded(orjson.dumps({"alg": "HS256", "typ": "JWT"})) + b"."
# Four texts of 16 KiB, each letter of which JSON may write with six, in base64: no token of ours is longer.
LONGEST_TOKEN = 1024 * 1024
_LATEST = 253_402_300_799  # the last second of the year 9999, the last that a datetime knows


class Signer:
    """Signs with one LiveKit secret."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes) -> None:
        self._keyed = KeyedHash(secret)

    def sign(self, claims: dict[str, Any]) -> str:
        """The compact JWT of these claims."""
        message = _HEADER + base64url.encoded(orjson.dumps(claims))
        return (message + b"." + base64url.encoded(self._keyed.over(message))).decode()

    def read(self, token: str, *, now: float) -> tuple[dict[str, Any], Reason | None]:
        """The claims, and why the token is no good (None when it is).

        The algorithm is ours, whatever the header asks for, and `kid` names no key: there is one."""
        parts = token.split(".")
        if len(parts) != 3 or len(token) > LONGEST_TOKEN or not token.isascii():
            return {}, "malformed"
        try:
            header, claims = _object(parts[0]), _object(parts[1])
            signature = _decoded(parts[2])
        except (ValueError, TypeError, Base64Error):
            return {}, "malformed"
        if header.get("alg") != "HS256" or "crit" in header:
            return {}, "signature"
        if not hmac.compare_digest(signature, self._keyed.over(f"{parts[0]}.{parts[1]}".encode())):
            return {}, "signature"
        if not _is_moment(claims.get("exp")):
            return {}, "malformed"
        return claims, "expired" if claims["exp"] <= now else None


def claims_of_a_check(api_key: str, room: str, identity: str, *, now: int) -> dict[str, Any]:
    """What a synthetic participant joins with for a minute: a room of no project, and data alone."""
    grant = {"room": room, "roomJoin": True, "canPublish": False, "canSubscribe": True, "canPublishData": True}
    return {"iss": api_key, "sub": f"pulse-{identity}", "nbf": now - 5, "exp": now + 60, "video": grant}


def _object(part: str) -> dict[str, Any]:
    value: Any = orjson.loads(_decoded(part))
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return cast("dict[str, Any]", value)


def _decoded(part: str) -> bytes:
    """Base64url in its one canonical form: a token that says the same in two ways would slip past a list of tokens."""
    decoded = b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64url.encoded(decoded).decode() != part:
        raise ValueError("not canonical")
    return decoded


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST
