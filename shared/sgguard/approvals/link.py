"""The signed text of a link: who may approve or deny which request, and until when.

``v1.<payload>.<signature>``, both in base64url without padding. The payload is a JSON array of
the fields of :class:`LinkToken`; the signature is HMAC-SHA256 over
``sgguard-approval.v1.<payload>`` with a key of ``SGGUARD_APPROVAL_KEY``. A token is used up with
its approval request, which is resolved exactly once; nothing about tokens is stored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
from msgspec.structs import astuple

from sgguard.errors import EventError, SettingsError
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.settings import KEY_CHARACTERS_MIN

LinkAction = Literal["approve", "deny", "restore"]

MAX_CHARACTERS = 2048
_VERSION = "v1"
_PURPOSE = b"sgguard-approval."
_FIELDS = 5


class LinkToken(msgspec.Struct, frozen=True):
    """What a link permits: one person to take one action on one request, with the facts it shows.

    ``expires_at_s`` is in whole seconds since 1970-01-01 UTC, on the store's clock.
    """

    approval_id: str
    facts_hash: str
    action: LinkAction
    approver: str
    expires_at_s: int


def sign(token: LinkToken, keys: Sequence[str], purpose: bytes = _PURPOSE) -> str:
    """Return the token as a signed text; it is a secret of its approver.

    A text that is signed for one purpose is not valid for another.

    Raises:
        SettingsError: there is no key, or one that is too short.
    """
    payload = _encode(json.dumps(astuple(token), separators=(",", ":")).encode())
    text = f"{_VERSION}.{payload}"
    return f"{text}.{_encode(_signature(text, _usable(keys)[0], purpose))}"


def read(text: str, keys: Sequence[str], now_s: float, purpose: bytes = _PURPOSE) -> LinkToken:
    """Return what a signed text permits.

    Raises:
        EventError: 403 none of the keys signed it; 410 it has expired. The text is not repeated.
        SettingsError: there is no key, or one that is too short.
    """
    signed, _, signature = text.rpartition(".")
    version, _, payload = signed.partition(".")
    if len(text) > MAX_CHARACTERS or not text.isascii() or version != _VERSION:
        raise invalid()
    given = _decode(signature)
    # Nonsense is no link, whatever is set here: anybody can send it.
    usable = _usable(keys)
    # Every key is tried, whichever fits: the time it takes does not show which.
    fitting = [hmac.compare_digest(_signature(signed, key, purpose), given) for key in usable]
    if not any(fitting):
        raise invalid()
    token = _token(_decode(payload))
    if token.expires_at_s <= now_s:
        raise refusal(EventError, said("link.expired"), status=410)
    return token


def _usable(keys: Sequence[str]) -> Sequence[str]:
    if not keys or any(len(key) < KEY_CHARACTERS_MIN for key in keys):
        raise SettingsError(
            f"links need SGGUARD_APPROVAL_KEY: at least {KEY_CHARACTERS_MIN} characters, such as "
            "those of `openssl rand -hex 32`"
        )
    return keys


def _signature(text: str, key: str, purpose: bytes) -> bytes:
    return hmac.new(key.encode(), purpose + text.encode(), hashlib.sha256).digest()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Read base64url; a spelling that :func:`_encode` does not write is refused."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid() from None
    if _encode(content) != text:
        raise invalid()
    return content


def _token(payload: bytes) -> LinkToken:
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        raise invalid() from None
    if not (isinstance(fields, list) and len(fields) == _FIELDS):
        raise invalid()
    *texts, expires_at_s = fields
    is_whole = type(expires_at_s) is int and all(isinstance(one, str) for one in texts)
    if not is_whole or fields[2] not in get_args(LinkAction):
        raise invalid()
    return LinkToken(*fields)


def invalid() -> EventError:
    """Return the error for a text that none of the keys signed for this."""
    return refusal(EventError, said("link.invalid"), status=403)
