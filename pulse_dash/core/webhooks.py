"""How a webhook is named, signed and spoken to, whatever it is told: as Standard Webhooks says (standardwebhooks.com).

What is sent, when, and what follows of a failure is told where it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from secrets import token_bytes
from types import MappingProxyType
from typing import Final

import httpx

from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.core.outbound import Outbound, Purpose

_PREFIX: Final = "whsec_"
_SECONDS: Final = 10.0
_NOT_HTTPS: Final = "Must begin with https://."


def random_secret() -> str:
    """256 random bits as Standard Webhooks writes a secret."""
    return f"{_PREFIX}{b64encode(token_bytes(32)).decode()}"


def refuse_plain(outbound: Outbound, url: str, *, field: str) -> None:
    """Raises Invalid where neither https leads there nor OUTBOUND_ALLOW names it."""
    if not url.startswith("https://") and not outbound.lists(Purpose.WEBHOOK, url):
        raise Invalid(FieldError(field, _NOT_HTTPS))


async def send(
    outbound: Outbound,
    url: str,
    body: bytes,
    *,
    secrets: Sequence[str],
    message_id: str,
    now: float,
    seconds: float = _SECONDS,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """The status that was answered; nothing else of the answer is read. The same message has the same id at each try.

    Each of the secrets signs it, so that one can follow another. Raises httpx.HTTPError, httpx.InvalidURL,
    OutboundRefused."""
    timestamp = int(now)
    all_headers = {
        **headers,
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, message_id, timestamp, body) for secret in secrets),
    }
    client = outbound.client(Purpose.WEBHOOK, seconds=seconds, most_bytes=0)
    try:
        async with client, client.stream("POST", url, content=body, headers=all_headers) as answer:
            return answer.status_code
    except UnicodeError as error:
        # A host that looks like an international one and is none: httpx reads it only now.
        raise httpx.InvalidURL(str(error)) from error


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
