"""When a read is asked again: above signing, so that every attempt is signed afresh."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sgguard.errors import CloudError
from sgguard.wire.clock import Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently to ask again.

    The wait doubles from ``base_s`` to ``max_s`` with full jitter; a wait the cloud asked for
    (``retry_after_s`` of the error) is never cut short. A wait that would pass the deadline is
    not begun: the error is raised at once.
    """

    attempts: int = 3
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
                if not error.is_retryable or attempt >= self.attempts:
                    raise
                wait_s = self.wait_s(attempt, error)
                if wait_s >= deadline.remaining_s():
                    raise
                self.sleep(wait_s)
            attempt += 1

    def wait_s(self, attempt: int, error: CloudError) -> float:
        """Return the seconds to wait after the given attempt (1 is the first) failed."""
        backoff_s = min(self.max_s, self.base_s * 2.0 ** (attempt - 1)) * self.jitter()
        return max(error.retry_after_s or 0.0, backoff_s)
