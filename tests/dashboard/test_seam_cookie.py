"""Which cookie of a request is the session's."""

from __future__ import annotations

import pytest

from pulse_dash.api.session_forms import cookie_of


@pytest.mark.parametrize("others", ['{"a": 1}', "a b", "x=y=z", "ü", ""])
def test_cookies_of_other_programs_on_this_host_hide_nothing(others: str) -> None:
    header = f"theirs={others}; pulse_session=ses_1.secret; more=1".encode()

    assert cookie_of(header, "pulse_session") == "ses_1.secret"


@pytest.mark.parametrize("header", ["", "pulse_session=", "pulse_session=a; pulse_session=b", "xpulse_session=a"])
def test_none_and_two_of_one_name_are_no_session(header: str) -> None:
    assert cookie_of(header.encode(), "pulse_session") is None
