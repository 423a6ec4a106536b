"""The `pulse` attribute of a participant: which mint it came in with, tied to identity and room by a MAC.

LiveKit hands its own refreshed tokens to clients; they keep attributes and lose our claims, so this is what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pulse_dash.core.vault import Vault, same
from pulse_dash.store.ids import moment_of

PULSE_ATTRIBUTE = "pulse"


@dataclass(frozen=True, slots=True)
class Mint:
    """One token that Pulse made: under which id, with which key (or by which user), when, and until when it lasts."""

    id: str
    key_id: str
    at: datetime
    ends_at: datetime


def written(vault: Vault, mint_id: str, key_id: str, ends: int, identity: str, room: str) -> str:
    """The attribute's text, for one identity in one of LiveKit's rooms."""
    mac = vault.participant_mac(mint_id, key_id, str(ends), identity, room)
    return f"{mint_id}.{key_id}.{ends}.{mac}"


def mint_of(vault: Vault, attributes: Mapping[str, Any], identity: str, room: str) -> Mint | None:
    """The mint that the attributes tell of; None when they tell of none, or not of one for this identity and room."""
    text = attributes.get(PULSE_ATTRIBUTE)
    pieces = text.split(".") if isinstance(text, str) else []
    if len(pieces) != 4:
        return None
    mint_id, key_id, ends, mac = pieces
    if not same(mac, vault.participant_mac(mint_id, key_id, ends, identity, room)):
        return None
    return Mint(mint_id, key_id, moment_of(mint_id), datetime.fromtimestamp(int(ends), UTC))
