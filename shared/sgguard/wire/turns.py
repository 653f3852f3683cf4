"""One pace for every process of an account: a process's side of it.

The store hands out the moments at which calls of a lane may start (:mod:`sgguard.store.pace`). A
process needs few of its answers:

1. A read of a lane with enough room takes the process's *seat*: ``SEAT_PART`` of the lane, which
   the process has for some seconds and counts by itself. One answer of the store serves all lanes
   of the account and region. The seats together have half of such a lane.
2. Every other call takes a moment of the lane from the store, and sleeps until then.
3. A moment that was slept through (a frozen instance, a busy machine) is not used: calls of others
   follow it closely. The call takes another one.
4. A store that fails or is slow is left alone for a while; meanwhile the process paces by itself.
   Bulk work does not leave a slow one: nobody waits for it, and it comes with many calls at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from sgguard.errors import StoreError
from sgguard.wire.clock import MonotonicClock
from sgguard.wire.workers import WORKERS

SEATS = 8
SEAT_PART = 1 / (2 * SEATS)
"""The part of a lane that one seat has; fewer than one call a second: none."""

LATE_S = 0.02
"""A call that starts this much after its moment takes another one, a few times."""

AGE_S = 5.0
"""Bulk work whose ticket is this old waits like anybody else: it does not starve."""

REST_S = 1.0
"""How long a lane is closed after a throttle answer without a wait: rates are per second."""

PATIENCE_S = 0.25
_WINDOW_S = 1.04
_OFF_S = 30.0
_SLOW_S = 1.0
_NO_SEAT_S = 2.0
_LATE_MOST = 3
_LANES_MAX = 1024


class Turn(Protocol):
    """What a lane answers: see :class:`sgguard.store.pace.Turn`."""

    @property
    def wait_s(self) -> float:
        """Seconds until the moment, below zero where it passed."""
        ...

    @property
    def outcome(self) -> Literal["go", "ticket", "late"]:
        """Whether the moment is the call's, or only the one to ask again."""
        ...


class Turns(Protocol):
    """The lanes of a store: see :class:`sgguard.store.pace.Paces`."""

    @property
    def is_exact(self) -> bool:
        """Whether waits count from the answer on, and not from the statement on."""
        ...

    def take(
        self, name: str, *, gap_s: float, latest_s: float, is_bulk: bool, has_ticket: bool
    ) -> Turn:
        """Take the lane's next moment."""
        ...

    def slow_down(self, name: str, *, gap_s: float, rest_s: float) -> None:
        """Lower the lane's pace after a throttle answer."""
        ...

    def seat(self, name: str, *, most: int) -> float:
        """Take a seat: for how many seconds."""
        ...

    def close_seats(self, name: str) -> None:
        """Give no seat for a while."""
        ...


class Ask(msgspec.Struct, frozen=True):
    """A call that wants its turn: where, how fast at most (calls a second), and until when.

    ``scope`` is the account and region, ``action`` the API of it.
    """

    scope: str
    action: str
    rate: float
    latest_s: float
    is_read: bool = False
    is_bulk: bool = False

    @property
    def lane(self) -> str:
        """The name of the lane."""
        return f"{self.scope} {self.action}"

    @property
    def seat_calls(self) -> int:
        """How many calls a second a seat has of this lane; none of a lane for writes."""
        return int(self.rate * SEAT_PART) if self.is_read else 0

    @property
    def gap_s(self) -> float:
        """What lies between two calls that the store paces: the seats have theirs beside them."""
        return 1.0 / (self.rate - SEATS * self.seat_calls)


class _Seat(msgspec.Struct):
    until_s: float = float("-inf")
    ask_after_s: float = float("-inf")
    calls: dict[str, deque[float]] = msgspec.field(default_factory=dict)
    asking: threading.Lock = msgspec.field(default_factory=threading.Lock)

    def is_to_ask(self, now_s: float) -> bool:
        """Whether there is no seat, and the store was not asked just now."""
        return now_s >= max(self.until_s, self.ask_after_s)


