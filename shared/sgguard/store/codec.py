"""Values as JSON and back: what one process writes another one must read, also later.

What is kept may be read by another sgguard, after an upgrade or beside one. A field that it does
not know would change what the rest means, so it is refused, with its name, and never ignored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from sgguard import __version__
from sgguard.errors import StoreError

T = TypeVar("T")

_WRITER = "written_by"


def dump(value: Any) -> str:
    """Return a value as JSON, the same text for the same value."""
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def stamped(value: Any) -> str:
    """Return a value as JSON that also names the sgguard that wrote it, for :func:`load`."""
    return msgspec.json.encode({**msgspec.to_builtins(value), _WRITER: __version__}).decode()


def load(kind: type[T], text: str) -> T:
    """Build the value again from the text of :func:`dump` or :func:`stamped`.

    Raises:
        StoreError: the text is not one of this kind, or has a field that this sgguard does not
            know; the message says where, and which sgguard wrote it.
    """
    try:
        raw = msgspec.json.decode(text)
        writer = raw.pop(_WRITER, "") if isinstance(raw, dict) else ""
        value = msgspec.convert(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the stored value is no {kind.__name__}: {error}") from error
    known = msgspec.to_builtins(value)
    if raw != known and (unknown := next(_unknown(raw, known, ""), "")):
        who = f"sgguard {writer}" if writer else "another sgguard"
        raise StoreError(
            f"the stored {kind.__name__} has a field {unknown!r} that sgguard {__version__} does "
            f"not know: {who} wrote it; use that one"
        )
    return value


def _unknown(raw: Any, known: Any, path: str) -> Iterator[str]:
    """Yield the paths of fields that were read from a text and are not in its value."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for name, one in raw.items():
            if name not in known:
                yield f"{path}.{name}" if path else str(name)
            elif isinstance(one, dict | list):
                yield from _unknown(one, known[name], f"{path}.{name}" if path else str(name))
    elif isinstance(raw, list) and isinstance(known, list | tuple):
        for number, (one, other) in enumerate(zip(raw, known, strict=True)):
            if isinstance(one, dict | list):
                yield from _unknown(one, other, f"{path}[{number}]")


def digest(value: Any) -> str:
    """Return a hash that is the same for the same value (SHA-256, hexadecimal)."""
    return hashlib.sha256(dump(value).encode()).hexdigest()
