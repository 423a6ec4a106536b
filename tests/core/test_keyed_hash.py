"""Our prepared HMAC and our base64 for URLs say what the standard library says."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core import base64url
from pulse_dash.core.keyed_hash import KeyedHash


@given(st.binary(max_size=200), st.lists(st.binary(max_size=300), max_size=4))
def test_a_keyed_hash_is_hmac_with_sha256_for_every_key_and_message(key: bytes, messages: list[bytes]) -> None:
    keyed = KeyedHash(key)

    for message in messages:
        assert keyed.over(message) == hmac.digest(key, message, "sha256")


@given(st.binary(max_size=100))
def test_base64_for_urls_is_the_standard_one_without_padding(data: bytes) -> None:
    assert base64url.encoded(data) == urlsafe_b64encode(data).rstrip(b"=")
