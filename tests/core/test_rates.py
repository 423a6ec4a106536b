"""How many requests a minute: what is counted, for whom, and that looking does not count."""

from __future__ import annotations

from pulse_dash.core.rates import Rates


def test_so_many_are_allowed_and_one_more_is_not() -> None:
    rates = Rates()

    allowances = [rates.hit("project", "prj_1", 3) for _ in range(5)]

    assert [each.allowed for each in allowances] == [True, True, True, False, False]
    assert [each.remaining for each in allowances] == [2, 1, 0, 0, 0]
    assert all(1 <= each.reset <= 60 and each.limit == 3 for each in allowances)


def test_each_is_counted_for_itself_and_each_policy_apart() -> None:
    rates = Rates()
    rates.hit("project", "1", 1)

    assert not rates.hit("project", "1", 1).allowed
    assert rates.hit("project", "2", 1).allowed
    assert rates.hit("user", "1", 1).allowed


def test_looking_does_not_count() -> None:
    rates = Rates()

    assert [rates.look("ip", "::", 1).remaining for _ in range(3)] == [1, 1, 1]
    assert rates.hit("ip", "::", 1).allowed
    assert not rates.look("ip", "::", 1).allowed
