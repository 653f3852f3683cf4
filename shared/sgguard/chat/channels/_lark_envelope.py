"""The envelope of Lark's callbacks: signature, encryption, and the token inside.

Source: open.feishu.cn (event security, card callback), 2026-11-28.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sgguard.chat import base, cipher, proof
from sgguard.chat.base import Json, Setup
from sgguard.errors import EventError
from sgguard.events.base import parse_json

_KEY_BYTES = 16
_PADDING = 16
_NESTED_MAX = 2


def signature(content: bytes) -> str:
    """Return hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


def value_of(value: Any) -> Json:
    """Return an object that came as itself or as JSON in texts; empty for anything else."""
    for _ in range(_NESTED_MAX):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return {}
    return value if isinstance(value, dict) else {}


def decrypted(outer: Json, keys: Sequence[str]) -> Json:
    """Return what is inside: key SHA-256 of the encrypt key, the first 16 bytes are the IV."""
    text = outer.get("encrypt")
    if text is None:
        return outer
    try:
        content = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError):
        raise proof.unreadable() from None
    iv, secret = content[:_KEY_BYTES], content[_KEY_BYTES:]
    for key in keys:
        made = hashlib.sha256(key.encode()).digest()
        try:
            found = parse_json(cipher.decrypt(made, iv, secret, padding=_PADDING))
        except EventError:
            continue
        if isinstance(found, dict):
            return found
    raise proof.forged()


def require_token(payload: Json, setup: Setup) -> None:
    """Refuse what does not carry the app's verification token, or is of another app."""
    given = base.texts(payload, "header", "token") or base.texts(payload, "token")
    if not proof.is_one_of(given, setup.every("TOKEN")):
        raise proof.forged()
    app = base.texts(payload, "header", "app_id")
    if "header" in payload and setup.config.app and app != setup.config.app:
        raise proof.forged()
