"""Clocks as parameters, and the deadline of an event."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

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


def utc_s(text: str) -> float:
    """Return the epoch seconds of a time in ISO 8601; one without a zone is of UTC.

    It is never of this machine's zone: clouds write their answers wherever the machine is.

    Raises:
        ValueError: it is no such time.
    """
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError as error:
        raise ValueError(f"no time that can be counted: {text!r}") from error


class Deadline(msgspec.Struct, frozen=True):
    """The moment by which an event must have its response, on a monotonic clock.

    With a ``wall`` clock it has come on whichever of the two is further: each of them may stand
    still while a machine is paused, and what others may do meanwhile does not wait.
    """

    at_s: float
    clock: MonotonicClock = elapsed
    wall_at_s: float = math.inf
    wall: EpochClock | None = None

    @classmethod
    def after(cls, seconds: float, clock: MonotonicClock = elapsed) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(clock() + seconds, clock)

    def also_on(self, wall: EpochClock) -> Deadline:
        """Return the same deadline, so many seconds from now on another clock as well.

        A wall clock that is put forward ends the event early, as if its time were used up.
        """
        return replace(self, wall_at_s=wall() + self.at_s - self.clock(), wall=wall)

    def earlier(self, seconds: float) -> Deadline:
        """Return the deadline that comes so much earlier."""
        return replace(self, at_s=self.at_s - seconds, wall_at_s=self.wall_at_s - seconds)

    def remaining_s(self) -> float:
        """Return the seconds left; never negative."""
        left_s = self.at_s - self.clock()
        if self.wall is not None:
            left_s = min(left_s, self.wall_at_s - self.wall())
        return max(0.0, left_s)

    def require(self, what: str) -> float:
        """Return the seconds left.

        Raises:
            DeadlineError: nothing is left; ``what`` is named as the thing not done.
        """
        left = self.remaining_s()
        if left <= 0:
            raise DeadlineError(f"the time for this event was used up before {what}")
        return left
