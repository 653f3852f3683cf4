"""Whether a request came through a proxy whose word counts about who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from sgguard.callers.base import Arrival, RefusedError, Tools, single
from sgguard.callers.secret import matching
from sgguard.policy.proof import holding


def require_trusted(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> None:
    """Refuse a request whose peer's word does not count.

    It counts from the listed peers, together with the shared secret where one is configured.

    Raises:
        RefusedError: it does not count.
    """
    if not _is_listed(arrival.peer, proof["peers"]):
        raise RefusedError("the peer is not one of those that are believed")
    shared = proof.get("shared")
    if shared is None:
        return
    token = single(arrival.header(shared["name"]) or "")
    if token is None or not matching(token.encode(), holding(shared["hashes"], tools.today())):
        raise RefusedError(f"the proxy's secret in {shared['name']} is missing or another one")


def _is_listed(peer: str, listed: list[str]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return not peer and "unix" in listed
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ip_network(one) for one in listed if one != "unix")
