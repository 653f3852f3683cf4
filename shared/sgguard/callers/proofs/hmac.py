"""HMAC signatures over the body: Standard Webhooks, GitHub, and Terraform's run tasks.

None of them signs a header beside its own, so no attribute of an event in ``ce-`` headers counts.
GitHub and Terraform sign neither an id nor a time; Standard Webhooks signs both.

Source: https://github.com/standard-webhooks/standard-webhooks (spec, read 2026-11); GitHub
"Validating webhook deliveries"; HashiCorp "Run tasks integration".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.secret import BYTES_MIN, key_name, keys
from sgguard.errors import KeysError

WINDOW_S = 300.0
"""How far the time of a Standard Webhook may be from ours, both ways."""

_PLAIN: dict[str, tuple[str, re.Pattern[str], Callable[..., Any]]] = {
    "github": ("x-hub-signature-256", re.compile(r"sha256=([0-9a-f]{64})"), hashlib.sha256),
    "terraform-run-task": (
        "x-tfc-task-signature",
        re.compile(r"([0-9a-f]{128})"),
        hashlib.sha512,
    ),
}
_ONE_OF_STANDARD = re.compile(r"v1,([A-Za-z0-9+/]{43}=)")
_SIGNATURES_MAX = 16
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_PREFIX = b"whsec_"


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check the signature by each of the caller's keys."""
    return (_plain if proof["scheme"] in _PLAIN else _standard)(proof, arrival, tools)


def _plain(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check a signature in hexadecimal over the body alone."""
    name, shape, digest = _PLAIN[proof["scheme"]]
    value = arrival.header(name)
    if value is None:
        return None
    found = shape.fullmatch(value)
    if found is None:
        raise RefusedError(f"the header {name} is no signature of this scheme")
    given = found[1].encode()
    hits = [
        key
        for key in keys(proof["secrets"], tools.env)
        if hmac.compare_digest(hmac.new(key, arrival.body, digest).hexdigest().encode(), given)
    ]
    if not hits:
        raise RefusedError(f"the signature in {name} is not by a key of this caller")
    return Held(key_name(hits[0]), covers="body")


def _standard(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    event_id, moment, signatures = (arrival.header(name) for name in names)
    if signatures is None:
        return None
    if event_id is None or moment is None:
        raise RefusedError("webhook-id or webhook-timestamp is missing")
    if single(event_id) is None or not _TIMESTAMP.fullmatch(moment):
        raise RefusedError("webhook-id or webhook-timestamp cannot be read")
    signed = b".".join((event_id.encode(), moment.encode(), arrival.body))
    texts = signatures.split(" ")[:_SIGNATURES_MAX]
    given = [one[1].encode() for text in texts if (one := _ONE_OF_STANDARD.fullmatch(text))]
    hits = [
        key
        for key in keys(proof["secrets"], tools.env)
        if any(hmac.compare_digest(_standard_signature(key, signed), one) for one in given)
    ]
    if not hits:
        raise RefusedError("no signature in webhook-signature is by a key of this caller")
    skew_s = tools.now() - int(moment)
    if abs(skew_s) > WINDOW_S:
        raise RefusedError(f"webhook-timestamp is {abs(skew_s):.0f} s away from now", skew_s)
    return Held(key_name(hits[0]), covers="body", signed_id=event_id)


def _standard_signature(key: bytes, signed: bytes) -> bytes:
    """Return the signature in base64 by a key as Standard Webhooks writes it.

    Raises:
        KeysError: the key is not base64 of at least 24 bytes.
    """
    try:
        secret = base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < BYTES_MIN:
        raise KeysError(f"a key of Standard Webhooks is no base64 of {BYTES_MIN} bytes or more")
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
