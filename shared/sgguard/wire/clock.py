"""Clocks as parameters, and the deadline of an event."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sgguard.errors import DeadlineError

EpochClock = Callable[[], float]
"""Seconds since 1970-01-01 UTC, as :func:`time.time` gives them."""

MonotonicClock = Callable[[], float]
"""Seconds that only ever grow, as :func:`time.monotonic` gives them."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an event must have its response, on a monotonic clock."""

    at_s: float
    clock: MonotonicClock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: MonotonicClock = time.monotonic) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(clock() + seconds, clock)

    def remaining_s(self) -> float:
        """Return the seconds left; never negative."""
        return max(0.0, self.at_s - self.clock())

    def require(self, what: str) -> float:
        """Return the seconds left.

        Raises:
            DeadlineError: nothing is left; ``what`` is named as the thing not done.
        """
        left = self.remaining_s()
        if left <= 0:
            raise DeadlineError(f"the time for this event was used up before {what}")
        return left
