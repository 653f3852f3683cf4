"""Purging what ended long ago, now and then; a response never depends on it."""

from __future__ import annotations

import logging
from functools import lru_cache

from sgguard import logs
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.store.base import Store
from sgguard.store.rows import Purged

DAY_S = 86400.0
_HOUR_S = 3600.0

_TIME_NEEDED_S = 2.0
"""With less time than this left for an event, purging is left to a later one."""


def purge(store: Store, keep_days: int) -> Purged:
    """Forget what ended more than so many days ago; nothing that is open, pending or stuck.

    Raises:
        StoreError: the store cannot be read or written.
    """
    return store.purge(store.now_s() - keep_days * DAY_S)


def tidy(store: Store, context: Context) -> None:
    """Purge at most once per process, store and hour; a failure is logged and waits for the next.

    It is called when a decision and the response to its event are kept.
    """
    if context.deadline.remaining_s() > _TIME_NEEDED_S:
        hour = int(context.now() // _HOUR_S)
        _tidied(store, hour, context.settings.keep_days)


@lru_cache(maxsize=8)
def _tidied(store: Store, _hour: int, keep_days: int) -> None:
    try:
        counts = purge(store, keep_days).counts
    except SgguardError as error:
        logs.log(logging.WARNING, "purge", error=type(error).__name__, detail=str(error))
        return
    if purged := ", ".join(f"{number} {kind}" for kind, number in counts.items() if number):
        logs.log(logging.INFO, "purged", detail=purged)
