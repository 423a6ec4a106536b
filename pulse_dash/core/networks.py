"""What an address of the internet counts as, where strangers are counted."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address


@lru_cache(maxsize=10_000)
def network_of(ip: str) -> str:
    """An IPv4 address is its own, an IPv6 one its /64, for one visitor has all of it. What is no address stays."""
    try:
        address = ip_address(plain(ip))
    except ValueError:
        return ip
    return str(IPv6Address(int(address) >> 64 << 64)) if isinstance(address, IPv6Address) else str(address)


def plain(hop: str) -> str:
    """An IPv4 address as such: a socket that takes both families shows it inside of IPv6 (RFC 4291, 2.5.5.2).

    A port that a proxy wrote behind it is left out."""
    if ":" not in hop:
        return hop
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        address = ip_address(hop)
    except ValueError:
        return hop
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return hop if mapped is None else str(mapped)
