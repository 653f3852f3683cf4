"""Asking no faster than a cloud's API allows, counted as the cloud counts: caller, region, action.

A lane is what one cloud counts together. Each call takes the lane's next free moment and waits
for it (the generic cell rate algorithm, ITU-T I.371: one number per lane, first come first
served). Lanes are shared by all threads of a process. Instances of a function do not know each
other here: what they ask together is paced through the store they share, where there is one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from sgguard.wire.clock import MonotonicClock

Rates = Mapping[str, float]
"""Calls per second by action (an fnmatch pattern; the first that matches counts)."""

SHARE = 0.8
"""The part of a documented rate that is used: the rest is left to whoever else has the account."""

CAREFUL = 10.0
"""Calls per second where no rate is documented and the cloud has asked for a rest once."""

_BURST = 0.5
_LANES_MAX = 256
_CLOSED_S = 1.0
"""How long a lane rests after a throttle answer that names no time: rates count per second."""


class Lane:
    """One caller, one region, one action; safe to use from threads.

    ``rate`` is in calls per second. In any second at most that many go out: half of them at
    once, so that few decisions never wait, the others evenly. At rate 0 nobody documents one, and
    calls go out freely until the cloud asks for a rest; from then on ``CAREFUL`` is kept, lest
    all who waited come at once.
    """

    def __init__(self, rate: float) -> None:
        self._guard = threading.Lock()
        self._due_s = self._closed_until_s = float("-inf")
        self._interval_s = self._slack_s = 0.0
        if rate > 0:
            self._keep(rate)

    def _keep(self, rate: float) -> None:
        self._interval_s = 1.0 / ((1.0 - _BURST) * rate)
        self._slack_s = (max(1.0, _BURST * rate // 1) - 1.0) * self._interval_s

    def reserve(self, now_s: float, latest_s: float) -> float:
        """Return the next free moment; it is taken only when it is not after ``latest_s``."""
        with self._guard:
            moment_s = max(now_s, self._due_s - self._slack_s, self._closed_until_s)
            if moment_s <= latest_s:
                self._due_s = max(moment_s, self._due_s) + self._interval_s
            return moment_s

    def close(self, until_s: float) -> None:
        """Let nothing out before then, and no burst right after."""
        with self._guard:
            if not self._interval_s:
                self._keep(CAREFUL)
            self._closed_until_s = max(self._closed_until_s, until_s)
            self._due_s = max(self._due_s, until_s + self._slack_s)

    def is_open(self, now_s: float) -> bool:
        """Tell whether no rest is under way that the cloud asked for."""
        with self._guard:
            return now_s >= self._closed_until_s

    def is_idle(self, now_s: float) -> bool:
        """Tell whether nobody waits, so that forgetting the lane costs nothing."""
        with self._guard:
            return now_s >= max(self._due_s, self._closed_until_s)


class Lanes:
    """Every lane of a process, with the clock they run on; may be dropped at any time."""

    def __init__(
        self,
        clock: MonotonicClock = time.monotonic,
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
        """Drop the lanes nobody waits for; if all are busy, the oldest."""
        now_s = self.clock()
        idle = [key for key, lane in self._lanes.items() if lane.is_idle(now_s)]
        for key in idle or [next(iter(self._lanes))]:
            del self._lanes[key]


LANES = Lanes()
"""The lanes of this process: an invocation keeps the pace of the ones before it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one caller may ask one cloud.

    ``rates`` are the documented ones, ``share`` the part of them that is used. ``caller`` is what
    the cloud counts together, action aside: the id of the credentials (no secret), the region.
    """

    rates: Rates = field(default_factory=dict)
    caller: tuple[str, ...] = ()
    share: float = SHARE
    lanes: Lanes = field(default=LANES, repr=False)

    def wait_s(self, cloud: Hashable, action: str, latest_s: float) -> float:
        """Wait for the action's turn at a cloud; 0 says that it has come.

        When it would not come within ``latest_s`` seconds nothing is waited for, and the seconds
        until then are returned.
        """
        lane, clock = self._lane(cloud, action), self.lanes.clock
        end_s = clock() + latest_s
        while True:
            now_s = clock()
            moment_s = lane.reserve(now_s, end_s)
            if moment_s > end_s:
                return moment_s - now_s
            if moment_s > now_s:
                self.lanes.sleep(moment_s - now_s)
            if lane.is_open(clock()):
                return 0.0

    def slow_down(self, cloud: Hashable, action: str, rest_s: float | None) -> None:
        """Rest as long as the cloud asks: every thread, not only the one that was told."""
        rest_s = _CLOSED_S if rest_s is None else rest_s
        self._lane(cloud, action).close(self.lanes.clock() + rest_s)

    def _lane(self, cloud: Hashable, action: str) -> Lane:
        key = (cloud, self.caller, action)
        return self.lanes.lane(key, lambda: self.share * self._rate(action))

    def _rate(self, action: str) -> float:
        return next((r for pattern, r in self.rates.items() if fnmatchcase(action, pattern)), 0.0)
