"""Mail addresses: kept in one form, and never one that is written to look like another."""

from __future__ import annotations

import pytest

from pulse_dash.core.errors import Invalid
from pulse_dash.core.mail_addresses import address, plain_address

LOOKALIKES = {
    "a Latin name with one Cyrillic letter": "аda@example.com",
    "a domain that mixes": "ada@exаmple.com",
    "a domain that is Cyrillic to the dot": "ada@аррӏе.com",
    "the same as a browser writes it": "ada@xn--80ak6aa92e.com",
    "a name that is Cyrillic and looks Latin": "сосо@example.com",
    "a name with such a part": "sales.сосо@example.com",
    "Greek that looks Latin": "νικο@example.com",
    "Armenian that looks Latin": "հօս@example.com",
}
HONEST = [
    "ada@example.com",
    "ada.lovelace+pulse@example.co.uk",
    "jörg@müller.de",
    "почта@пример.рф",
    "сосо@пример.рф",
    "борис@example.com",
    "δοκιμή@example.gr",
    "用户@例子.广告",
    "12345@example.com",
]


@pytest.mark.parametrize("why", LOOKALIKES)
def test_what_only_looks_like_another_address_is_refused(why: str) -> None:
    with pytest.raises(Invalid) as refused:
        plain_address(LOOKALIKES[why])

    assert [wrong.field for wrong in refused.value.errors] == ["email"]


@pytest.mark.parametrize("email", HONEST)
def test_an_address_of_any_script_that_reads_as_what_it_is_is_taken(email: str) -> None:
    assert plain_address(email) == address(email)


@pytest.mark.parametrize("email", ["", "a\r\nBcc: b@c.de", "a b@c.de", "x" * 321, "x" * 400 + "@example.com"])
def test_what_is_no_address_is_named(email: str) -> None:
    with pytest.raises(Invalid):
        address(email)
