"""Alibaba EventBridge's signature V2 of an HTTP target, with a certificate of the region's.

Every customer of EventBridge can have it sign events to any address. So the token that was set at
the target is required, too: it is in the signed text, and its hash in the policy. V1 is refused:
its "secret" can be read from one request by everybody, who can then sign anything with it.

Source: https://help.aliyun.com/en/eventbridge/user-guide/signature-algorithm (read 2026-11); the
page ends the signed text with the body, the Java reference with a line break after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.certificate import CERTIFICATES, as_bytes
from sgguard.callers.secret import matching, shown
from sgguard.policy.proof import holding

WINDOW_S = 60.0

_PREFIX = "x-eventbridge-"
_SIGNED = (
    f"{_PREFIX}signature-timestamp",
    f"{_PREFIX}hash-method",
    f"{_PREFIX}signature-version",
    f"{_PREFIX}signature-url",
)
_TOKEN = f"{_PREFIX}signature-token"
_CERTIFICATE = re.compile(
    r"https://(?P<region>[a-z0-9-]+)-eventbridge\.oss-accelerate\.aliyuncs\.com"
    r"/x509_public_certificate_[A-Za-z0-9_-]{1,64}\.pem",
    re.ASCII,
)
_TIMESTAMP = re.compile(r"[0-9]{13}")


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check token, certificate's address, signature and time."""
    given = arrival.header(f"{_PREFIX}signature-v2")
    if given is None and arrival.header(f"{_PREFIX}signature") is not None:
        raise RefusedError("it has a signature V1 only, which everybody can forge")
    if given is None:
        return None
    values = [single(arrival.header(name) or "") for name in (*_SIGNED, _TOKEN)]
    if single(given) is None or None in values:
        raise RefusedError("a header of the signature is missing, or came twice")
    moment, method, version, url, token = map(str, values)
    if (method, version) != ("SHA256", "1.0") or not _TIMESTAMP.fullmatch(moment):
        raise RefusedError("the signature is of another method or version, or has no time")
    if not is_pinned(url, proof["regions"]):
        raise RefusedError("the certificate's address is not one of EventBridge in these regions")
    hit = matching(token.encode(), holding(proof["tokens"], tools.today()))
    if hit is None:
        raise RefusedError("the token of the target is another one")
    signature = as_bytes(given)
    text = signed_text(proof["url"], arrival)
    if not CERTIFICATES.verify(url, signature, (text, text + b"\n"), tools):
        raise RefusedError("the signature is not by the certificate's key")
    skew_s = tools.now() - int(moment) / 1000
    if abs(skew_s) > WINDOW_S:
        raise RefusedError(f"the signature is {abs(skew_s):.0f} s away from now", skew_s)
    return Held(shown(hit), subject=url.rpartition("/")[2], covers="body")


def is_pinned(url: str, regions: list[str]) -> bool:
    """Return whether a certificate's address is whole one of EventBridge's in these regions.

    The host is a bucket's name, and anybody may own another one that ends like it.
    """
    found = _CERTIFICATE.fullmatch(url)
    return found is not None and found["region"] in regions


def signed_text(url: str, arrival: Arrival) -> bytes:
    """Return what is signed: the configured address, the headers in their order, the body."""
    names = [name for name in (*_SIGNED, _TOKEN) if arrival.header(name) is not None]
    lines = [url, *(f"{name}: {arrival.header(name)}" for name in names)]
    return "\n".join(lines).encode() + b"\n" + arrival.body
