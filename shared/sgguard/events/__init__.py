"""Where events come from: one file per source in ``sources/``, each turning bytes into events.

A source defines ``claims`` and ``read`` (see :class:`~.base.Source`). It is found by its name; a
module whose name begins with an underscore is no source, but what several of them share.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import cast

from sgguard.events import sources
from sgguard.events.base import Delivery, Kind, Source

__all__ = ["Delivery", "Kind", "read"]


def read(headers: Mapping[str, str], body: bytes, kind: Kind) -> Delivery:
    """Read one delivery: the source that claims it turns it into events.

    ``headers`` have lower-case names.

    Raises:
        EventError: the delivery as a whole cannot be read: of an unknown format, not JSON, or its
            only event is wrong. Events of a batch carry their own errors.
    """
    source = max(_sources(), key=lambda source: source.claims(headers))
    return source.read(headers, body, kind)


@lru_cache(maxsize=1)
def _sources() -> tuple[Source, ...]:
    return tuple(
        cast(Source, import_module(f"{sources.__name__}.{module.name}"))
        for module in pkgutil.iter_modules(sources.__path__)
        if not module.name.startswith("_")
    )
