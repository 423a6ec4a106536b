"""What an address of a tenant may look like, and the sentence for what can't be taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core.outbound import SCHEMES, Allowed, Purpose, Target, allowed_from, refusal, target_of


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "https://",
        "https:///path",
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://example.com",
        "https://user@example.com",
        "https://user:password@example.com",
        "https://example.com:0",
        "https://example.com:99999",
        "https://example.com:port",
        "https://exa mple.com",
        "https://example.com\r\nHost: x",
        "https://example.com\\@127.0.0.1",
        "https://[::1",
        "https://a..b",
        "https://" + "a" * 64 + ".com",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_what_can_not_be_an_address_has_a_sentence(url: str) -> None:
    found = target_of(Purpose.WEBHOOK, url)

    assert isinstance(found, str)
    assert found.endswith(".")


@given(st.text())
def test_any_text_is_an_address_or_has_a_sentence(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        assert isinstance(target_of(Purpose.WEBHOOK, url), Target | str)


def test_each_purpose_takes_its_own_schemes() -> None:
    every = {scheme for schemes in SCHEMES.values() for scheme in schemes}
    for purpose in Purpose:
        taken = {scheme for scheme in every if isinstance(target_of(purpose, f"{scheme}://example.com"), Target)}
        assert taken == set(SCHEMES[purpose])


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("wss://LiveKit.Example.com", "livekit.example.com", 443),
        ("ws://example.com.:7880/x", "example.com", 7880),
        ("wss://[2606:4700::1]", "2606:4700::1", 443),
        ("wss://münchen.example", "xn--mnchen-3ya.example", 443),
        ("wss://１２７.0.0.1", "127.0.0.1", 443),
    ],
)
def test_where_it_leads(url: str, host: str, port: int) -> None:
    target = target_of(Purpose.LIVEKIT, url)

    assert isinstance(target, Target)
    assert (target.host, target.port) == (host, port)


def test_one_special_address_among_public_ones_refuses_them_all() -> None:
    target = Target(Purpose.WEBHOOK, "https", "example.com", 443)

    assert refusal(target, ["8.8.8.8", "1.1.1.1"], frozenset()) is None
    assert "10.0.0.1" in (refusal(target, ["8.8.8.8", "10.0.0.1"], frozenset()) or "")


def test_what_is_allowed_is_allowed_for_its_purpose_and_port_alone() -> None:
    allowed = frozenset({Allowed(Purpose.STORAGE, "minio", 9000)})

    assert refusal(Target(Purpose.STORAGE, "http", "minio", 9000), ["10.0.0.1"], allowed) is None
    for target in (
        Target(Purpose.WEBHOOK, "http", "minio", 9000),
        Target(Purpose.STORAGE, "http", "minio", 9001),
        Target(Purpose.STORAGE, "http", "10.0.0.1", 9000),
    ):
        assert refusal(target, ["10.0.0.1"], allowed)


def test_an_entry_of_outbound_allow_names_purpose_host_and_port() -> None:
    assert allowed_from("livekit=LiveKit:7880") == Allowed(Purpose.LIVEKIT, "livekit", 7880)
    assert allowed_from("webhook=[::1]:80") == Allowed(Purpose.WEBHOOK, "::1", 80)
    for text in ("livekit", "livekit=host", "mail=host:25", "livekit=:80", "livekit=host:0", "livekit=host:x", "=a:1"):
        with pytest.raises(ValueError, match="purpose=host:port"):
            allowed_from(text)
