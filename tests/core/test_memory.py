"""What a node remembers, and that nothing stays remembered which a change made untrue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pulse_dash.core.errors import Unavailable
from pulse_dash.core.memory import Freshness, Memory
from tests.doubles import MovableClock

Load = Callable[[], Awaitable[str | None]]


@pytest.fixture
def freshness(clock: MovableClock) -> Freshness:
    return Freshness(clock, stale_seconds=5)


@pytest.fixture
def memory(freshness: Freshness) -> Memory[str, str]:
    return Memory(freshness, most=3)


def loads(value: str | None, asked: list[str] | None = None) -> Load:
    """A load that answers this."""

    async def load() -> str | None:
        if asked is not None:
            asked.append("asked")
        return value

    return load


async def test_what_is_remembered_is_not_loaded_again(memory: Memory[str, str]) -> None:
    asked: list[str] = []

    assert [await memory.get("key", loads("value", asked)) for _ in range(3)] == ["value"] * 3
    assert asked == ["asked"]


async def test_that_nothing_was_found_is_not_remembered(memory: Memory[str, str]) -> None:
    assert await memory.get("key", loads(None)) is None
    assert await memory.get("key", loads("there now")) == "there now"


FORGET: dict[str, Callable[[Memory[str, str]], None]] = {
    "all is dropped": lambda memory: memory.clear(),
    "it is dropped": lambda memory: memory.drop(lambda key, _: key == "key"),
    # Nobody can know what a load under way will find, so any drop forbids keeping it.
    "another one is dropped": lambda memory: memory.drop(lambda key, _: key == "other"),
}


@pytest.mark.parametrize("how", FORGET)
async def test_what_was_loading_while_something_was_dropped_is_used_once_and_not_kept(
    memory: Memory[str, str], how: str
) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        began.set()
        await may_end.wait()
        return "old"

    loading = asyncio.create_task(memory.get("key", slow))
    await began.wait()
    FORGET[how](memory)
    may_end.set()

    assert await loading == "old"
    assert memory.recall("key") is None
    assert await memory.get("key", loads("new")) == "new"


async def test_a_load_that_fails_leaves_nothing(memory: Memory[str, str]) -> None:
    async def fails() -> str:
        raise Unavailable("database")

    with pytest.raises(Unavailable):
        await memory.get("key", fails)
    assert memory.recall("key") is None


async def test_it_is_believed_for_five_seconds_and_a_breath_after_the_feed_was_read(
    memory: Memory[str, str], freshness: Freshness, clock: MovableClock
) -> None:
    await memory.get("key", loads("value"))

    clock.move(6)
    assert memory.recall("key") == "value"
    clock.move(0.1)
    assert not freshness.good
    with pytest.raises(Unavailable):
        memory.recall("key")
    freshness.read()
    assert memory.recall("key") == "value"


async def test_what_was_never_remembered_is_asked_for_however_stale_the_feed_is(
    memory: Memory[str, str], clock: MovableClock
) -> None:
    clock.move(60)

    assert memory.recall("key") is None
    assert await memory.get("key", loads("value")) == "value"


async def test_it_holds_no_more_than_it_may(memory: Memory[str, str]) -> None:
    for number in range(10):
        await memory.get(f"key{number}", loads("value"))

    assert sum(memory.recall(f"key{number}") is not None for number in range(10)) <= 3
