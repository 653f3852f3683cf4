"""When a failed read is repeated.

Retrying is a layer above signing. Each attempt calls the whole client again, so it waits for its
turn, gets a new date, nonce and signature, and the rest of the deadline as its timeout. A transport
that retried below signing would repeat a nonce, which clouds refuse as a replay.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from sgguard.errors import CloudError, GarbledError
from sgguard.telemetry import metrics, registry
from sgguard.wire.clock import Deadline, EpochClock

T = TypeVar("T")


class Retry(msgspec.Struct, frozen=True):
    """How often a read is repeated, and after which waits.

    The wait doubles from ``base_s`` to ``max_s`` with full jitter. It is added to a wait that the
    cloud requests (``retry_after_s`` of the error), so that callers with the same request do not
    return at the same moment. A wait that would pass the deadline is not begun: the error is
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
                # Final errors, the last attempt, and waits beyond the deadline end it.
                if attempt >= self.attempts_for(error):
                    raise
                wait_s = self.wait_s(attempt, error)
                if wait_s >= deadline.remaining_s():
                    raise
                metrics.count(registry.CLOUD_RETRIES, provider=error.provider)
                self.sleep(wait_s)
            attempt += 1

    def attempts_for(self, error: CloudError) -> int:
        """Return the total number of attempts for a call that fails like this.

        A body that cannot be parsed (a gateway's HTML page) may be transient: one more attempt. A
        complete response of unknown shape does not change with another attempt.
        """
        if isinstance(error, GarbledError):
            return min(2, self.attempts)
        return self.attempts if error.is_retryable else 1

    def wait_s(self, attempt: int, error: CloudError) -> float:
        """Return the seconds to wait after the given attempt (1 is the first) failed."""
        backoff_s = min(self.max_s, self.base_s * 2.0 ** (attempt - 1)) * self.jitter()
        return (error.retry_after_s or 0.0) + backoff_s


def retry_after_s(headers: Mapping[str, str], now: EpochClock = time.time) -> float | None:
    """Return the wait of ``Retry-After`` in seconds, None when it is missing or unreadable.

    A date counts from the response's own ``Date``, so that the local clock does not matter (RFC
    9110, 10.2.3). A date that is past, and a number below zero, are no wait.
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
