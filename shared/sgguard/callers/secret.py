"""Secrets of callers: tokens compared by their hashes, and keys read from where they are.

A token has 256 random bits, so one SHA-256 protects it: there is nothing to guess, and a slow hash
would cost every request without a caller 60 ms and more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sgguard.errors import KeysError
from sgguard.telemetry import redaction

PREFIX = "sgg_"
BYTES_MIN = 24
"""The shortest key that signs (Standard Webhooks asks for 24 bytes)."""

_SHOWN_DIGITS = 8
_FILE_MAX = 4096


def new_token(name: str, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a new token of a caller: a prefix that scanners find, and 256 random bits."""
    bits = base64.urlsafe_b64encode(random(32)).rstrip(b"=").decode()
    return f"{PREFIX}{name}_{bits}"


def hash_of(token: str) -> str:
    """Return what the policy keeps of a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def matching(token: bytes, digests: Sequence[str]) -> str | None:
    """Return the digest that is the token's, None without one; every digest is compared."""
    found = hashlib.sha256(token).hexdigest().encode()
    hits = [one for one in digests if hmac.compare_digest(one.encode(), found)]
    return hits[0] if hits else None


def shown(digest: str) -> str:
    """Return the part of a digest that tells it from others, as logs and decisions have it."""
    return digest[:_SHOWN_DIGITS]


def key_name(secret: bytes) -> str:
    """Return what tells one key from another, without telling anything of it."""
    return shown(hashlib.sha256(b"sgguard key\n" + secret).hexdigest())


def keys(places: Sequence[Mapping[str, str]], env: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the keys that can be read, in their order.

    Raises:
        KeysError: none can be read.
    """
    found, why = [], ""
    for place in places:
        try:
            found.append(key(place, env))
        except KeysError as error:
            why = str(error)
    if not found:
        raise KeysError(why)
    return tuple(found)


def key(place: Mapping[str, str], env: Mapping[str, str]) -> bytes:
    """Return one key; from now on it is taken out of every text.

    Raises:
        KeysError: it cannot be read, or is empty.
    """
    if "env" in place:
        text, where = env.get(place["env"], "").strip(), f"the variable {place['env']}"
    else:
        where = f"the file {place['file']}"
        try:
            with Path(place["file"]).open(encoding="utf-8") as file:
                text = file.read(_FILE_MAX).strip()
        except (OSError, ValueError):
            text = ""
    if not text:
        raise KeysError(f"{where} has no secret, or cannot be read")
    redaction.remember(text)
    return text.encode()
