"""Addresses that tenants name: what each purpose takes, and the one sentence for what cannot be taken.

It reads addresses; finding out where a name leads, and connecting there and nowhere else, is told by the adapter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from pulse_dash.core.addresses import literal, special
from pulse_dash.core.errors import Conflict, FieldError, Invalid
from pulse_dash.core.names import has_controls

MOST_CHARACTERS = 2048
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class Purpose(StrEnum):
    """What an address is named for; each has schemes of its own."""

    WEBHOOK = "webhook"
    LIVEKIT = "livekit"
    STORAGE = "storage"
    RTMP = "rtmp"
    INGRESS = "ingress"


# The schemes that a purpose takes, and the port that each means when none is named.
SCHEMES: Mapping[Purpose, Mapping[str, int]] = {
    Purpose.WEBHOOK: {"https": 443, "http": 80},
    Purpose.LIVEKIT: {"wss": 443, "ws": 80, "https": 443, "http": 80},
    Purpose.STORAGE: {"https": 443, "http": 80},
    Purpose.RTMP: {"rtmps": 443, "rtmp": 1935},
    Purpose.INGRESS: {"https": 443, "http": 80, "rtmps": 443, "rtmp": 1935, "srt": 9000},
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of OUTBOUND_ALLOW: an address that tenants may name although it is private."""

    purpose: Purpose
    host: str
    port: int


def allowed_from(text: str) -> Allowed:
    """One entry of OUTBOUND_ALLOW as it is written: `purpose=host:port`. Raises ValueError."""
    purpose, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    if purpose not in set(Purpose) or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"each is purpose=host:port, with a purpose of {', '.join(Purpose)}")
    return Allowed(Purpose(purpose), host.lower().strip("[]"), int(port))


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads, as far as it says so itself."""

    purpose: Purpose
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port alone, as a browser's policy names them."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class OutboundRefused(Conflict):
    """An address that was named leads, by now, where Pulse does not go; found when connecting."""

    code = "address_refused"


class Outbound(Protocol):
    """The one way out to addresses that tenants name."""

    async def check(self, purpose: Purpose, url: str, *, field: str) -> None:
        """Raises Invalid, naming the field, for what can't be taken: at the moment it is named."""
        ...

    def check_form(self, purpose: Purpose, url: str, *, field: str) -> None:
        """The same as far as the address itself tells, without asking a name server."""
        ...

    def lists(self, purpose: Purpose, url: str) -> bool:
        """Whether OUTBOUND_ALLOW names this address for this purpose."""
        ...

    def client(self, purpose: Purpose, *, seconds: float = 10.0, most_bytes: int = 1024 * 1024) -> httpx.AsyncClient:
        """A client that looks where each connection leads, follows nothing and reads no more than so much.

        Raises OutboundRefused, or httpx's own errors."""
        ...


def target_of(purpose: Purpose, url: str) -> Target | str:
    """Where the address leads, or the sentence that says why it can't be taken."""
    if has_controls(url) or len(url) > MOST_CHARACTERS or " " in url or "\\" in url:
        return f"Must be an address of at most {MOST_CHARACTERS} characters, without blanks."
    schemes = SCHEMES[purpose]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "Is no address that can be read."
    if parts.scheme not in schemes:
        return f"Must begin with {_any_of(schemes)}."
    if not host:
        return "Must name a host."
    if parts.username is not None or parts.password is not None:
        return "Must not hold a name or password; a key or a header is the place for them."
    host = host.rstrip(".")
    if port == 0:
        return "Must not name the port 0."
    if ":" in host:
        if "%" in host or not literal(host):
            return "Is no address that can be read."
    else:
        try:
            host = host if host.isascii() else host.encode("idna").decode()
        except UnicodeError:
            host = ""
        if not _HOST.fullmatch(host):
            return "Must name a host as DNS writes it."
    return Target(purpose, parts.scheme, host, port or schemes[parts.scheme])


def refusal(target: Target, addresses: list[str], allowed: frozenset[Allowed]) -> str | None:
    """Why Pulse does not connect there; None when it does. One special address among several refuses them all."""
    if Allowed(target.purpose, target.host, target.port) in allowed:
        return None
    for address in addresses:
        if (what := special(address)) is not None:
            return f"Leads to {address}, which is {what}. Only addresses of the public internet can be used."
    return None


def refused_field(field: str, sentence: str) -> Invalid:
    """The refusal of an address at the moment it is named."""
    return Invalid(FieldError(field, sentence))


def _any_of(schemes: Mapping[str, int]) -> str:
    *others, last = (f"{scheme}://" for scheme in schemes)
    return f"{', '.join(others)} or {last}" if others else last
