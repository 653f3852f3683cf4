"""Signatures of Standard Webhooks: an id, a time, and one signature by every key that is in use.

Source: https://github.com/standard-webhooks/standard-webhooks (spec, read 2026-11).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from sgguard.callers import secret
from sgguard.errors import KeysError

PREFIX = "whsec_"
BYTES_MIN, BYTES_MAX = 24, 64

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def key(text: str) -> bytes:
    """Return the key that is written so: ``whsec_`` and base64 of 24 to 64 bytes.

    Raises:
        KeysError: it is not.
    """
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not BYTES_MIN <= len(found) <= BYTES_MAX:
        raise KeysError(
            f"a key of callbacks is no {PREFIX} and base64 of {BYTES_MIN} to {BYTES_MAX} bytes, "
            f"such as {PREFIX}$(openssl rand -base64 32)"
        )
    return found


def keys(places: Sequence[Mapping[str, str]], env: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return every key, in the order of the policy.

    All must be there: a message that lacks a signature is refused by who knows that key alone.

    Raises:
        KeysError: one cannot be read, or there is none.
    """
    if not places:
        raise KeysError("the policy names no key of callbacks (callbacks.keys)")
    return tuple(key(secret.key(place, env).decode()) for place in places)


def headers(message_id: str, at_s: float, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the three headers of a message that is sent at this time (seconds since 1970).

    The id is the same however often the message is sent; time and signature are of each attempt.
    """
    if not _ID.fullmatch(message_id):
        raise ValueError("an id of a webhook has letters, digits, hyphens and underscores")
    moment = str(int(at_s))
    signed = b".".join((message_id.encode(), moment.encode(), body))
    signatures = (hmac.new(one, signed, hashlib.sha256).digest() for one in keys)
    texts = (f"v1,{base64.b64encode(one).decode()}" for one in signatures)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(texts),
    }
