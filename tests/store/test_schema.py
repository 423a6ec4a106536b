"""The declarations: MongoDB's validator and our own say the same of every collection."""

from __future__ import annotations

from typing import Any

import pytest

from pulse_dash.store.catalog import COLLECTIONS
from pulse_dash.store.schema import CollectionSchema
from tests.store.things import NOON, THINGS, Strange, a_thing

every_collection = pytest.mark.parametrize("schema", [*COLLECTIONS, THINGS], ids=lambda schema: schema.name)


@every_collection
def test_every_collection_names_its_id_and_declares_each_index_once(schema: CollectionSchema) -> None:
    names = [index.name for index in schema.indexes]

    assert schema.fields["_id"] == "string"
    assert len(names) == len(set(names))


@every_collection
def test_every_collection_with_an_outbox_has_its_index(schema: CollectionSchema) -> None:
    waiting = [index for index in schema.indexes if index.keys == (("pending_at", 1),)]

    assert bool(waiting) == ("pending" in schema.fields)
    assert all(index.partial == "pending_at" for index in waiting)


@every_collection
def test_an_index_is_over_declared_fields(schema: CollectionSchema) -> None:
    if schema is THINGS:
        return
    declared = {name.removesuffix("?") for name in schema.fields}

    assert {key.partition(".")[0] for index in schema.indexes for key, _ in index.keys} <= declared


@every_collection
def test_the_validator_for_mongodb_requires_what_ours_requires(schema: CollectionSchema) -> None:
    required = {name for name in schema.fields if not name.endswith("?")}

    assert set(schema.json_schema()["required"]) == required
    for name in required:
        assert schema.complaint(dict.fromkeys(required - {name})) is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, None),
        ({"size": None, "owner": None, "made_at": NOON, "anything": Strange()}, None),
        ({"parts": [{"id": "a", "more": 1}]}, None),
        ({"name": None}, "name"),
        ({"size": True}, "size"),
        ({"size": 1.5}, "size"),
        ({"made_at": "2026-01-01"}, "made_at"),
        ({"parts": {}}, "parts"),
        ({"parts": ["a"]}, "parts"),
        ({"parts": [{"id": 1}]}, "parts.id"),
        ({"label": None}, "label"),
    ],
    ids=str,
)
def test_a_complaint_names_the_field(fields: dict[str, Any], words: str | None) -> None:
    complaint = THINGS.complaint({**a_thing(), **fields})

    assert (complaint is None) == (words is None)
    assert words is None or f"field {words} " in str(complaint)
