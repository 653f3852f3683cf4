"""Virtual time, and workers of which exactly one runs at any moment.

Every worker is a thread that holds the baton while it runs. At each point where it touches store
or cloud it gives the baton to whoever wakes first, in virtual time. So the order of everything is
the order of the wake times, which a story alone decides: same story, same order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


class Killed(BaseException):
    """The worker's process has died: nothing catches this, and nothing works after it."""


class RunawayError(Exception):
    """A story that does not end: more points than any story needs."""


POINTS_MAX = 60_000


@dataclass(eq=False)
class Task:
    """One worker. ``standstill_s`` is how long its own machine stood still, clock and all."""

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
    baton: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Scheduler:
    """Runs tasks one at a time, each from one point to its next."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.current: Task | None = None
        self.points = 0
        self._waiting: list[Task] = []
        self._number = 0
        self._main = threading.Lock()
        self._main.acquire()

    def spawn(self, name: str, work: Callable[[], object], at_s: float) -> Task:
        """Add a task that begins at that time."""
        self._number += 1
        task = Task(name, self._number, at_s, work)
        task.baton.acquire()
        self._waiting.append(task)
        return task

    def run(self) -> None:
        """Run until every task is over."""
        if len(self._waiting) == 1:  # nobody to give the baton to: no thread is needed
            (task,) = self._waiting
            self._hand_over()
            self._live(task)
            self._main.acquire()
        elif self._waiting:
            for task in self._waiting:
                name = f"sim-{task.name}"
                threading.Thread(target=self._live, args=(task,), name=name, daemon=True).start()
            self._hand_over()
            self._main.acquire()
        if isinstance(self.failure, BaseException):
            raise self.failure

    failure: BaseException | None = None

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
        self._waiting.append(task)
        if self._first() is task:  # the usual case: no thread changes
            self._begin(task)
            return
        self._hand_over()
        task.baton.acquire()
        if task.is_dead:  # it died while it waited
            raise Killed

    def _first(self) -> Task:
        return min(self._waiting, key=lambda one: (one.wake_s, one.number))

    def _begin(self, task: Task) -> None:
        self._waiting.remove(task)
        self.now_s = max(self.now_s, task.wake_s)
        self.current = task

    def _hand_over(self) -> None:
        task = self._first()
        self._begin(task)
        task.baton.release()

    def _live(self, task: Task) -> None:
        task.baton.acquire()
        task.has_begun = True
        try:
            task.result = task.work()
        except Killed:
            task.is_dead = True
        except RunawayError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - what a worker raises is its result
            task.error = error
        except BaseException as error:  # noqa: BLE001 - must not vanish with the thread
            self.failure = error
        task.is_over = True
        self.current = None
        if self._waiting and self.failure is None:
            self._hand_over()
        else:
            self._main.release()
