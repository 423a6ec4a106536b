"""What an engine promises of unique indexes: one winner, the others told which index refused, nothing left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pulse_dash.core.errors import Conflict
from pulse_dash.store.engine import Collection, DuplicateKey
from tests.store.things import a_thing


@pytest.mark.parametrize(
    ("fields", "index"),
    [({"_id": "taken"}, "_id_"), ({"name": "taken"}, "name"), ({"label": "taken"}, "label")],
)
async def test_a_second_of_the_same_is_refused_and_leaves_nothing(
    things: Collection, fields: dict[str, Any], index: str
) -> None:
    await things.insert_one(a_thing("taken", name="taken", label="taken"))

    with pytest.raises(DuplicateKey) as refused:
        await things.insert_one({**a_thing(), **fields})

    assert refused.value.index == index
    assert isinstance(refused.value, Conflict)
    assert await things.count_documents({}) == 1


async def test_an_update_into_a_taken_value_is_refused_and_changes_nothing(things: Collection) -> None:
    await things.insert_many([a_thing("a", label="taken"), a_thing("b", size=1)])

    with pytest.raises(DuplicateKey):
        await things.update_one({"_id": "b"}, {"$set": {"label": "taken", "size": 2}})
    with pytest.raises(DuplicateKey):
        await things.find_one_and_update({"_id": "b"}, {"$set": {"label": "taken", "size": 2}})

    assert await things.count_documents({"_id": "b", "size": 1, "label": {"$exists": False}}) == 1


async def test_a_partial_unique_index_asks_nothing_of_documents_without_its_field(things: Collection) -> None:
    await things.insert_many([a_thing(), a_thing(), a_thing(label="a"), a_thing(label="b")])

    assert await things.count_documents({"label": {"$exists": False}}) == 2


async def test_a_value_that_was_given_up_can_be_taken_again(things: Collection) -> None:
    await things.insert_many([a_thing("a", label="taken"), a_thing("b", label="other")])
    await things.update_one({"_id": "a"}, {"$unset": {"label": ""}})
    await things.delete_one({"_id": "b"})

    await things.insert_many([a_thing(label="taken"), a_thing(label="other")])

    assert await things.count_documents({"label": {"$exists": True}}) == 2


async def test_values_that_look_alike_are_not_the_same(things: Collection) -> None:
    await things.insert_many([a_thing(label=label) for label in ("a", "A", "a ", "á", "a\u0301", "a\0", "")])

    assert await things.count_documents({}) == 7


async def test_of_many_who_want_the_same_value_at_once_one_gets_it(things: Collection) -> None:
    answers = await asyncio.gather(
        *(things.insert_one(a_thing(label="wanted")) for _ in range(30)), return_exceptions=True
    )

    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, DuplicateKey) for answer in answers) == 29
    assert await things.count_documents({}) == 1
