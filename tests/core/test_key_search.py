"""Finding keys by name, id or the API key itself: only good ones, only one's own."""

from __future__ import annotations

import pytest

from pulse_dash.core import keys, projects
from pulse_dash.core.errors import Unauthenticated
from pulse_dash.core.work import Work
from tests.people import HOSTILE, Town


async def found(work: Work, text: str) -> list[str]:
    return [each.key.id for each in await keys.search(work, text, limit=5)]


async def test_strangers_find_none(town: Town) -> None:
    house, stranger = await town.house(), await town.person()

    for text in (house.key.public, house.key.id, "default"):
        with pytest.raises(Unauthenticated):
            await found(town.stranger, text)
        assert await found(town.work(stranger), text) == []


async def test_a_key_is_found_by_its_name_its_id_and_its_public_part(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)
    made = await keys.create(town.work(owner), house.id, name=HOSTILE)

    for text in (HOSTILE[3:12].upper(), made.id, made.public):
        assert await found(town.work(owner), text) == [made.id]


async def test_a_part_of_a_key_or_nothing_at_all_finds_none(town: Town) -> None:
    owner = await town.person()
    house = await town.project(owner)

    for text in (house.key.public[:-1], house.key.id[:-1], "", ".*", "$"):
        assert await found(town.work(owner), text) == []


async def test_what_opens_nothing_is_not_found(town: Town) -> None:
    owner = await town.person()
    house, gone = await town.project(owner), await town.project(owner)
    await keys.revoke(town.work(owner), house.id, house.key.id)
    await projects.delete(town.work(owner), gone.id)

    for text in (house.key.public, gone.key.public, "default"):
        assert await found(town.work(owner), text) == []
