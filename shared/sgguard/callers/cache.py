"""Keys that somebody else publishes: kept, refreshed, and used on when their place does not answer.

1. A fresh set is used as it is. A key that is not in it causes one refresh in 30 seconds at most.
2. One thread refreshes; the others use the set that there is.
3. A refresh that fails is not repeated for 5 seconds, then 10, 20, 40 and 60.
4. Until a day old, the last set is used; then, and before the first, there is an error that asks
   the sender to come again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sgguard.errors import KeysError
from sgguard.telemetry import logs
from sgguard.wire.clock import MonotonicClock

T = TypeVar("T")

FRESH_S = 300.0
UNKNOWN_S = 30.0
STALE_S = 24 * 3600.0
_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)
_FIRST_WAIT_S = 4.0


class Published(Generic[T]):
    """One set of keys from one place; safe to use from threads.

    ``load`` reads it and raises ``KeysError`` where it cannot; ``place`` is for messages.
    """

    def __init__(self, place: str, load: Callable[[], T], clock: MonotonicClock) -> None:
        self.load = load
        self._place, self._clock = place, clock
        self._flight = threading.Lock()
        self._value: T | None = None
        self._read_s = float("-inf")
        self._failures = 0
        self._pause_until_s = float("-inf")

    @property
    def is_there(self) -> bool:
        """Whether a set was ever read."""
        return self._value is not None

    def get(self, has_it: Callable[[T], bool]) -> T:
        """Return the set; one in which ``has_it`` finds nothing is read anew where it may be.

        Raises:
            KeysError: there is none, or the missing key may be in a newer one that cannot be read.
        """
        known = self._value
        if known is not None and self._is_settled(known, has_it):
            return known
        if self._clock() < self._pause_until_s:
            return self._last(has_it)
        # Who has a set does not wait for another's refresh; who has none needs it.
        if not self._flight.acquire(timeout=_FIRST_WAIT_S if known is None else 0.0):
            return self._last(has_it)
        try:
            known = self._value
            if known is not None and self._is_settled(known, has_it):
                return known
            if self._clock() >= self._pause_until_s:
                self._refresh()
        finally:
            self._flight.release()
        return self._last(has_it)

    def _is_settled(self, known: T, has_it: Callable[[T], bool]) -> bool:
        age_s = self._clock() - self._read_s
        return age_s < (FRESH_S if has_it(known) else UNKNOWN_S)

    def _refresh(self) -> None:
        try:
            self._value = self.load()
        except KeysError as error:
            pause_s = _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
            self._failures += 1
            self._pause_until_s = self._clock() + pause_s
            logs.log(logging.WARNING, "keys", where=self._place, detail=str(error))
            return
        self._read_s, self._failures = self._clock(), 0

    def _last(self, has_it: Callable[[T], bool]) -> T:
        known, age_s = self._value, self._clock() - self._read_s
        if known is None or age_s >= STALE_S:
            raise KeysError(f"the keys of {self._place} cannot be read now")
        if self._failures and not has_it(known):
            raise KeysError(f"the keys of {self._place} may have changed and cannot be read now")
        return known
