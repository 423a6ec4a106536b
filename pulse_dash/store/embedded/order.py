"""BSON's order of values as bytes: whoever compares two keys as bytes compares the values as MongoDB would.

It knows how one value is written and how a document's values make up the keys of an index; where keys lie is
told by tables. The scheme is that of MongoDB's KeyString and FoundationDB's tuples: a byte for the type, then a
payload in which no shorter value is the beginning of a longer one.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pulse_dash.core.errors import FieldError, Invalid
from pulse_dash.store.embedded.paths import MISSING, reached

# The types in BSON's order; the gaps leave room. 0 and 255 are never types, so they end what is open-ended.
NULL: Final = b"\x05"
NUMBER: Final = b"\x0a"
TEXT: Final = b"\x14"
OBJECT: Final = b"\x19"
ARRAY: Final = b"\x1e"
BINARY: Final = b"\x23"
BOOL: Final = b"\x28"
MOMENT: Final = b"\x2d"

_END: Final = b"\x00"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_INVERTED: Final = bytes(255 - byte for byte in range(256))


def ordered(value: Any) -> bytes:
    """The value as bytes in BSON's order. Equal numbers are equal whatever their type, `True` is no number."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return TEXT + _text(value)
    if isinstance(value, bool):
        return BOOL + (b"\x01" if value else b"\x00")
    if isinstance(value, int | float):
        return NUMBER + _number(value)
    if isinstance(value, datetime):
        return MOMENT + ((value - _EPOCH) // _MILLISECOND + _SIGN).to_bytes(8, "big")
    if isinstance(value, bytes):
        return BINARY + len(value).to_bytes(4, "big") + value
    if isinstance(value, Mapping):
        return OBJECT + b"".join(_member(name, each) for name, each in value.items()) + _END  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if isinstance(value, list):
        return ARRAY + b"".join(ordered(each) for each in value) + _END  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    raise TypeError(f"{type(value).__name__} has no place in the order of values.")


def type_of(key: bytes) -> bytes:
    """The type's byte at the beginning of an ascending key."""
    return key[:1]


def directed(key: bytes, way: int) -> bytes:
    """The key as it stands in an index that runs that way, 1 up and -1 down."""
    return key if way > 0 else key.translate(_INVERTED)


def after(prefix: bytes) -> bytes | None:
    """The smallest bytes that come after everything that begins with `prefix`; None where nothing does."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def keys_of(document: Mapping[str, Any], fields: Sequence[tuple[str, int]], index: str) -> tuple[set[bytes], bool]:
    """The keys under which a document stands in an index, and whether a list may be among its fields (every dotted
    path counts as one): then there is a key for each element.

    Raises Invalid where two of the fields are lists, as MongoDB does (their product could be anything)."""
    columns: list[list[bytes]] = []
    lists = crowded = 0
    for path, way in fields:
        if "." not in path and not isinstance(value := document.get(path), list):
            # The usual case, and the quickest: a plain field that holds no list.
            columns.append([directed(ordered(value), way)])
            continue
        values = _indexed(document, path)
        lists += 1
        crowded += len(values) > 1
        columns.append([directed(ordered(value), way) for value in values])
    if crowded > 1:
        raise Invalid(FieldError(index, "Two of its fields are lists."), detail="An index cannot hold two lists.")
    return {b"".join(parts) for parts in itertools.product(*columns)}, lists > 0


def _indexed(document: Mapping[str, Any], path: str) -> list[Any]:
    """What an index holds of a path: each element instead of its list, null for what is not there."""
    values: list[Any] = []
    for value in reached(document, path):
        if isinstance(value, list):
            values.extend(value or [None])  # pyright: ignore[reportUnknownArgumentType]
        else:
            values.append(None if value is MISSING else value)
    return values or [None]


def _text(value: str) -> bytes:
    return value.encode().replace(b"\x00", b"\x00\xff") + _END


def _member(name: str, value: Any) -> bytes:
    key = ordered(value)
    return type_of(key) + _text(name) + key[1:]


def _number(value: float) -> bytes:
    """The nearest double, and what an integer of 64 bits has more or less than that."""
    near = float(value) + 0.0  # of the two zeros the one without a sign
    (bits,) = struct.unpack(">Q", struct.pack(">d", near))
    bits = bits ^ _ALL if bits & _SIGN else bits | _SIGN
    rest = value - int(near) if isinstance(value, int) else 0
    return bits.to_bytes(8, "big") + (rest + 0x8000).to_bytes(2, "big")
