"""How often a caller asked within the last minute: decisions, and the cloud calls they took.

The store counts for all processes together. Each process counts by itself as well, and goes by that
where there is no store or it fails. Cloud calls are brought to the store about once a second and at
the end of a decision: a budget of them ends what comes next, never a decision under way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sgguard.errors import BudgetError, StoreError
from sgguard.model.caller import Caller
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.telemetry import logs
from sgguard.wire.clock import MonotonicClock

MINUTE_S = 60.0

_BRING_EVERY_S = 1.0


class SharedBudgets(Protocol):
    """What all processes count: see :class:`sgguard.store.budgets.Budgets`."""

    def spend_decision(self, caller: str, most: dict[str, int | None]) -> tuple[str, float] | None:
        """Count one decision, or return what is used up and when there is room."""
        ...

    def spend_calls(self, caller: str, count: int) -> None:
        """Count cloud calls."""
        ...


class Meter:
    """Counts what callers did within the last minute; safe to use from threads."""

    def __init__(self, clock: MonotonicClock = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._done: dict[tuple[str, str], deque[float]] = {}
        self._unbrought: dict[str, int] = {}
        self._brought_s: dict[str, float] = {}

    def decide(self, caller: Caller, shared: SharedBudgets | None = None) -> None:
        """Count one decision that is asked for.

        Raises:
            BudgetError: the budget of decisions or of cloud calls is used up; nothing is counted.
        """
        bounds = {"decisions": caller.budget.decisions, "calls": caller.budget.calls}
        if shared is not None and set(bounds.values()) != {None}:
            self.bring(caller, shared)
            try:
                used_up = shared.spend_decision(caller.name, bounds)
            except StoreError as error:
                _warn(error)
            else:
                if used_up is not None:
                    what, wait_s = used_up
                    raise _used_up(caller, what, bounds[what], wait_s)
                self._count(caller)
                return
        with self._guard:
            for what, most in bounds.items():
                self._require(caller, what, most)
        self._count(caller)

    def counting(
        self, caller: Caller, shared: SharedBudgets | None = None
    ) -> Callable[[], None] | None:
        """Return what is to be called with each cloud call of this caller; None: not counted."""
        if caller.budget.calls is None:
            return None

        def count() -> None:
            now_s = self._clock()
            with self._guard:
                self._recent(caller, "calls").append(now_s)
                self._unbrought[caller.name] = self._unbrought.get(caller.name, 0) + 1
                is_due = now_s >= self._brought_s.get(caller.name, now_s) + _BRING_EVERY_S
                self._brought_s.setdefault(caller.name, now_s)
            if is_due:
                self.bring(caller, shared)

        return count

    def bring(self, caller: Caller, shared: SharedBudgets | None) -> None:
        """Bring the cloud calls that were counted since the last time to the store."""
        if shared is None or caller.budget.calls is None:
            return
        with self._guard:
            count = self._unbrought.pop(caller.name, 0)
            self._brought_s[caller.name] = self._clock()
        if not count:
            return
        try:
            shared.spend_calls(caller.name, count)
        except StoreError as error:
            _warn(error)
            with self._guard:
                self._unbrought[caller.name] = self._unbrought.get(caller.name, 0) + count

    def _count(self, caller: Caller) -> None:
        if caller.budget.decisions is not None:
            with self._guard:
                self._recent(caller, "decisions").append(self._clock())

    def _require(self, caller: Caller, what: str, most: int | None) -> None:
        if most is None:
            return
        recent = self._recent(caller, what)
        if len(recent) >= most:
            # The one after whose end there is room again.
            wait_s = recent[len(recent) - most] + MINUTE_S - self._clock()
            raise _used_up(caller, what, most, wait_s)

    def _recent(self, caller: Caller, what: str) -> deque[float]:
        recent = self._done.setdefault((caller.name, what), deque())
        end_s = self._clock() - MINUTE_S
        while recent and recent[0] <= end_s:
            recent.popleft()
        return recent


def _used_up(caller: Caller, what: str, most: int | None, wait_s: float) -> BudgetError:
    named = "decisions" if what == "decisions" else "cloud calls"
    error = refusal(
        BudgetError, said("caller.budget", caller=caller.name, most=most or 0, what=named)
    )
    error.retry_after_s = max(1.0, wait_s)
    return error


def _warn(error: StoreError) -> None:
    logs.log(logging.WARNING, "budget not shared", detail=str(error))


METER = Meter()
"""The meter of this process."""
