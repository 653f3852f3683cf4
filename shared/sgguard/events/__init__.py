"""Where events come from: one file per source in ``sources/``, each turning bytes into events.

A source defines ``claims`` and ``read`` (see :class:`~.base.Source`). It is found by its name; a
module whose name begins with an underscore is no source, but what several of them share.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

from sgguard.errors import EventError
from sgguard.events import sources
from sgguard.events.base import Delivery, Event, Kind, Source

__all__ = ["Delivery", "Event", "Kind", "read", "whole"]

_CHUNK_BYTES = 65536


class Headers(Protocol):
    """The headers of a request: a dict, or what a framework has in its place."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        ...


class Readable(Protocol):
    """The body of a request, as every server hands it over."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        ...


def read(headers: Headers, body: Readable, kind: Kind, max_bytes: int) -> Delivery:
    """Read one delivery: the source that claims it turns it into events.

    Raises:
        EventError: the delivery as a whole cannot be read: too large, of an unknown format,
            not JSON, or its only event is wrong. Events of a batch carry their own errors.
    """
    named = {name.lower(): value for name, value in headers.items()}
    content = whole(headers, body, max_bytes)
    source = max(_sources(), key=lambda source: source.claims(named))
    return source.read(named, content, kind)


def whole(headers: Headers, body: Readable, max_bytes: int) -> bytes:
    """Return the whole body of a request.

    Raises:
        EventError: it is too large, compressed, or does not come to its end.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if named.get("content-encoding", "identity").strip().lower() != "identity":
        raise EventError("compressed bodies are not read here", status=415)
    return _content(named, body, max_bytes)


@lru_cache(maxsize=1)
def _sources() -> tuple[Source, ...]:
    return tuple(
        cast(Source, import_module(f"{sources.__name__}.{module.name}"))
        for module in pkgutil.iter_modules(sources.__path__)
        if not module.name.startswith("_")
    )


def _content(headers: dict[str, str], body: Readable, max_bytes: int) -> bytes:
    """Return the whole body; one that is too large is not read to its end."""
    too_large = EventError(f"the body is larger than {max_bytes} bytes", status=413)
    length = headers.get("content-length", "")
    # Digits beyond any size are not even turned into a number.
    if length.isdecimal() and (len(length) > len(str(max_bytes)) or int(length) > max_bytes):
        raise too_large
    content = bytearray()
    try:
        while len(content) <= max_bytes and (
            chunk := body.read(min(_CHUNK_BYTES, max_bytes + 1 - len(content)))
        ):
            content += chunk
    except Exception as error:  # each server has an exception of its own for a lost sender
        raise EventError("the body could not be read to its end") from error
    if len(content) > max_bytes:
        raise too_large
    return bytes(content)
