"""Huawei APIG's backend signature: the scheme of our own requests to Huawei, checked.

The signed text has method, path, query, the signed headers and the body. A body that is taken out
of it (``UNSIGNED-PAYLOAD``) is refused. Source: ``wire/sdk_hmac.py``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools
from sgguard.callers.secret import key_name, keys
from sgguard.wire import sdk_hmac

_DATE = "x-sdk-date"
_DIGEST = "x-sdk-content-sha256"


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check the signature by each of the caller's keys, then its time."""
    given = sdk_hmac.parse_authorization(arrival.header("authorization") or "")
    if given is None or given.access != proof["access"]:
        return None
    date = arrival.header(_DATE)
    epoch_s = sdk_hmac.epoch_of(date or "")
    if date is None or epoch_s is None or _DATE not in given.signed_headers:
        raise RefusedError(f"{_DATE} is missing, unsigned, or no time")
    if arrival.header(_DIGEST) is not None:
        raise RefusedError("the body's digest is the sender's word: leave x-sdk-content-sha256 out")
    path, _, query = arrival.target.partition("?")
    try:
        canonical = sdk_hmac.canonical_request(
            method=arrival.method,
            path=path,
            query=parse_qsl(query, keep_blank_values=True),
            headers=arrival.headers,
            signed_headers=given.signed_headers,
            body=arrival.body,
        )
        text = sdk_hmac.string_to_sign(canonical, date)
    except (KeyError, ValueError):
        raise RefusedError("a signed header is missing, or the address cannot be read") from None
    signature = given.signature.encode()
    hits = [
        key
        for key in keys(proof["secrets"], tools.env)
        if hmac.compare_digest(sdk_hmac.sign(key.decode(), text).encode(), signature)
    ]
    if not hits:
        raise RefusedError("the signature is not by a key of this caller")
    skew_s = tools.now() - epoch_s
    if abs(skew_s) > sdk_hmac.MAX_SKEW_S:
        raise RefusedError(f"{_DATE} is {abs(skew_s):.0f} s away from now", skew_s)
    attributes = {name for name in arrival.headers if name.startswith("ce-")}
    is_whole = attributes <= set(given.signed_headers)
    return Held(key_name(hits[0]), covers="request" if is_whole else "body")
