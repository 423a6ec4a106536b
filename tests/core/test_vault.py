"""The vault: what is encrypted can be read with any of the keys in force, and with no other."""

from __future__ import annotations

import pytest

from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Unreadable, Vault


def vault(*encryption_keys: str) -> Vault:
    """A vault with these encryption keys, the newest first."""
    return Vault(Secret("j" * 32), Secret("p" * 32), [Secret(key) for key in encryption_keys])


def test_a_key_that_was_taken_away_opens_nothing() -> None:
    sealed = vault("first").sealed(b"text")

    for other in (vault("second"), vault("First")):
        with pytest.raises(Unreadable):
            other.opened(sealed)
    with pytest.raises(Unreadable):
        vault("first").opened(sealed[:-4] + b"AAAA")


def test_keys_are_exchanged_one_at_a_time_and_nothing_becomes_unreadable() -> None:
    before, between, after = vault("first"), vault("second", "first"), vault("second")

    assert between.opened(before.sealed(b"older")) == b"older"
    assert after.opened(between.sealed(b"newer")) == b"newer"


def test_what_is_encrypted_shows_neither_itself_nor_that_it_is_the_same() -> None:
    one, other = vault("first").sealed(b"text"), vault("first").sealed(b"text")

    assert one != other
    assert b"text" not in one
