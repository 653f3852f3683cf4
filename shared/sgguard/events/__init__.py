"""Where events come from: one file per source in ``sources/``, each turning bytes into events.

A source of our own events defines ``claims`` and ``read`` (see :class:`~.base.Source`), one of a
cloud's events ``claims``, ``unwrapped`` and ``occurrences`` (see :class:`~.native.CloudSource`).
It is found by its name; a module whose name begins with an underscore is no source, but what
several of them share.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import cast

from sgguard.events import native, sources
from sgguard.events.base import Delivery, Kind, Source

__all__ = ["Delivery", "Kind", "cloud_sources", "read"]


def read(headers: Mapping[str, str], body: bytes, kind: Kind) -> Delivery:
    """Read one delivery: the source that claims it turns it into events.

    ``headers`` have lower-case names.

    Raises:
        EventError: the delivery as a whole cannot be read: of an unknown format, not JSON, or its
            only event is wrong. Events of a batch carry their own errors.
    """
    if kind.takes:
        found = native.read(headers, body, kind, cloud_sources())
        if found is not None:
            return found
    formats = [one for one in _sources() if not native.is_cloud_source(one)]
    source = max(formats, key=lambda source: source.claims(headers))
    return source.read(headers, body, kind)


def cloud_sources() -> tuple[native.CloudSource, ...]:
    """Return the sources of the clouds' own events, in the order of their names."""
    return tuple(one for one in _sources() if native.is_cloud_source(one))


@lru_cache(maxsize=1)
def _sources() -> tuple[Source, ...]:
    return tuple(
        cast(Source, import_module(f"{sources.__name__}.{module.name}"))
        for module in pkgutil.iter_modules(sources.__path__)
        if not module.name.startswith("_")
    )
