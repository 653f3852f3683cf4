"""How often a chat service takes messages, and how they can be replaced."""

from __future__ import annotations

import math

import msgspec


class Manner(msgspec.Struct, frozen=True):
    """How a service takes messages. ``app`` and ``webhook``: at most so many in so many seconds.

    A message of an app can be replaced ``replaced_most`` times, within ``replaced_within_s``
    seconds; ``gone`` are the codes that say that it cannot be any more; by those of ``removed`` it
    is not there either, so that nothing can answer it in a thread. With ``is_bound`` its buttons
    work only for the request that it was sent with.
    """

    app: tuple[tuple[int, int], ...]
    webhook: tuple[tuple[int, int], ...]
    replaced_most: int = 1000
    replaced_within_s: float = math.inf
    gone: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    is_bound: bool = False
