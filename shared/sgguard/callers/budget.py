"""How often a caller asked within the last minute: decisions, and the cloud calls they took.

Each process counts by itself, and forgets with its end: a budget keeps a caller that runs wild
from using up what others need, and is no exact account.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from sgguard.errors import BudgetError
from sgguard.model.caller import Caller
from sgguard.wire.clock import MonotonicClock

MINUTE_S = 60.0


class Meter:
    """Counts what callers did within the last minute; safe to use from threads."""

    def __init__(self, clock: MonotonicClock = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._done: dict[tuple[str, str], deque[float]] = {}

    def decide(self, caller: Caller) -> None:
        """Count one decision that is asked for.

        Raises:
            BudgetError: the budget of decisions or of cloud calls is used up; nothing is counted.
        """
        with self._guard:
            self._require(caller, "decisions", caller.budget.decisions)
            self._require(caller, "calls", caller.budget.calls)
            if caller.budget.decisions is not None:
                self._recent(caller, "decisions").append(self._clock())

    def counting(self, caller: Caller) -> Callable[[], None] | None:
        """Return what is to be called with each cloud call of this caller; None: not counted."""
        if caller.budget.calls is None:
            return None

        def count() -> None:
            with self._guard:
                self._recent(caller, "calls").append(self._clock())

        return count

    def _require(self, caller: Caller, what: str, most: int | None) -> None:
        if most is None:
            return
        recent = self._recent(caller, what)
        if len(recent) >= most:
            # The one after whose end there is room again.
            wait_s = recent[len(recent) - most] + MINUTE_S - self._clock()
            named = "decisions" if what == "decisions" else "cloud calls"
            message = f"the caller {caller.name} used up its {most} {named} a minute"
            error = BudgetError(message)
            error.retry_after_s = max(1.0, wait_s)
            raise error

    def _recent(self, caller: Caller, what: str) -> deque[float]:
        recent = self._done.setdefault((caller.name, what), deque())
        end_s = self._clock() - MINUTE_S
        while recent and recent[0] <= end_s:
            recent.popleft()
        return recent


METER = Meter()
"""The meter of this process."""
