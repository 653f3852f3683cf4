"""Envoy's ``X-Forwarded-Client-Cert``: the client certificate that a trusted proxy has seen.

Elements are appended by each proxy, so those on the left may be anybody's words: they count from
the right. A value is unquoted while it is read, not after a split: a subject may hold ``;URI=``.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
"x-forwarded-client-cert", read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools
from sgguard.callers.proxy import require_trusted

HEADER = "x-forwarded-client-cert"

Element = dict[str, list[str]]

_PAIR = re.compile(r'(?P<key>[A-Za-z]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^",;]*+))')
_LENGTH_MAX = 16 * 1024


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check the peer, then the element that it (or the proxy so many hops before it) appended."""
    value = arrival.header(HEADER)
    if value is None:
        return None
    require_trusted(proof, arrival, tools)
    found, hops = elements(value), int(proof.get("hops", 1))
    if found is None or len(found) < hops:
        raise RefusedError(f"{HEADER} cannot be read, or has no element so far to the right")
    element = found[-hops]
    for key, listed in (("uri", "uris"), ("subject", "subjects"), ("hash", "fingerprints")):
        hit = next((one for one in element.get(key, ()) if one in proof.get(listed, ())), None)
        if hit is not None:
            return Held(subject=hit)
    raise RefusedError("the client certificate is another one's")


def elements(value: str) -> list[Element] | None:
    """Return the elements from left to right, keys in lower case; None where it is malformed."""
    if not (value.isascii() and value.isprintable() and len(value) <= _LENGTH_MAX):
        return None
    found: list[Element] = [{}]
    at = 0
    while True:
        pair = _PAIR.match(value, at)
        if pair is None:
            return None
        quoted = pair["quoted"]
        text = pair["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        found[-1].setdefault(pair["key"].lower(), []).append(text)
        at = pair.end()
        if at == len(value):
            return found
        if value[at] == ",":
            found.append({})
        elif value[at] != ";":
            return None
        at += 1
        while value[at : at + 1] == " ":  # a server that joins two headers writes ", "
            at += 1
