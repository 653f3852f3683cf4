"""Access tokens of chat services: asked for once, kept by the process until shortly before an end.

Services limit how often a token may be asked for. What is kept here may be dropped at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from sgguard.errors import UnknownShapeError
from sgguard.telemetry.redaction import remember

Json = dict[str, Any]

_EARLY_S = 120.0
_KEPT_MAX = 32
_kept: dict[str, tuple[str, float]] = {}


def access_token(
    whose: tuple[str, ...],
    ask: Callable[[], Json],
    fields: tuple[str, str],
    *,
    now_s: float,
) -> str:
    """Return the token of an app, from ``ask`` where none is kept.

    ``fields`` name in its answer the token, and for how many seconds it holds. ``now_s`` is on any
    clock that only goes forward.

    Raises:
        UnknownShapeError: the answer has no token.
        CloudError: as ``ask``.
    """
    name = hashlib.sha256("\n".join(whose).encode()).hexdigest()
    kept = _kept.get(name)
    if kept is not None and kept[1] > now_s:
        return kept[0]
    found = ask()
    text, seconds = (found.get(one) for one in fields)
    if not isinstance(text, str) or not text:
        raise UnknownShapeError(whose[0], "access token", detail="the response has no token")
    remember(text)
    if isinstance(seconds, int):
        while len(_kept) >= _KEPT_MAX:
            _kept.pop(next(iter(_kept)), None)
        _kept[name] = (text, now_s + max(seconds - _EARLY_S, 0.0))
    return text


def forget() -> None:
    """Drop every token that is kept."""
    _kept.clear()
