"""A token of 256 random bits in ``Authorization: Bearer``; what is kept of it is its SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.secret import matching, shown
from sgguard.policy.proof import holding


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Compare the token's hash with all of the caller's that hold today."""
    value = arrival.header("authorization")
    scheme, _, token = (value or "").partition(" ")
    if value is None or scheme.lower() != "bearer":
        return None
    if single(token) is None or " " in token:
        raise RefusedError("the bearer token is no single token")
    hit = matching(token.encode(), holding(proof["hashes"], tools.today()))
    if not hit:
        raise RefusedError("the bearer token is another one")
    return Held(shown(hit))
