"""A bucket as core knows it: where it is, whose keys open it, and what can be done in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pulse_dash.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of an S3 or R2, with both keys: without them no client is made."""

    name: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: Secret


class Storage(Protocol):
    """Small objects in one bucket. Each raises Unavailable with words that say what to do; `read` also NotFound."""

    async def write(self, key: str, body: bytes) -> None: ...

    async def read(self, key: str) -> bytes: ...

    async def delete(self, key: str) -> None: ...
