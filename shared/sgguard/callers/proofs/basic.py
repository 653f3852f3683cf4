"""User and password (RFC 7617) in UTF-8; what is kept of the password is its SHA-256.

So the password must be a random one: ``sgguard callers new`` makes them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.secret import matching, shown
from sgguard.policy.proof import holding


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Split at the first colon, compare the user, and the hash of the password."""
    value = arrival.header("authorization")
    scheme, _, text = (value or "").partition(" ")
    if value is None or scheme.lower() != "basic":
        return None
    pair = _decoded(text)
    if pair is None:
        raise RefusedError("the basic authorization is not base64 of user:password")
    user, password = pair
    hit = matching(password, holding(proof["hashes"], tools.today()))
    # Both are compared whatever the first comparison gave.
    is_user = hmac.compare_digest(user, proof["user"].encode())
    if not (hit and is_user):
        raise RefusedError("user or password is another one")
    return Held(shown(hit))


def _decoded(text: str) -> tuple[bytes, bytes] | None:
    if single(text) is None:
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
        decoded.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    # One spelling for each pair: what base64 leaves over at its end is no second one.
    if base64.b64encode(decoded).decode() != text:
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None
