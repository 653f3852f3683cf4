"""What each kind of proof needs of its table beside what the schema says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from sgguard.errors import Problem

Table = Mapping[str, Any]

LISTED = {"bearer": "hashes", "platform": "name"}
"""Proofs that are written without a table of their own, and the key their value stands for."""

_UNTIL = re.compile(r"sha256:(?P<digest>[0-9a-f]{64})(?: until (?P<day>.{10}))?")
_TOPIC = re.compile(r"urn:smn:(?P<region>[a-z0-9-]+):[0-9A-Za-z]+:[\w-]+", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SENDERS = {"alibaba": "alibaba-eventbridge", "smn": "smn"}
_SCHEMES = {"github": "github", "terraform-run-task": "terraform"}


def as_table(kind: str, proof: Any) -> dict[str, Any]:
    """Return a proof as a table, however it was written."""
    return {LISTED[kind]: proof} if kind in LISTED else dict(proof)


def usual_sender(kind: str, proof: Any) -> str:
    """Return the product that a proof belongs to; empty where any may use it."""
    return _SCHEMES.get(proof["scheme"], "") if kind == "hmac" else _SENDERS.get(kind, "")


def hashes(kind: str, proof: Table) -> tuple[str, ...]:
    """Return the hashes of whole secrets, which no two callers may share."""
    return digests(proof["hashes"]) if kind in ("bearer", "header") else ()


def digests(entries: list[str]) -> tuple[str, ...]:
    """Return the digests in hexadecimal, without the days until which they hold."""
    return tuple(entry.removeprefix("sha256:")[:64] for entry in entries)


def holding(entries: list[str], today: date) -> tuple[str, ...]:
    """Return the digests that hold today, in their order: the first is the newest secret's."""
    found = (_UNTIL.fullmatch(entry) for entry in entries)
    return tuple(
        one["digest"]
        for one in found
        if one and not (one["day"] and today > date.fromisoformat(one["day"]))
    )


def region_of(topic: str) -> str:
    """Return the region of an SMN topic's URN; empty for what is no such URN."""
    found = _TOPIC.fullmatch(topic)
    return found["region"] if found else ""


def mistakes(where: str, kind: str, proof: Table) -> Iterator[Problem]:
    """Yield what contradicts itself in the table of one proof."""
    at = where.removesuffix("/hashes")
    for key in ("hashes", "tokens"):
        for number, entry in enumerate(proof.get(key, ())):
            place = f"{at}/{number}" if kind in LISTED else f"{at}/{key}/{number}"
            yield from _day(place, entry)
    if kind in _CHECKS:
        yield from _CHECKS[kind](where, proof)


def _day(where: str, entry: str) -> Iterator[Problem]:
    found = _UNTIL.fullmatch(entry)
    try:
        if found and found["day"]:
            date.fromisoformat(found["day"])
    except ValueError:
        yield Problem(where, "has a day that no calendar has", "a day such as 2027-03-31")


def _jwt(where: str, proof: Table) -> Iterator[Problem]:
    sources = [key for key in ("jwks", "jwks_file") if key in proof]
    if len(sources) != 1:
        found = "has jwks and jwks_file" if sources else "has no keys"
        yield Problem(where, found, "jwks (an address) or jwks_file (a path)")
    if "jwks" in proof and not _is_safe(proof["jwks"]):
        yield Problem(f"{where}/jwks", "is no https address", "https://… (http only to loopback)")
    if not (proof.get("subjects") or proof.get("emails") or proof.get("claims")):
        # An audience alone proves nothing: every customer of an issuer can ask for any.
        yield Problem(where, "names no sender", "subjects, emails or claims beside the audience")


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
    is_tls = parts.scheme == "https"
    return is_whole and (is_tls or (parts.scheme == "http" and parts.hostname in _LOOPBACK))


def _proxy(where: str, proof: Table) -> Iterator[Problem]:
    for number, peer in enumerate(proof["peers"]):
        try:
            # A network that is written with bits of a host is most likely a mistake.
            width = 0 if peer == "unix" else ip_network(peer).prefixlen
        except ValueError:
            right = "a network such as 10.0.0.0/8, an address, or unix"
            yield Problem(f"{where}/peers/{number}", f"is {peer}, which is no network", right)
            continue
        if peer != "unix" and width == 0:
            yield Problem(f"{where}/peers/{number}", "is every address", "the proxy's addresses")


def _xfcc(where: str, proof: Table) -> Iterator[Problem]:
    yield from _proxy(where, proof)
    if not any(proof.get(key) for key in ("uris", "subjects", "fingerprints")):
        yield Problem(where, "names no sender", "uris, subjects or fingerprints")


def _alibaba(where: str, proof: Table) -> Iterator[Problem]:
    if urlsplit(proof["url"]).scheme not in ("http", "https"):
        yield Problem(f"{where}/url", "is no address", "the address configured at the event bus")


def _smn(where: str, proof: Table) -> Iterator[Problem]:
    for number, topic in enumerate(proof["topics"]):
        if not region_of(topic):
            right = "a topic such as urn:smn:cn-north-4:<project>:guard"
            yield Problem(f"{where}/topics/{number}", "is no topic", right)


_CHECKS: dict[str, Callable[[str, Table], Iterator[Problem]]] = {
    "alibaba": _alibaba,
    "jwt": _jwt,
    "smn": _smn,
    "subject": _proxy,
    "xfcc": _xfcc,
}
