"""What always comes to the same is found out once, not each time it is asked.

Rates of actions, stored texts as values, addresses, and which texts hold a secret: of all of these
a story asks for the same many times. ``test_recall.py`` compares stories with and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx

from sgguard.providers.openstack import api as openstack
from sgguard.store import codec, database
from sgguard.telemetry import redaction
from sgguard.wire import pacing

_KEPT = 4096
_SHORT = 200
"""Characters of a text that is written again and again; a document is not."""


def _load() -> Callable[..., Any]:
    """Values that cannot change are the same value for the same text."""
    real: Callable[..., Any] = codec.load
    known: dict[tuple[Any, str], Any] = {}

    def load(kind: Any, text: str) -> Any:
        found = known.get((kind, text))
        if found is None:
            found = real(kind, text)
            try:
                hash(found)
            except TypeError:  # something in it can be changed
                return found
            if len(known) > _KEPT // 8:
                known.clear()
            known[kind, text] = found
        return found

    return load


def _redacted() -> Callable[[str], str]:
    """A short text without secrets is so until there is another secret."""
    real, secrets = database.redacted, redaction._spellings
    clean: set[str] = set()
    seen: list[Any] = [None]

    def redacted(text: str) -> str:
        now = len(secrets), next(reversed(secrets), "")  # what is new stands last
        if seen[0] != now:
            clean.clear()
            seen[0] = now
        if text in clean:
            return text
        found = real(text)
        if found == text and len(text) < _SHORT and len(clean) < _KEPT:
            clean.add(text)
        return found

    return redacted


def _json() -> Callable[..., Any]:
    """An answer that is recalled was read before; nobody writes into it."""
    real = httpx.Response.json

    def json(response: httpx.Response) -> Any:
        found = response.extensions.get("sim-json", seen_none)
        if found is seen_none:
            found = response.extensions["sim-json"] = real(response)
        return found

    seen_none = object()
    return json


@lru_cache(maxsize=1)
def _faster() -> tuple[tuple[Any, str, Any], ...]:
    return (
        (pacing, "_fits", lru_cache(_KEPT)(pacing._fits)),
        (openstack, "_versioned", lru_cache(_KEPT)(openstack._versioned)),
        (openstack, "moved", lru_cache(_KEPT)(openstack.moved)),
        (codec, "load", _load()),
        (database, "redacted", _redacted()),
        (httpx.Response, "json", _json()),
    )


@contextmanager
def remembering() -> Iterator[None]:
    """Find out once what always comes to the same."""
    before = [(place, name, getattr(place, name)) for place, name, _ in _faster()]
    for place, name, faster in _faster():
        setattr(place, name, faster)
    try:
        yield
    finally:
        for place, name, real in before:
            setattr(place, name, real)
