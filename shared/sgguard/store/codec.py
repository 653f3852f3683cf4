"""Values as JSON and back: what one process writes another one must read, also later."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from sgguard import lazy
from sgguard.errors import StoreError

if TYPE_CHECKING:
    import msgspec
else:
    msgspec = lazy("msgspec")  # 25 ms that only carrying out a plan is worth

T = TypeVar("T")


def dump(value: Any) -> str:
    """Return a value as JSON, the same text for the same value."""
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def load(kind: type[T], text: str) -> T:
    """Build the value again from :func:`dump`'s text.

    Raises:
        StoreError: the text is not one of this kind; the message says where.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the stored value is no {kind.__name__}: {error}") from error


def digest(value: Any) -> str:
    """Return a hash that is the same for the same value (SHA-256, hexadecimal)."""
    return hashlib.sha256(dump(value).encode()).hexdigest()
