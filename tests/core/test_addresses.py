"""Addresses: whatever lies in a special range is told so, also when it is carried inside of another address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_dash.core.addresses import SPECIAL_V4, SPECIAL_V6, special

V4 = [IPv4Network(network) for network, _ in SPECIAL_V4]
V6 = [IPv6Network(network) for network, _ in SPECIAL_V6]


def inside(networks: list[IPv4Network] | list[IPv6Network]) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    """Any address of any of these, their first and last among them."""
    return st.sampled_from([*networks]).flatmap(
        lambda network: st.one_of(
            st.sampled_from([network[0], network[-1]]),
            st.integers(0, network.num_addresses - 1).map(network.__getitem__),
        )
    )


@given(inside(V4))
def test_every_address_of_a_special_ipv4_range_is_special(address: IPv4Address) -> None:
    assert special(str(address))


@given(inside(V6))
def test_every_address_of_a_special_ipv6_range_is_special(address: IPv6Address) -> None:
    assert special(str(address))


@given(inside(V4), st.integers(0, 2**64 - 1))
def test_an_ipv6_address_that_carries_a_special_ipv4_is_special(address: IPv4Address, rest: int) -> None:
    number = int(address)
    carried = {
        "mapped": 0xFFFF << 32 | number,
        "compatible": number,
        "nat64": 0x64FF9B << 96 | number,
        "local nat64": 0x64FF9B0001 << 80 | (rest & 0xFFFFFFFF) << 32 | number,
        "6to4": 0x2002 << 112 | number << 80 | rest,
        "teredo": 0x20010000 << 96 | rest << 32 & (2**96 - 1) | (number ^ 0xFFFFFFFF),
        "isatap": 0x2A00 << 112 | (rest & 0xFFFF) << 64 | 0x5EFE << 32 | number,
    }
    for how, value in carried.items():
        assert special(str(IPv6Address(value))), how


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_python_calls_not_global_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        # NAT64 and mapped addresses are judged by what they carry.
        carries = isinstance(address, IPv6Address) and int(address) >> 32 in (0xFFFF, 0x64FF9B << 64)
        assert special(str(address)) or carries


@given(st.integers(0x2A00 << 112, (0x2A10 << 112) - 1).map(IPv6Address))
def test_a_european_address_is_public_unless_it_is_isatap(address: IPv6Address) -> None:
    isatap = int(address) >> 32 & 0xFFFFFFFF in (0x5EFE, 0x2005EFE)

    assert bool(special(str(address))) is isatap


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "1.1.1.1",
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "223.255.255.255",
        "2606:4700::1111",
    ],
)
def test_the_public_internet_is_public(address: str) -> None:
    assert special(address) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1%eth0", "::", "::1"]
)
def test_where_clouds_answer_with_credentials_is_special(address: str) -> None:
    assert special(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1/32", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert special(text)


def test_the_tables_are_in_order_and_do_not_overlap() -> None:
    for networks in (V4, V6):
        assert networks == sorted(networks)
        assert not any(one.overlaps(other) for one, other in pairwise(networks))
    assert ip_address("2000::") in IPv6Network("2000::/3")
