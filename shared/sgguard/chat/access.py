"""Access tokens of chat services: asked for once, kept by the process until shortly before an end.

Services limit how often a token may be asked for. What is kept here may be dropped at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from sgguard.errors import CloudError, UnknownShapeError
from sgguard.telemetry.redaction import remember

Json = dict[str, Any]

_EARLY_S = 120.0
_KEPT_MAX = 32
_kept: dict[str, tuple[str, float]] = {}


class Access(msgspec.Struct, frozen=True):
    """How an app gets its token: from ``ask``.

    ``fields`` name in its answer the token, and for how many seconds it holds. By the codes in
    ``stale`` the service says that a token holds no more, whatever it said before. ``now_s`` is on
    any clock that only goes forward.
    """

    whose: tuple[str, ...]
    ask: Callable[[], Json]
    fields: tuple[str, str]
    stale: frozenset[str]
    now_s: float

    @property
    def name(self) -> str:
        """Return what the token is kept by; no secret can be read from it."""
        return hashlib.sha256("\n".join(self.whose).encode()).hexdigest()


def with_token(access: Access, use: Callable[[str], Json]) -> Json:
    """Return what ``use`` returns for the token of an app.

    One that the service refuses is dropped: the next call asks for another.

    Raises:
        UnknownShapeError: the answer has no token.
        CloudError: as ``ask`` and ``use``.
    """
    token = _token(access)
    try:
        return use(token)
    except CloudError as error:
        if error.code in access.stale:
            _kept.pop(access.name, None)
        raise


def _token(access: Access) -> str:
    name, now_s = access.name, access.now_s
    kept = _kept.get(name)
    if kept is not None and kept[1] > now_s:
        return kept[0]
    found = access.ask()
    text, seconds = (found.get(one) for one in access.fields)
    if not isinstance(text, str) or not text:
        raise UnknownShapeError(access.whose[0], "access token", detail="the response has no token")
    remember(text)
    if isinstance(seconds, int):
        while len(_kept) >= _KEPT_MAX:
            _kept.pop(next(iter(_kept)), None)
        _kept[name] = (text, now_s + max(seconds - _EARLY_S, 0.0))
    return text


def forget() -> None:
    """Drop every token that is kept."""
    _kept.clear()
