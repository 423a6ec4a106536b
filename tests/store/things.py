"""A collection made up for the contract, with a document of one word."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from pulse_dash.store.engine import Document
from pulse_dash.store.schema import CollectionSchema, Index, ListOf

THINGS = CollectionSchema(
    "things",
    {
        "_id": "string",
        "name": "string",
        "size?": "int",
        "made_at?": "date",
        "label?": "string",
        "owner?": "string",
        "parts?": ListOf({"id": "string"}),
    },
    (
        Index("name", (("name", 1),), unique=True),
        Index("label", (("label", 1),), unique=True, partial="label"),
        Index("pair", (("owner", 1), ("size", 1))),
        Index("made_at", (("made_at", 1),)),
        Index("due_at", (("due_at", 1),)),
    ),
)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOSTILE = "Ω 🎛️ <b>\u202e'\";--\0$where\n"

_numbers = count()


class Strange:
    """What no store keeps, with a name that is the same in every process of the tests."""

    def __repr__(self) -> str:
        return "Strange"


def a_thing(thing_id: str | None = None, **fields: Any) -> Document:
    """A document with a name that nobody else has."""
    number = next(_numbers)
    return {"_id": thing_id or f"thing_{number:06}", "name": f"{HOSTILE}{number}", **fields}
