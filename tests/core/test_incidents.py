"""Incidents: opened and closed by the rule and never by a single failure, and operators' words kept."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core import incidents, status
from pulse_dash.core.board import Board
from pulse_dash.core.checks import EVERY, Component, Result
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.outages import Outage
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from tests.doubles import BreakableEngine, MovableClock
from tests.people import HOSTILE, Town

HOURS = 1_000


class Fickle:
    """A part that fails while it is told to."""

    def __init__(self) -> None:
        self.fails = False

    async def ask(self) -> None:
        if self.fails:
            raise Unavailable("livekit")


def watching(services: Services, part: Fickle) -> Work:
    board = Board(services.parts.clock, (Component("livekit", "LiveKit", part.ask),), services.parts.board.traffic)
    return replace(services, parts=replace(services.parts, board=board)).system("a test's checks")


async def rounds(work: Work, clock: MovableClock, count: int) -> None:
    for _ in range(count):
        await status.check(work)
        clock.move(EVERY)


async def test_three_failures_open_one_and_two_successes_close_it(services: Services, clock: MovableClock) -> None:
    part = Fickle()
    work = watching(services, part)
    part.fails, began = True, clock.now()
    await rounds(work, clock, 2)
    await status.keep(work, writes=True)
    assert incidents.listing(work) == []
    await rounds(work, clock, 3)
    await status.keep(work, writes=True)
    (opened,) = incidents.listing(work)
    part.fails = False
    await rounds(work, clock, 2)
    await status.keep(work, writes=True)

    (closed,) = incidents.listing(work)
    assert (opened.status, opened.started_at, opened.outage) == ("investigating", began, "livekit")
    assert (closed.status, closed.resolved_at) == ("resolved", began + timedelta(seconds=5 * EVERY))


async def test_an_outage_of_the_database_itself_is_told_when_it_is_back(
    services: Services, engine: BreakableEngine, clock: MovableClock
) -> None:
    part = Fickle()
    work = watching(services, part)
    part.fails = engine.gone = True
    await rounds(work, clock, 3)
    part.fails = engine.gone = False
    await rounds(work, clock, 2)
    await status.keep(work, writes=True)

    (found,) = incidents.listing(work)
    assert found.status == "resolved"
    assert [each.status for each in found.updates] == ["investigating", "resolved"]


async def test_a_node_that_starts_in_the_middle_of_an_outage_closes_it(services: Services, clock: MovableClock) -> None:
    part = Fickle()
    part.fails = True
    work = watching(services, part)
    await rounds(work, clock, 3)
    await status.keep(work, writes=True)
    again = watching(services, part)
    await status.keep(again, writes=True)
    part.fails = False
    await rounds(again, clock, 2)
    await status.keep(again, writes=True)

    assert [each.status for each in incidents.listing(again)] == ["resolved"]


async def test_in_a_maintenance_window_nothing_counts_and_nothing_opens(
    services: Services, clock: MovableClock, town: Town
) -> None:
    part = Fickle()
    part.fails = True
    work = watching(services, part)
    operator = replace((await town.person()).actor, operator=True)
    await incidents.declare(
        work.acting_as(operator),
        title=f"New disks {HOSTILE}",
        body="An hour",
        kind="maintenance",
        components=["livekit"],
        ends_at=clock.now() + timedelta(hours=1),
    )
    await rounds(work, clock, 10)
    await status.keep(work, writes=True)

    assert [each.kind for each in incidents.listing(work)] == ["maintenance"]
    assert status.history(work)[0].seconds.known == 0


def test_a_thousand_hours_with_single_failures_open_nothing() -> None:
    luck, clock, outage, before = random.Random(7), MovableClock(), Outage("x"), False
    opened = 0
    for _ in range(int(HOURS * 3600 / EVERY)):
        before = not before and luck.random() < 0.05
        opened += outage.note(Result("x", "down" if before else "operational", 1, clock.now())) is not None
        clock.move(EVERY)

    assert opened == 0


@given(st.lists(st.sampled_from(["operational", "degraded", "down", "unknown"]), max_size=60))
def test_turns_alternate_and_each_stands_on_its_row(found: list[str]) -> None:
    clock, outage, lasts = MovableClock(), Outage("x"), False
    for number, name in enumerate(found):
        turn = outage.note(Result("x", name, 1, clock.now()))  # type: ignore[arg-type]
        clock.move(EVERY)
        if turn is None:
            continue
        assert turn.began is not lasts
        row = found[number - (2 if turn.began else 1) : number + 1]
        assert set(row) <= ({"down"} if turn.began else {"operational", "degraded"})
        lasts = turn.began
    # No row of three failures passes unnoticed.
    assert lasts or found[-3:] != ["down"] * 3
