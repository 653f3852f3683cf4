"""Processes in one simulated time that share a store: workers of which exactly one runs.

Each process has its own store object, its own clocks (wrong by less than a second) and its own
memory. Each statement is two points at which others may run, or at which the process dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappush
from typing import Any

from greenlet import greenlet

from sgguard.store import Store
from sgguard.store.pace import Paces
from sgguard.wire import parallel
from sgguard.wire.pacing import Lanes
from sgguard.wire.turns import Ask, SharedPace
from tests.sim.scheduler import Scheduler, Task
from tests.stores import Place

BASE_S = 1_800_000_000.0
FOREVER_S = 1e6


class Time(Scheduler):
    """The one time, in which every process has a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.offset_s = 0.0

    def run(self) -> None:
        """Run until every task is over, those too that others begin."""
        self._run_side_by_side()

    def wait(self, seconds: float) -> None:
        """Let time pass; where nobody else runs, it just passes."""
        if self.current is None:
            self.now_s += seconds
        else:
            super().wait(seconds)

    def now(self) -> float:
        """The time on the clock of the server of PostgreSQL."""
        return BASE_S + self.offset_s + self.now_s

    def begin(self, work: Callable[[], object]) -> Task:
        """Let a task begin now, which the current one has started."""
        self._number += 1
        stack = greenlet(self._live, parent=self._root)  # where control goes when it is over
        task = Task("started", self._number, self.now_s, work, stack=stack)
        heappush(self._waiting, (self.now_s, task.number, task))
        return task

    def block(self) -> None:
        """Let others run until one of them wakes the current task."""
        self._give_way()

    def wake(self, task: Task) -> None:
        """Let a task that is blocked go on now."""
        task.wake_s = self.now_s
        heappush(self._waiting, (self.now_s, task.number, task))


class Started:
    """A call on a thread of its own: the part of a future that is used."""

    def __init__(self, time: Time, work: Callable[[], Any]) -> None:
        self.time, self.waits_for_it = time, []
        self.value, self.error, self.is_done = None, None, False
        time.begin(lambda: self._run(work))

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self.value = work()
        except Exception as error:  # noqa: BLE001 - raised by ``result``
            self.error = error
        self.is_done = True
        for task in self.waits_for_it:
            self.time.wake(task)

    def done(self) -> bool:
        return self.is_done

    def cancel(self) -> bool:
        return False

    cancelled = cancel

    def result(self) -> Any:
        if not self.is_done:
            self.waits_for_it.append(self.time.current)
            self.time.block()
        if self.error is not None:
            raise self.error
        return self.value


class Threads:
    """The pool of all processes: as many threads as there are calls."""

    def __init__(self, time: Time) -> None:
        self.time = time

    def submit(self, call: Callable[..., Any], /, *args: Any) -> Started:
        return Started(self.time, lambda: call(*args))


@contextmanager
def threads_in(time: Time) -> Iterator[None]:
    """Let calls side by side be tasks of the simulated time."""
    pool, parallel._pool = parallel._pool, lambda: Threads(time)
    try:
        yield
    finally:
        parallel._pool = pool


@dataclass
class Slow:
    """A store's lanes, whose statements take time before and after they are carried out."""

    paces: Paces
    time: Time
    latency_s: Callable[[], float] = lambda: 0.001

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.paces, name)

        def run(*args: Any, **given: Any) -> Any:
            self.time.wait(self.latency_s())
            found = method(*args, **given)
            self.time.wait(self.latency_s())
            return found

        return run


@dataclass
class Process:
    """One process: ``skew_s`` is what its clocks are wrong by, ``begun_s`` its monotonic zero."""

    time: Time
    store: Store
    latency_s: Callable[[], float] = lambda: 0.001
    oversleep_s: Callable[[], float] = lambda: 0.0
    begun_s: float = 77.0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The one clock of all processes: the machine's for a file, the server's.
        self.store.paces().tick = self.time.now
        slow = Slow(self.store.paces(), self.time, self.latency_s)
        self.shared = SharedPace(slow, self.clock, self.sleep, self.failures.append, 0.0)
        self.lanes = Lanes(self.clock, self.sleep)

    def clock(self) -> float:
        """Seconds that only grow, from a zero of this process's own."""
        return self.begun_s + self.time.now_s

    def sleep(self, seconds: float) -> None:
        """Let others run; an oversleeping process wakes later than it wished."""
        self.time.wait(seconds + self.oversleep_s())

    def call(self, ask: Ask) -> float:
        """Wait for a turn; return the moment at which the call was sent."""
        waited_s = self.shared.wait_s(ask)
        assert waited_s == 0.0, (waited_s, self.failures)
        return self.time.now_s


def processes(
    time: Time, kept: Place, count: int, skew_s: Callable[[int], float] = lambda _: 0.0, **more: Any
) -> list[Process]:
    """Processes on one database: a file's clock is that of each process, a server's its own."""

    def clock_of(number: int) -> Callable[[], float]:
        if kept.kind == "postgres":
            return time.now
        return lambda: time.now() + skew_s(number)

    return [Process(time, kept.open(clock_of(n)), begun_s=50.0 * n, **more) for n in range(count)]


def crowded(moments: list[float], limit: int, window_s: float = 1.0) -> list[tuple[float, float]]:
    """The windows that hold more calls than permitted: pairs of first and last call."""
    ordered = sorted(moments)
    pairs = zip(ordered, ordered[limit:], strict=False)
    return [(first, last) for first, last in pairs if last - first < window_s - 1e-9]