class SharedPace:
    """The turns of one process in a store; safe to use from threads.

    ``clock`` is never set and goes on while the process is frozen. ``on_failure`` is told why the
    store is left alone. ``patience_s`` is how long one thread waits for another's answer.
    """

    def __init__(
        self,
        turns: Turns,
        clock: MonotonicClock,
        sleep: Callable[[float], None],
        on_failure: Callable[[str], None] = lambda _why: None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._turns = turns
        self._clock = clock
        self._sleep = sleep
        self._on_failure = on_failure
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._closed_s: dict[str, float] = {}
        self._seats: dict[str, _Seat] = {}
        self._off_until_s = float("-inf")
        self._is_slow = False
        self._round_s = LATE_S  # the quickest answers, as far as they are of today

    def wait_s(self, ask: Ask) -> float | None:
        """Wait for the call's turn and return 0.

        Nothing is waited for, and the seconds until the turn are returned, where that is later
        than ``latest_s`` from now. None where the store does not tell: pace by yourself.
        """
        if self._clock() < self._off_until_s and not (ask.is_bulk and self._is_slow):
            return None
        try:
            if not ask.is_bulk and ask.seat_calls and self._sit(ask):
                return 0.0
            return self._stand(ask)
        except StoreError as error:
            self._leave_alone(str(error))
            return None

    def slow_down(self, ask: Ask, rest_s: float | None) -> None:
        """Tell every process that the cloud throttled a call of this lane."""
        rest_s = REST_S if rest_s is None else rest_s
        now_s = self._clock()
        with self._guard:
            if len(self._closed_s) >= _LANES_MAX:
                self._closed_s.clear()
            self._closed_s[ask.lane] = max(self._closed_s.get(ask.lane, now_s), now_s + rest_s)
            seat = self._seats.setdefault(ask.scope, _Seat())
            seat.until_s, seat.ask_after_s = float("-inf"), now_s + _NO_SEAT_S
        if now_s < self._off_until_s and not (ask.is_bulk and self._is_slow):
            return
        try:
            self._turns.slow_down(ask.lane, gap_s=ask.gap_s, rest_s=rest_s)
            if ask.seat_calls:
                self._turns.close_seats(ask.scope)
        except StoreError as error:
            self._leave_alone(str(error))

    # -- a seat ----------------------------------------------------------------------------------

    def _sit(self, ask: Ask) -> bool:
        """Use one of the seat's own calls, if there is a seat and it has one left."""
        with self._guard:
            seat = self._seats.setdefault(ask.scope, _Seat())
        # The reads of a decision go out together: one of them asks, for all.
        if seat.is_to_ask(self._clock()) and seat.asking.acquire(timeout=self._patience_s):
            try:
                if seat.is_to_ask(self._clock()):
                    self._ask_for(seat, ask.scope)
            finally:
                seat.asking.release()
        now_s = self._clock()
        with self._guard:
            if now_s >= seat.until_s or now_s < self._closed_s.get(ask.lane, now_s):
                return False
            calls = seat.calls.setdefault(ask.action, deque(maxlen=ask.seat_calls))
            if len(calls) == ask.seat_calls and now_s - calls[0] < _WINDOW_S:
                return False
            calls.append(now_s)
            return True

    def _ask_for(self, seat: _Seat, scope: str) -> None:
        WORKERS.begin_next()
        now_s = self._clock()
        seat.ask_after_s = now_s + _NO_SEAT_S
        # It is counted from before the question: the store's time for it began later.
        seat.until_s = now_s + self._turns.seat(scope, most=SEATS)

    # -- the lane --------------------------------------------------------------------------------

    def _stand(self, ask: Ask) -> float:
        """Take moments of the lane until one is the call's own."""
        WORKERS.begin_next()
        end_s = self._clock() + ask.latest_s
        ages_s = float("inf")
        late = 0
        has_ticket = False
        while True:
            asked_s = self._clock()
            is_bulk = ask.is_bulk and asked_s < ages_s
            turn, moment_s = self._take(
                ask, asked_s, end_s, is_bulk=is_bulk, has_ticket=has_ticket and is_bulk
            )
            if turn.outcome == "late":
                return max(turn.wait_s, 0.001)
            if turn.outcome == "ticket":
                has_ticket = True
                ages_s = min(ages_s, moment_s + AGE_S)
                moment_s = min(moment_s, max(ages_s, self._clock()))
            if (wait_s := moment_s - self._clock()) > 0:
                self._sleep(wait_s)
            if turn.outcome == "ticket":
                continue
            now_s = self._clock()
            is_late = now_s - moment_s > LATE_S and late < _LATE_MOST
            if not is_late and now_s >= self._closed_s.get(ask.lane, now_s):
                return 0.0
            late += is_late

    def _take(
        self, ask: Ask, asked_s: float, end_s: float, *, is_bulk: bool, has_ticket: bool
    ) -> tuple[Turn, float]:
        """Return the turn, and its moment on this process's clock."""
        turn = self._turns.take(
            ask.lane,
            gap_s=ask.gap_s,
            latest_s=max(0.0, end_s - asked_s),
            is_bulk=is_bulk,
            has_ticket=has_ticket,
        )
        answered_s = self._clock()
        if answered_s - asked_s > _SLOW_S and not ask.is_bulk:
            self._leave_alone(f"it took {answered_s - asked_s:.1f} s for an answer", is_slow=True)
        moment_s = answered_s + turn.wait_s
        if turn.outcome == "go" and not self._turns.is_exact:
            # The statement was carried out somewhere between question and answer: a slow answer
            # may make the call as late as it is slower than the others.
            took_s = answered_s - asked_s
            self._round_s = min(1.01 * self._round_s, took_s)
            if took_s - self._round_s > LATE_S:
                moment_s = min(moment_s, answered_s - 2 * LATE_S)
        return turn, moment_s

    def _leave_alone(self, why: str, *, is_slow: bool = False) -> None:
        now_s = self._clock()
        with self._guard:  # of calls side by side that fail together, one tells
            is_told = now_s < self._off_until_s
            self._off_until_s, self._is_slow = now_s + _OFF_S, is_slow
        if not is_told:
            self._on_failure(why)
