"""Which internet addresses are of the public internet, and which are special: a table of IANA's two registries.

Python's `is_global` calls several of these global, and looks into no address that carries another one inside.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# iana.org/assignments/iana-ipv4-special-registry, with multicast and what is reserved (RFC 5771, RFC 1112).
SPECIAL_V4: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a provider's customers"),
    ("127.0.0.0/8", "this machine itself"),
    ("169.254.0.0/16", "link-local, where clouds answer with credentials"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "for documentation"),
    ("192.31.196.0/24", "reserved for AS112"),
    ("192.52.193.0/24", "reserved for AMT"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "reserved for AS112"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)

# iana.org/assignments/iana-ipv6-special-registry, as far as it lies in 2000::/3. Outside of that nothing is public.
SPECIAL_V6: tuple[tuple[str, str], ...] = (
    ("2001::/23", "reserved for protocols, Teredo among them"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "6to4, which carries an IPv4 address"),
    ("2620:4f:8000::/48", "reserved for AS112"),
    ("3fff::/20", "for documentation"),
)
_PUBLIC_V6 = IPv6Network("2000::/3")

# Where an IPv4 address stands in the last 32 bits; what counts is that address. RFC 4291 and RFC 6052.
_CARRY_V4: tuple[IPv6Network, ...] = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
# ISATAP (RFC 5214): an interface id that ends with an IPv4 address, under any prefix.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

_V4: tuple[tuple[IPv4Network, str], ...] = tuple((IPv4Network(network), what) for network, what in SPECIAL_V4)
_V6: tuple[tuple[IPv6Network, str], ...] = tuple((IPv6Network(network), what) for network, what in SPECIAL_V6)


def special(text: str) -> str | None:
    """What is special about this address, in a few words; None for one of the public internet."""
    try:
        address = ip_address(text)
    except ValueError:
        return "no address"
    return _special_v4(address) if isinstance(address, IPv4Address) else _special_v6(address)


def _special_v4(address: IPv4Address) -> str | None:
    return next((what for network, what in _V4 if address in network), None)


def _special_v6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "of one network card"
    if any(address in network for network in _CARRY_V4):
        return _special_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address not in _PUBLIC_V6:
        return "this machine itself" if address.is_loopback else "private or reserved"
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return "ISATAP, which carries an IPv4 address"
    return next((what for network, what in _V6 if address in network), None)


def literal(host: str) -> bool:
    """Whether the host is an address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
