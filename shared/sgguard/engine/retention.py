"""Purging what ended long ago, now and then; a response never depends on it."""

from __future__ import annotations

import logging
from collections import Counter
from weakref import WeakKeyDictionary

from sgguard import logs
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.store.base import Store
from sgguard.store.rows import Purged

DAY_S = 86400.0
_HOUR_S = 3600.0

_TIME_NEEDED_S = 2.0
"""With less time than this left for an event, purging is left to a later one."""

_DONE: WeakKeyDictionary[Store, int] = WeakKeyDictionary()
"""The hour in which this process last found nothing to do, by store."""


def purge(store: Store, keep_days: int) -> Purged:
    """Forget what ended more than so many days ago; nothing that is open, pending or stuck.

    It is done in slices, so that nobody waits for it long.

    Raises:
        StoreError: the store cannot be read or written.
    """
    counts: Counter[str] = Counter()
    while True:
        part = store.purge(store.now_s() - keep_days * DAY_S)
        counts.update(part.counts)
        if part.is_complete:
            store.note_purge()
            return Purged(dict(counts))


def tidy(store: Store, context: Context) -> None:
    """Purge a slice where it is due; a failure is logged and waits for the next hour.

    It is called when a decision and the response to its event are kept. A store is purged once an
    hour, whoever does it; a process that finds it done, or could not do it, does not ask again
    within the hour. What a slice leaves is for the next event.
    """
    if context.deadline.remaining_s() <= _TIME_NEEDED_S:
        return
    hour = int(context.now() // _HOUR_S)
    if _DONE.get(store) == hour:
        return
    try:
        is_done = _tidied(store, context.settings.keep_days)
    except SgguardError as error:
        logs.log(logging.WARNING, "purge", error=type(error).__name__, detail=str(error))
        is_done = True
    if is_done:
        _DONE[store] = hour


def _tidied(store: Store, keep_days: int) -> bool:
    """Purge a slice if it is due; return whether nothing is left to do within this hour."""
    if not store.is_purge_due():
        return True
    part = store.purge(store.now_s() - keep_days * DAY_S)
    if part.is_complete:
        store.note_purge()
    if purged := ", ".join(f"{number} {kind}" for kind, number in part.counts.items() if number):
        logs.log(logging.INFO, "purged", detail=purged)
    return part.is_complete
