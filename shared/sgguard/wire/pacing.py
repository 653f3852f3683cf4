"""Calls no faster than a cloud's API permits, counted as the cloud does: caller, region, action.

A lane is what one cloud counts together; all threads of a process share it. It follows the generic
cell rate algorithm (ITU-T I.371), first come first served, with one number per lane, the due time:

1. A call reserves the next free moment: now, or the due time less the slack. The slack is the burst
   that may go out at once.
2. The reservation moves the due time on by one interval.
3. The call sleeps until its moment. Where the moment is too late for the event, nothing is reserved
   and the call is not sent.
4. A throttle response closes the lane for every thread. A call that slept meanwhile finds the lane
   closed and reserves again.

Where processes share a store, it hands out the moments for all of them instead
(:mod:`sgguard.wire.turns`), and these lanes are for the time in which it cannot be used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from sgguard import hiding
from sgguard.wire.clock import MonotonicClock, elapsed
from sgguard.wire.turns import Ask, SharedPace
from sgguard.wire.workers import WORKERS

Rates = Mapping[str, float]
"""Calls per second by action (an fnmatch pattern; the first that matches counts)."""

SHARE = 0.96
"""The used part of a documented rate: calls that leave evenly do not arrive evenly."""

CAUTIOUS_RATE = 10.0
"""Calls per second where no rate is documented, after the cloud has throttled once."""

_BURST = 0.5
_LANES_MAX = 256
_CLOSED_S = 1.0
"""How long a lane stays closed after a throttle response without a wait: rates are per second."""


class Lane:
    """One caller, one region, one action; safe to use from threads.

    ``rate`` is in calls per second. In any second at most that many are sent: half of them at
    once, so that few decisions never wait, the others evenly. Rate 0 stands for an undocumented
    one: calls are not paced until the cloud throttles; from then on ``CAUTIOUS_RATE`` is kept, so
    that the waiting calls are not sent all at once.
    """

    def __init__(self, rate: float) -> None:
        self._guard = threading.Lock()
        self._due_s = self._closed_until_s = float("-inf")
        self._interval_s = self._slack_s = 0.0
        if rate > 0:
            self._keep(rate)

    def _keep(self, rate: float) -> None:
        """Set interval and slack: a burst of half the rate, then the other half evenly."""
        self._interval_s = 1.0 / ((1.0 - _BURST) * rate)
        self._slack_s = (max(1.0, _BURST * rate // 1) - 1.0) * self._interval_s

    def reserve(self, now_s: float, latest_s: float) -> float:
        """Return the next free moment; it is reserved only when it is not after ``latest_s``."""
        with self._guard:
            # The slack lets a burst go out before it is due; a closed lane lets nothing out.
            moment_s = max(now_s, self._due_s - self._slack_s, self._closed_until_s)
            if moment_s <= latest_s:
                self._due_s = max(moment_s, self._due_s) + self._interval_s
            return moment_s

    def close(self, until_s: float) -> None:
        """Permit no call before then, and no burst right after."""
        with self._guard:
            if not self._interval_s:
                self._keep(CAUTIOUS_RATE)
            self._closed_until_s = max(self._closed_until_s, until_s)
            self._due_s = max(self._due_s, until_s + self._slack_s)

    def is_open(self, now_s: float) -> bool:
        """Return whether no throttle response keeps the lane closed."""
        with self._guard:
            return now_s >= self._closed_until_s

    def is_idle(self, now_s: float) -> bool:
        """Return whether no call waits, so that the lane can be dropped without effect."""
        with self._guard:
            return now_s >= max(self._due_s, self._closed_until_s)


class Lanes:
    """Every lane of a process, with the clock they run on; may be dropped at any time."""

    def __init__(
        self,
        clock: MonotonicClock = elapsed,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self._lanes: dict[Hashable, Lane] = {}
        self._guard = threading.Lock()

    def lane(self, key: Hashable, rate: Callable[[], float]) -> Lane:
        """Return the lane of that key, made at first use with ``rate()``."""
        with self._guard:
            found = self._lanes.get(key)
            if found is None:
                if len(self._lanes) >= _LANES_MAX:
                    self._forget()
                found = self._lanes[key] = Lane(rate())
            return found

    def _forget(self) -> None:
        """Drop the idle lanes; if there are none, the oldest lane."""
        now_s = self.clock()
        idle = [key for key, lane in self._lanes.items() if lane.is_idle(now_s)]
        for key in idle or [next(iter(self._lanes))]:
            del self._lanes[key]


LANES = Lanes()
"""The lanes of this process: they continue from one invocation to the next."""


@hiding("lanes", "on_call", "shared")
class Pace(msgspec.Struct, frozen=True):
    """How fast one caller may call one cloud.

    ``rates`` are the documented ones, ``share`` the part of them that is used. ``caller`` is what
    the cloud counts together, action aside: the id of the credentials (no secret), the region.
    ``on_call`` is called with each call that is sent. ``shared`` has the turns of all processes,
    counted by ``scope``: what a cloud counts together, as far as processes that may have
    credentials of their own know it. ``is_bulk`` marks work that nobody waits for.
    """

    rates: Rates = msgspec.field(default_factory=dict)
    caller: tuple[str, ...] = ()
    share: float = SHARE
    lanes: Lanes = LANES
    on_call: Callable[[], None] | None = None
    shared: SharedPace | None = None
    scope: str = ""
    is_bulk: bool = False

    def wait_s(
        self, cloud: Hashable, action: str, latest_s: float, *, is_read: bool = False
    ) -> float:
        """Wait for the action's turn at a cloud, and return 0.

        When the turn would be later than ``latest_s`` seconds from now, nothing is waited for, and
        the seconds until the turn are returned. An action is always a read or never.
        """
        wait_s = None
        if self.shared is not None and (ask := self._ask(action, latest_s, is_read=is_read)):
            wait_s = self.shared.wait_s(ask)
        if wait_s is None:
            wait_s = self._wait_alone(cloud, action, latest_s)
        if not wait_s and self.on_call is not None:
            self.on_call()
        return wait_s

    def slow_down(
        self, cloud: Hashable, action: str, rest_s: float | None, *, is_read: bool = False
    ) -> None:
        """Close the lane for the requested wait: for everybody, not only the throttled call."""
        here_s = _CLOSED_S if rest_s is None else rest_s
        self._lane(cloud, action).close(self.lanes.clock() + here_s)
        if self.shared is not None and (ask := self._ask(action, 0.0, is_read=is_read)):
            self.shared.slow_down(ask, rest_s)

    def _wait_alone(self, cloud: Hashable, action: str, latest_s: float) -> float:
        lane, clock = self._lane(cloud, action), self.lanes.clock
        end_s = clock() + latest_s
        while True:
            # Steps 1 and 2.
            now_s = clock()
            moment_s = lane.reserve(now_s, end_s)
            # Step 3.
            if moment_s > end_s:
                return moment_s - now_s
            if moment_s > now_s:
                WORKERS.begin_next()
                self.lanes.sleep(moment_s - now_s)
            # Step 4: the lane may have been closed during the sleep; then reserve again.
            if lane.is_open(clock()):
                return 0.0

    def _ask(self, action: str, latest_s: float, *, is_read: bool) -> Ask | None:
        """Return the question to the store; None for what nobody knows the rate of."""
        rate = self.share * self._rate(action)
        if not (self.scope and rate):
            return None
        return Ask(self.scope, action, rate, latest_s, is_read=is_read, is_bulk=self.is_bulk)

    def _lane(self, cloud: Hashable, action: str) -> Lane:
        key = (cloud, self.caller, action)
        return self.lanes.lane(key, lambda: self.share * self._rate(action))

    def _rate(self, action: str) -> float:
        return next((r for pattern, r in self.rates.items() if _fits(action, pattern)), 0.0)


@lru_cache(maxsize=1024)
def _fits(action: str, pattern: str) -> bool:
    """Return what fnmatch does; a name, and a beginning, need no expression to be compiled."""
    head, star, rest = pattern.partition("*")
    if rest or "?" in head or "[" in head:
        return fnmatchcase(action, pattern)
    return action.startswith(head) if star else action == head
