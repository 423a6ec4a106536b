"""Incidents: opened and closed by the rule and never by a single failure, and operators' words kept."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core import incidents, status
from pulse_dash.core.board import Board
from pulse_dash.core.checks import EVERY, Component, Result
from pulse_dash.core.errors import Invalid, Unavailable
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


def watching(services: Services, part: Fickle, join: Fickle | None = None) -> Work:
    """LiveKit, and where it is asked for the real join that needs it."""
    components = [Component("livekit", "LiveKit", part.ask)]
    if join is not None:
        components.append(Component("join", "Joining a room", join.ask, needs="livekit"))
    board = Board(services.parts.clock, tuple(components), services.parts.board.traffic)
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


async def fail(work: Work, clock: MovableClock, *parts: Fickle, times: int = 3) -> None:
    for part in parts:
        part.fails = True
    await rounds(work, clock, times)
    await status.keep(work, writes=True)


async def mend(work: Work, clock: MovableClock, *parts: Fickle) -> None:
    for part in parts:
        part.fails = False
    await rounds(work, clock, 2)
    await status.keep(work, writes=True)


async def test_what_fails_of_one_cause_is_one_incident_that_closes_with_the_last(
    services: Services, clock: MovableClock
) -> None:
    livekit, join = Fickle(), Fickle()
    work = watching(services, livekit, join)
    await fail(work, clock, livekit, join)
    (opened,) = incidents.listing(work)
    await mend(work, clock, livekit)
    (half,) = incidents.listing(work)
    await mend(work, clock, join)

    (closed,) = incidents.listing(work)
    assert (opened.title, opened.components, len(opened.updates)) == ("LiveKit does not work", ("livekit", "join"), 1)
    assert (half.status, half.failing) == ("investigating", ("join",))
    assert (closed.status, len(closed.updates)) == ("resolved", 2)


async def test_the_cause_names_an_incident_that_its_follower_opened(services: Services, clock: MovableClock) -> None:
    livekit, join = Fickle(), Fickle()
    work = watching(services, livekit, join)
    await fail(work, clock, join)
    assert [each.title for each in incidents.listing(work)] == ["Joining a room does not work"]
    await fail(work, clock, livekit, times=8)

    (found,) = incidents.listing(work)
    assert (found.title, found.components) == ("LiveKit does not work", ("join", "livekit"))


async def test_what_joins_much_later_is_told_with_a_word(services: Services, clock: MovableClock) -> None:
    livekit, join = Fickle(), Fickle()
    work = watching(services, livekit, join)
    await fail(work, clock, livekit, times=8)
    await fail(work, clock, join)

    (found,) = incidents.listing(work)
    assert [each.body for each in found.updates][1:] == ["Joining a room fails too."]


async def test_two_nodes_that_see_the_same_fail_open_one(services: Services, clock: MovableClock) -> None:
    livekit, join = Fickle(), Fickle()
    nodes = [watching(services, livekit, join) for _ in range(2)]
    livekit.fails = join.fails = True
    for _ in range(3):
        await asyncio.gather(*(status.check(node) for node in nodes))
        clock.move(EVERY)
    await asyncio.gather(*(status.keep(node, writes=True) for node in nodes))

    (found,) = incidents.listing(nodes[0])
    assert set(found.components) == {"livekit", "join"}


async def test_a_node_that_starts_in_the_middle_closes_what_several_parts_share(
    services: Services, clock: MovableClock
) -> None:
    livekit, join = Fickle(), Fickle()
    await fail(watching(services, livekit, join), clock, livekit, join)
    again = watching(services, livekit, join)
    await status.keep(again, writes=True)
    await mend(again, clock, livekit, join)

    assert [each.status for each in incidents.listing(again)] == ["resolved"]


async def test_an_operators_word_in_between_is_not_lost(services: Services, clock: MovableClock, town: Town) -> None:
    livekit, join = Fickle(), Fickle()
    work = watching(services, livekit, join)
    await fail(work, clock, livekit)
    (opened,) = incidents.listing(work)
    operator = work.acting_as(replace((await town.person()).actor, operator=True))
    await incidents.update(operator, opened.id, status="identified", body="A cable.")
    await mend(work, clock, livekit)

    (closed,) = incidents.listing(work)
    assert [each.status for each in closed.updates] == ["investigating", "identified", "resolved"]


async def test_maintenance_of_a_part_covers_what_needs_it(services: Services, clock: MovableClock, town: Town) -> None:
    livekit, join = Fickle(), Fickle()
    work = watching(services, livekit, join)
    operator = replace((await town.person()).actor, operator=True)
    ends = clock.now() + timedelta(hours=1)
    await incidents.declare(
        work.acting_as(operator), title="x", body="y", kind="maintenance", components=["livekit"], ends_at=ends
    )
    await fail(work, clock, livekit, join, times=5)

    assert [each.kind for each in incidents.listing(work)] == ["maintenance"]


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
    seconds = status.history(work)[0].seconds
    assert (seconds.known, seconds.uptime, seconds.maintained) == (0, None, 9 * EVERY * 1000)


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


async def test_however_much_was_said_an_incident_can_be_told_to_be_over(town: Town) -> None:
    work = town.work(await town.person())
    made = await incidents.declare(work, title="Slow", body="We look.")
    for number in range(incidents.MOST_UPDATES - 1):
        made = await incidents.update(work, made.id, body=f"Still, {number}.")
    with pytest.raises(Invalid):
        await incidents.update(work, made.id, body="And still.")

    over = await incidents.update(work, made.id, status="resolved", body="It is over.", postmortem="It was the disk.")

    assert (over.status, over.postmortem, len(over.updates)) == ("resolved", "It was the disk.", 101)


@pytest.mark.parametrize("wrong", [{"status": ""}, {"impact": ""}, {"status": "no such"}])
async def test_an_incident_is_never_in_a_state_that_there_is_not(town: Town, wrong: dict[str, Any]) -> None:
    work = town.work(await town.person())
    made = await incidents.declare(work, title="  Slow  ", body="We look.")

    with pytest.raises(Invalid):
        await incidents.update(work, made.id, body="Again.", **wrong)

    assert (await incidents.update(work, made.id, title="  Slower ")).title == "Slower"
