"""Which addresses may be called at all: those that anybody on the internet may have.

For IPv6 only what is assigned as global unicast may (2000::/3), for IPv4 everything but the blocks
below. Forms that carry an IPv4 address inside of an IPv6 address are refused whatever they carry:
what becomes of them is decided by a router that nobody here knows.

Source: the IANA special-purpose address registries (RFC 6890, read 2026-11); the addresses of
clouds' metadata services from their own documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_V4 = tuple(
    (IPv4Network(text), what)
    for text, what in (
        # The more telling name of a single address comes before its block.
        ("169.254.169.254/32", "a metadata service"),
        ("169.254.0.23/32", "a metadata service"),
        ("169.254.170.2/32", "a metadata service"),
        ("100.100.100.200/32", "a metadata service"),
        ("192.0.0.192/32", "a metadata service"),
        ("168.63.129.16/32", "a metadata service"),
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a carrier's shared network"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documents"),
        ("192.31.196.0/24", "reserved for AS112"),
        ("192.52.193.0/24", "reserved for AMT"),
        ("192.88.99.0/24", "a relay of 6to4"),
        ("192.168.0.0/16", "a private network"),
        ("192.175.48.0/24", "reserved for AS112"),
        ("198.18.0.0/15", "reserved for measurements"),
        ("198.51.100.0/24", "reserved for documents"),
        ("203.0.113.0/24", "reserved for documents"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_GLOBAL = IPv6Network("2000::/3")
_V6 = tuple(
    (IPv6Network(text), what)
    for text, what in (
        ("fd00:ec2::254/128", "a metadata service"),
        ("fd20:ce::254/128", "a metadata service"),
        ("::/128", "this host"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "an IPv4 address in an IPv6 one"),
        ("::/96", "an IPv4 address in an IPv6 one"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("fc00::/7", "a private network"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "a private network"),
        ("ff00::/8", "multicast"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "reserved for documents"),
        ("2002::/16", "a 6to4 address"),
        ("2620:4f:8000::/48", "reserved for AS112"),
        ("3ffe::/16", "reserved"),
        ("3fff::/20", "reserved for documents"),
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The upper half of an interface's id that carries an IPv4 address (RFC 5214, 6.1)."""


def refusal(address: str, also: Sequence[Network] = ()) -> str:
    """Return what is wrong with calling an address, in words; empty where nothing is.

    ``also`` are networks that are refused besides.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "no address"
    what = _v4(found) if isinstance(found, IPv4Address) else _v6(found)
    return what or ("refused by the policy" if any(found in one for one in also) else "")


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own, in its plain form."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.is_loopback and getattr(found, "ipv4_mapped", None) is None


def _v4(address: IPv4Address) -> str:
    return next((what for network, what in _V4 if address in network), "")


def _v6(address: IPv6Address) -> str:
    if address.scope_id is not None:
        return "an address with a zone"
    for network, what in _V6:
        if address in network:
            return what
    if address not in _GLOBAL:
        return "no address of the internet"
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return "an IPv4 address in an IPv6 one"
    return ""
