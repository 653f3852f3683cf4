"""Virtual time, and workers of which exactly one runs at any moment.

Every worker has a stack of its own (a greenlet: threads would have to wake each other, which takes
longer than most of what they do). At each point where it touches store or cloud it gives way to
whoever wakes first, in virtual time. So the order of everything is the order of the wake times,
which a story alone decides: same story, same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """The worker's process has died: nothing catches this, and nothing works after it."""


class RunawayError(Exception):
    """A story that does not end: more points than any story needs."""


POINTS_MAX = 60_000
_abandoned: list[list[tuple[float, int, Task]]] = []
"""Workers of stories that were broken off: nothing of theirs runs again, clean-up included."""


@dataclass(eq=False)
class Task:
    """One worker. ``standstill_s`` is how long its own machine stood still, clock and all.

    ``process`` are the workers of one process, which die together.
    """

    name: str
    number: int
    wake_s: float
    work: Callable[[], object]
    result: object = None
    error: BaseException | None = None
    has_begun: bool = False
    is_dead: bool = False
    is_over: bool = False
    standstill_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    stack: greenlet | None = field(default=None, repr=False)
    process: list[Task] = field(default_factory=list, repr=False)

    def die(self) -> None:
        """End its process: no worker of it goes on."""
        for one in self.process:
            one.is_dead = True


class Scheduler:
    """Runs tasks one at a time, each from one point to its next."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.current: Task | None = None
        self.points = 0
        self.failure: BaseException | None = None
        self._root: greenlet | None = None
        self._waiting: list[tuple[float, int, Task]] = []
        self._number = 0

    def spawn(self, name: str, work: Callable[[], object], at_s: float) -> Task:
        """Add a task that begins at that time; none is running."""
        assert self.current is None
        return self._add(name, work, at_s)

    def _add(self, name: str, work: Callable[[], object], at_s: float) -> Task:
        self._number += 1
        task = Task(name, self._number, at_s, work)
        task.process = [task]
        heappush(self._waiting, (at_s, task.number, task))
        return task

    def fork(self, name: str, work: Callable[[], object]) -> Task:
        """Add a task of the process of the one that is running, as a thread of it."""
        assert self.current is not None
        assert self._root is not None, "a task that was begun alone has nobody to give way to"
        task = self._add(name, work, self.now_s)
        task.process = self.current.process
        task.process.append(task)
        task.stack = greenlet(self._live, self._root)
        return task

    def run(self, *, forks: bool = False) -> None:
        """Run until every task is over; ``forks``: the only one may begin others."""
        if len(self._waiting) == 1 and not forks:  # nobody to give way to
            self._live(self._next())
        self._run_side_by_side()

    def _run_side_by_side(self) -> None:
        self._root = getcurrent()
        for _, _, task in self._waiting:
            task.stack = greenlet(self._live)
        while self._waiting and self.failure is None:
            task = self._next()
            assert task.stack is not None
            task.stack.switch(task)  # comes back when a task is over, this one or another
        if self._waiting:
            _abandoned.append(self._waiting)
        if self.failure is not None:
            raise self.failure

    def wait(self, seconds: float) -> None:
        """Let time pass for the current task, and others run meanwhile.

        Raises:
            Killed: the task is dead.
        """
        task = self.current
        if task is None:  # the simulator itself, between the tasks
            return
        if task.is_dead:
            raise Killed
        self.points += 1
        if self.points > POINTS_MAX:
            raise RunawayError(f"more than {POINTS_MAX} points")
        task.wake_s = self.now_s + seconds
        mine = task.wake_s, task.number, task
        if not self._waiting or mine < self._waiting[0]:  # the usual case: it goes on itself
            self.now_s = max(self.now_s, task.wake_s)
            return
        heappush(self._waiting, mine)
        self._give_way()
        if task.is_dead:  # it died while it waited
            raise Killed

    def _give_way(self) -> None:
        """Let the task go on that wakes first; return when it is the current one's turn again."""
        first = self._waiting[0][2]
        if first.has_begun:
            assert first.stack is not None
            first.stack.switch(self._next())
        else:  # from the bottom: a stack counts the calls of the one that it was begun from
            assert self._root is not None
            self._root.switch()

    def _next(self) -> Task:
        """Take the task that wakes first, and let its time come."""
        wake_s, _, task = heappop(self._waiting)
        self.now_s = max(self.now_s, wake_s)
        self.current = task
        return task

    def _live(self, task: Task) -> None:
        task.has_begun = True
        try:
            task.result = task.work()
        except Killed:
            task.is_dead = True
        except RunawayError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - what a worker raises is its result
            task.error = error
        except BaseException as error:  # noqa: BLE001 - must not end here: it is nobody's result
            self.failure = error
        task.is_over = True
        self.current = None
