"""Ids sort as they were made, are never the same and say what they are of."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse_dash.store.ids import LENGTH, IdMaker, looks_like, moment_of
from tests.store.things import NOON


class SetClock:
    """Tells what it is set to."""

    def __init__(self) -> None:
        self.moment = NOON

    def time(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def test_an_id_is_its_prefix_and_26_letters(clock: SetClock) -> None:
    made = IdMaker(clock, secrets.token_bytes).make("prj")

    assert looks_like("prj", made)
    assert len(made) == len("prj_") + LENGTH
    assert not looks_like("org", made)


def test_ids_sort_as_they_were_made_within_a_millisecond_and_when_the_clock_goes_back(clock: SetClock) -> None:
    maker = IdMaker(clock, secrets.token_bytes)
    made: list[str] = []
    for step in (0, 0, 1, 5, -3000, 0, 3001):
        clock.moment += timedelta(milliseconds=step)
        made += [maker.make("prj") for _ in range(200)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("last", [b"\xff" * 10, bytes(5) + b"\xff" * 5], ids=["all of it", "its lower half"])
def test_ids_sort_also_when_a_millisecond_has_no_randomness_left(clock: SetClock, last: bytes) -> None:
    maker = IdMaker(clock, lambda count: last[:count])

    made = [maker.make("prj") for _ in range(5)]

    assert made == sorted(set(made))
    assert all(looks_like("prj", each) for each in made)


def test_two_makers_never_meet(clock: SetClock) -> None:
    makers = [IdMaker(clock, secrets.token_bytes) for _ in range(100)]

    assert len({maker.make("prj") for maker in makers for _ in range(20)}) == 2000


def test_ids_can_be_repeated_from_their_clock_and_randomness(clock: SetClock) -> None:
    def once() -> list[str]:
        maker = IdMaker(clock, lambda count: b"\x07" * count)
        return [maker.make("prj") for _ in range(3)]

    assert once() == once()


@pytest.mark.parametrize("moment", [NOON, datetime(1970, 1, 1, tzinfo=UTC), NOON + timedelta(milliseconds=1)])
def test_an_id_tells_when_it_was_made(clock: SetClock, moment: datetime) -> None:
    clock.moment = moment

    assert moment_of(IdMaker(clock, secrets.token_bytes).make("prj")) == moment


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "prj",
        "prj_",
        "prj_" + "0" * 25,
        "prj_" + "0" * 27,
        "prj_" + "8" + "0" * 25,
        "prj_" + "0" * 25 + "i",
        "prj_" + "0" * 25 + "A",
        "prj_" + "0" * 26 + "\n",
        "org_" + "0" * 26,
        "prj_" + "٠" * 26,
        None,
        7,
        {"$ne": ""},
    ],
    ids=repr,
)
def test_junk_does_not_look_like_an_id(junk: Any) -> None:
    assert not looks_like("prj", junk)
