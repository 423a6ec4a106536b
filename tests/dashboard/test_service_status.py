"""What the page Status says of the parts and of their last hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pulse_dash.core.board import Standing
from pulse_dash.core.checks import Component, Result, Status
from pulse_dash.core.status import StatusNow
from pulse_dash.state.plots import time_plot
from pulse_dash.state.service_status import _by_minute, _parts

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_result(seconds: int, latency_ms: float | None, status: Status = "operational") -> Result:
    return Result("livekit", status, latency_ms, NOON + timedelta(seconds=seconds), "Nobody listens at ten.house:7880.")


def standing(result: Result | None) -> StatusNow:
    return StatusNow("degraded", [Standing(Component("livekit", "LiveKit", None), result)], 60, 1)


def test_a_minute_is_drawn_by_its_slowest_answer() -> None:
    assert _by_minute([a_result(1, 2.0), a_result(16, 9.0), a_result(61, 3.0)]) == [
        (NOON, 9.0),
        (NOON + timedelta(minutes=1), 3.0),
    ]


def test_a_minute_with_a_failure_is_a_gap_whatever_else_was_answered() -> None:
    assert _by_minute([a_result(1, 2.0), a_result(16, None, "down"), a_result(31, 2.0)]) == [(NOON, None)]


def test_what_was_never_checked_is_not_drawn() -> None:
    assert _by_minute([a_result(1, None, "unknown")]) == []


def test_why_a_part_failed_is_told_to_operators_alone() -> None:
    down = standing(a_result(1, None, "down"))

    assert _parts(down, operator=True)[0].why == "Nobody listens at ten.house:7880."
    assert _parts(down, operator=False)[0].why == ""


def test_a_part_that_was_not_checked_yet_is_unknown_and_not_good() -> None:
    (row,) = _parts(standing(None), operator=True)

    assert (row.word, row.tone, row.took, row.checked_at) == ("Unknown", "", "not checked yet", "")


def test_an_answer_without_a_neighbour_is_drawn_as_a_dot() -> None:
    minutes = [(NOON + timedelta(minutes=at), value) for at, value in enumerate((5.0, None, 5.0, 6.0, None, 7.0))]

    drawn = time_plot({"LiveKit": minutes, "API": []}, unit="ms", until=NOON, span=timedelta(hours=1))["data"]

    assert [line["marker"]["size"] for line in drawn] == [[6, 0, 0, 0, 0, 6], []]
