"""Status: each way a part can fail is told in time, gaps stay gaps, and no question is asked while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core import checks, status
from pulse_dash.core.board import Board, Standing
from pulse_dash.core.checks import Component, Result, Seen
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.status import History
from pulse_dash.core.traffic import Counts, Traffic, between
from pulse_dash.core.uptime import DAY, Bar, Seconds, bars, spans, total
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, MovableClock

NAMES = ("operational", "degraded", "down", "unknown")


class NoCounts:
    """Nothing was answered yet."""

    def read(self) -> Counts:
        return Counts()


async def hung() -> None:
    await asyncio.Event().wait()


async def stubborn() -> None:
    """Does not even end when it is told to."""
    while True:
        try:
            await asyncio.sleep(0.2)
            return
        except asyncio.CancelledError:
            continue


async def refused() -> None:
    raise Unavailable("livekit", "Nobody listens there.")


async def crashed() -> None:
    raise ValueError("a fault of ours")


async def well() -> None:
    return None


async def degraded() -> Seen:
    return Seen("degraded", 0.2, "words")


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (hung, "down"),
        (stubborn, "down"),
        (refused, "down"),
        (crashed, "down"),
        (degraded, "degraded"),
        (well, "operational"),
        (None, "unknown"),
    ],
)
async def test_each_way_a_part_can_be_is_told_within_its_timeout(
    ask: Callable[[], Awaitable[Seen | None]] | None, expected: str
) -> None:
    component = Component("x", "X", ask, timeout=0.1)

    assert (await checks.run(component, MovableClock())).status == expected


async def test_a_part_that_answers_late_is_degraded() -> None:
    clock = MovableClock()

    async def late() -> None:
        clock.move(2)

    assert (await checks.run(Component("x", "X", late, timeout=5, slow=1), clock)).status == "degraded"


def board(clock: MovableClock, *components: Component) -> Board:
    return Board(clock, components, Traffic(clock, NoCounts()))


def with_components(services: Services, *components: Component) -> Work:
    made = Board(services.parts.clock, components, services.parts.board.traffic)
    return replace(services, parts=replace(services.parts, board=made)).system("a test's checks")


async def test_one_that_hangs_keeps_no_other_from_being_told(services: Services) -> None:
    work = with_components(
        services, Component("database", "Database", hung, timeout=0.05), Component("api", "API", well)
    )

    await status.check(work)

    assert [each.result.status for each in status.now(work).standings if each.result] == ["down", "operational"]
    assert status.now(work).status == "down"


async def test_before_the_first_check_and_long_after_the_last_nothing_is_claimed(
    services: Services, clock: MovableClock
) -> None:
    work = with_components(services, Component("database", "Database", well), Component("api", "API", well))
    assert status.now(work).status == "unknown"

    await status.check(work)
    assert status.now(work).status == "operational"
    clock.move(46)

    assert status.now(work).status == "unknown"


@pytest.mark.parametrize(
    ("failing", "whole"), [("database", "down"), ("api", "down"), ("livekit", "degraded"), ("storage", "degraded")]
)
async def test_the_whole_is_down_only_where_nothing_works_without_the_part(
    services: Services, failing: str, whole: str
) -> None:
    names = ("database", "api", "livekit", "storage")
    work = with_components(services, *(Component(name, name, refused if name == failing else well) for name in names))

    await status.check(work)

    assert status.now(work).status == whole


async def test_what_was_found_while_the_database_was_away_is_written_when_it_is_back(
    services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    work = with_components(services, Component("api", "API", well))
    for _ in range(3):
        await status.check(work)
        clock.move(15)
    engine.gone = True
    with pytest.raises(Unavailable):
        await status.keep(work, writes=True)
    engine.gone = False
    await status.keep(work, writes=True)

    (day,) = await work.store.checks.since(clock.now() - timedelta(days=2))
    assert (day.component, day.good, day.slow, day.failed) == ("api", 30_000, 0, 0)
    assert status.history(work)[0].seconds == Seconds(30_000)


async def test_a_node_that_does_not_write_counts_nothing_twice(services: Services, clock: MovableClock) -> None:
    work = with_components(services, Component("api", "API", well))
    await status.check(work)
    clock.move(15)
    await status.check(work)

    await status.keep(work, writes=False)

    assert await work.store.checks.since(clock.now() - timedelta(days=2)) == []


def test_a_gap_is_unknown_and_never_good(clock: MovableClock) -> None:
    seen = board(clock, Component("x", "X", None))
    seen.note(Result("x", "operational", 1, clock.now()))
    clock.move(12 * 3600)
    seen.note(Result("x", "operational", 1, clock.now()))

    days = bars(seen.days("x"), clock.now())
    assert total(days) == Seconds(15_000)
    assert [bar.status for bar in days[:-2]] == ["unknown"] * 88


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (Seconds(), "unknown"),
        (Seconds(good=1_000), "unknown"),
        (Seconds(good=86_400_000), "operational"),
        (Seconds(good=86_300_000, failed=30_000), "degraded"),
        (Seconds(good=86_000_000, failed=90_000), "down"),
        (Seconds(good=80_000_000, slow=6_000_000), "degraded"),
        (Seconds(failed=15_000), "down"),
        (Seconds(good=80_000_000, maintained=6_400_000), "maintenance"),
        (Seconds(maintained=86_400_000), "maintenance"),
        (Seconds(good=1_000, maintained=600_000), "unknown"),
        (Seconds(good=80_000_000, failed=30_000, maintained=6_000_000), "degraded"),
    ],
)
def test_a_day_is_drawn_as_its_worst_part(clock: MovableClock, seconds: Seconds, expected: str) -> None:
    assert Bar(clock.now().date(), seconds, DAY).status == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (Seconds(), "no full day known yet"),
        (Seconds(good=15_000), "no full day known yet"),
        (Seconds(good=15_000, failed=15_000), "50.000% uptime"),
        (Seconds(good=86_400_000), "100.000% uptime"),
        (Seconds(good=9_000_000_000, failed=38_000), "99.999% uptime"),
    ],
)
def test_a_share_is_told_of_what_was_mostly_checked_or_failed(
    clock: MovableClock, seconds: Seconds, words: str
) -> None:
    day = Bar(clock.now().date(), seconds, DAY)

    assert History(Standing(Component("x", "X", None), None), [day], seconds).uptime_in_words == words


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 200_000)), max_size=40))
def test_more_is_never_known_than_time_went_by_and_only_what_was_found_counts(found: list[tuple[str, float]]) -> None:
    clock = MovableClock()
    seen, began, kinds = board(clock), clock.now(), {name for name, _ in found[1:]}
    for name, pause in found:
        seen.note(Result("x", name, 1, clock.now()))  # type: ignore[arg-type]
        clock.move(pause)

    sums = sum(seen.days("x").values(), Seconds())
    assert sums.known <= (clock.now() - began).total_seconds() * 1000 + len(found)
    assert not sums.good or "operational" in kinds
    assert not sums.failed or "down" in kinds
    if sums.uptime is not None:
        assert sums.uptime == (sums.good + sums.slow) / (sums.good + sums.slow + sums.failed)


def test_a_span_over_midnight_belongs_to_both_days(clock: MovableClock) -> None:
    midnight = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = spans(midnight - timedelta(seconds=5), Result("x", "down", None, midnight + timedelta(seconds=10)))

    assert [each.failed for each in found.values()] == [5_000, 10_000]


def test_percentiles_come_from_what_was_answered_in_between() -> None:
    before = Counts({0.01: 100, 0.1: 100, float("inf"): 100}, 100, 3)
    after = Counts({0.01: 150, 0.1: 198, float("inf"): 200}, 200, 4)

    seen = between(before, after)
    assert seen.p50 == pytest.approx(0.01)
    assert 0.01 < (seen.p95 or 0) <= 0.1
    assert (seen.p99, seen.requests, seen.failed) == (0.1, 100, 1)
    assert between(after, after).p50 is None


@pytest.mark.parametrize(("failed", "expected"), [(0, "operational"), (10, "degraded"), (60, "down")])
async def test_the_api_is_as_good_as_its_real_answers(clock: MovableClock, failed: int, expected: str) -> None:
    counts = Counts({1.0: 0, float("inf"): 0})

    class Given:
        def read(self) -> Counts:
            return counts

    traffic = Traffic(clock, Given())
    await traffic.check()
    counts = Counts({1.0: 100, float("inf"): 100}, 100, failed)

    assert (await traffic.check()).status == expected


def test_however_often_somebody_looks_it_is_compared_with_what_the_checks_read(clock: MovableClock) -> None:
    counts = Counts({1.0: 0, float("inf"): 0})

    class Given:
        def read(self) -> Counts:
            return counts

    traffic = Traffic(clock, Given())
    asyncio.run(traffic.check())
    counts = Counts({1.0: 7, float("inf"): 7}, 7, 0)

    assert [traffic.look().requests for _ in range(3)] == [7, 7, 7]
