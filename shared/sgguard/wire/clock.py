"""Clocks as parameters, and the deadline of an event."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sgguard.errors import DeadlineError

EpochClock = Callable[[], float]
"""Seconds since 1970-01-01 UTC, as :func:`time.time` gives them."""

MonotonicClock = Callable[[], float]
"""Seconds that only ever grow, as :func:`elapsed` gives them."""

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed() -> float:
    """Return seconds that only ever grow, and go on while the machine is paused where that exists.

    Linux's monotonic clock stands still while the machine sleeps (clock_gettime(2)): a deadline on
    it would lie in the future for whoever waits outside.
    """
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an event must have its response, on a monotonic clock."""

    at_s: float
    clock: MonotonicClock = elapsed

    @classmethod
    def after(cls, seconds: float, clock: MonotonicClock = elapsed) -> Deadline:
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
