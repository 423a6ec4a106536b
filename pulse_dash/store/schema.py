"""How a collection is declared: its indexes and the types of its fields, once for all engines.

It knows names and types; MongoDB gets them as `$jsonSchema`, the embedded engine asks `complaint`. Which
collections there are is told by catalog, what the fields mean is core's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, TypeAlias

Kind = Literal["string", "binary", "date", "bool", "int", "object", "array", "any"]
Fields: TypeAlias = "Mapping[str, Kind | ListOf]"
"""`name: kind`; a name that ends with `?` may be missing or null."""


@dataclass(frozen=True)
class ListOf:
    """An array whose elements are objects with these fields."""

    fields: Fields


@dataclass(frozen=True)
class Index:
    """Keys in order, 1 ascending and -1 descending; `partial` limits it to documents with that field."""

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    partial: str | None = None

    @property
    def partial_filter(self) -> dict[str, Any] | None:
        return None if self.partial is None else {self.partial: {"$exists": True}}


@dataclass(frozen=True)
class CollectionSchema:
    """One collection; fields that are not named here are allowed."""

    name: str
    fields: Fields
    indexes: tuple[Index, ...] = ()

    @cached_property
    def never_null(self) -> frozenset[str]:
        """Fields of partial indexes: left out when there is nothing, so that the index stays small."""
        return frozenset(index.partial for index in self.indexes if index.partial is not None)

    @cached_property
    def singles(self) -> frozenset[str]:
        """Fields that are declared to hold no list."""
        return frozenset(
            name.removesuffix("?") for name, kind in self.fields.items() if isinstance(kind, str) and kind in _SINGLE
        )

    def json_schema(self) -> dict[str, Any]:
        schema = _json_schema(self.fields)
        for name in self.never_null:
            schema["properties"][name]["bsonType"].remove("null")
        return schema

    def complaint(self, document: Mapping[str, Any]) -> str | None:
        """The first field that is missing or of the wrong type, as a sentence; None when it fits."""
        for name in self.never_null:
            if name in document and document[name] is None:
                return f"The field {name} is null; it is left out instead."
        return _complaint(self.fields, document, "")


_SINGLE: frozenset[Kind] = frozenset({"string", "binary", "date", "bool", "int"})
# MongoDB's names of the types, and Python's as bson reads and writes them.
_BSON: dict[Kind, list[str]] = {
    "string": ["string"],
    "binary": ["binData"],
    "date": ["date"],
    "bool": ["bool"],
    "int": ["int", "long"],
    "object": ["object"],
    "array": ["array"],
}
_PYTHON: dict[Kind, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "binary": lambda value: isinstance(value, bytes),
    "date": lambda value: isinstance(value, datetime),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "any": lambda _: True,
}


def _json_schema(fields: Fields) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for declared, kind in fields.items():
        name = declared.removesuffix("?")
        optional = declared.endswith("?")
        if not optional:
            required.append(name)
        if kind == "any":
            continue
        types = ["array"] if isinstance(kind, ListOf) else list(_BSON[kind])
        properties[name] = {"bsonType": [*types, "null"] if optional else types}
        if isinstance(kind, ListOf):
            properties[name]["items"] = _json_schema(kind.fields)
    schema: dict[str, Any] = {"bsonType": "object", "properties": properties}
    # MongoDB refuses an empty `required`.
    return {**schema, "required": required} if required else schema


def _complaint(fields: Fields, document: Mapping[str, Any], path: str) -> str | None:
    for declared, kind in fields.items():
        name = declared.removesuffix("?")
        optional = declared.endswith("?")
        if name not in document:
            if optional:
                continue
            return f"The field {path}{name} is missing."
        value = document[name]
        if optional and value is None:
            continue
        expected: Kind = "array" if isinstance(kind, ListOf) else kind
        if not _PYTHON[expected](value):
            return f"The field {path}{name} is not of the type {expected}."
        if isinstance(kind, ListOf):
            for element in value:
                if not _PYTHON["object"](element):
                    return f"The field {path}{name} holds something else than objects."
                if found := _complaint(kind.fields, element, f"{path}{name}."):
                    return found
    return None


def outbox(fields: Fields) -> Fields:
    """A document that is changed with its audit entries in the same write."""
    return {"_id": "string", "version": "int", "pending": "array", "pending_at?": "date", **fields}


# The drainer asks for documents with entries waiting, oldest first, and for nothing else.
PENDING = Index("pending_at", (("pending_at", 1),), partial="pending_at")
