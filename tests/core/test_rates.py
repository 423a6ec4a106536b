"""How many requests a minute: what is counted, for whom, and that looking does not count."""

from __future__ import annotations

from pulse_dash.core.rates import Rates, Windows
from tests.doubles import MovableClock


def test_so_many_are_allowed_and_one_more_is_not(clock: MovableClock) -> None:
    rates = Rates(clock)

    allowances = [rates.hit("project", "prj_1", 3) for _ in range(5)]

    assert [each.allowed for each in allowances] == [True, True, True, False, False]
    assert [each.remaining for each in allowances] == [2, 1, 0, 0, 0]
    assert all(1 <= each.reset <= 60 and each.limit == 3 for each in allowances)


def test_each_is_counted_for_itself_and_each_policy_apart(clock: MovableClock) -> None:
    rates = Rates(clock)
    rates.hit("project", "1", 1)

    assert not rates.hit("project", "1", 1).allowed
    assert rates.hit("project", "2", 1).allowed
    assert rates.hit("user", "1", 1).allowed


def test_looking_does_not_count(clock: MovableClock) -> None:
    rates = Rates(clock)

    assert [rates.look("ip", "::", 1).remaining for _ in range(3)] == [1, 1, 1]
    assert rates.hit("ip", "::", 1).allowed
    assert not rates.look("ip", "::", 1).allowed


def test_a_minute_later_everything_is_allowed_again(clock: MovableClock) -> None:
    rates = Rates(clock)
    assert not [rates.hit("ip", "::", 1) for _ in range(2)][-1].allowed

    clock.move(59)
    assert not rates.hit("ip", "::", 1).allowed
    clock.move(1)
    assert rates.hit("ip", "::", 1).allowed


def test_addresses_that_are_over_take_no_memory(clock: MovableClock) -> None:
    windows = Windows(clock)
    for minute in range(20):
        for number in range(1_000):
            windows.incr(f"ip:{minute}.{number}", 60)
        clock.move(60)

    assert windows.reset() <= 2_000
