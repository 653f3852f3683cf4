"""When a read is asked again: above signing, so that every attempt is signed afresh."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sgguard.errors import CloudError, GarbledError
from sgguard.wire.clock import Deadline, EpochClock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently to ask again.

    The wait doubles from ``base_s`` to ``max_s`` with full jitter; it comes on top of a wait the
    cloud asked for (``retry_after_s`` of the error), so that callers told the same do not come
    back in the same moment. A wait that would pass the deadline is not begun: the error is
    raised at once.
    """

    attempts: int = 4
    base_s: float = 0.1
    max_s: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def run(self, call: Callable[[], T], deadline: Deadline) -> T:
        """Call until it succeeds, the error is final, attempts or time are used up.

        Raises:
            CloudError: the last error, unchanged.
        """
        attempt = 1
        while True:
            try:
                return call()
            except CloudError as error:
                if attempt >= self.attempts_for(error):
                    raise
                wait_s = self.wait_s(attempt, error)
                if wait_s >= deadline.remaining_s():
                    raise
                self.sleep(wait_s)
            attempt += 1

    def attempts_for(self, error: CloudError) -> int:
        """Return how often a call is made in all when it fails like this.

        A page of HTML in place of an answer may be a gateway's hiccup, and one more question
        tells. A complete answer of unknown shape will not change its shape.
        """
        if isinstance(error, GarbledError):
            return min(2, self.attempts)
        return self.attempts if error.is_retryable else 1

    def wait_s(self, attempt: int, error: CloudError) -> float:
        """Return the seconds to wait after the given attempt (1 is the first) failed."""
        backoff_s = min(self.max_s, self.base_s * 2.0 ** (attempt - 1)) * self.jitter()
        return (error.retry_after_s or 0.0) + backoff_s


def retry_after_s(headers: Mapping[str, str], now: EpochClock = time.time) -> float | None:
    """Return the seconds ``Retry-After`` asks to wait, None when it asks nothing readable.

    A date counts from the answer's own ``Date``, so that no clock of ours matters (RFC 9110,
    10.2.3). A date that is past, and a number below zero, are no wait.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        moment_s, sent_s = _epoch_s(value), _epoch_s(headers.get("date", ""))
        if moment_s is None:
            return None
        seconds = max(0.0, moment_s - (now() if sent_s is None else sent_s))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _epoch_s(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
