"""The threads of a process for calls that are made side by side.

Python computes on one thread at a time. A thread that is woken while another one computes only
waits for it, and from then on each of them gives way to the other whenever it asks the system
for something: measured, that cost more than all else that a call does. So no more threads are woken
than can begin. One is woken for the first call that nobody has begun, and for the next one when
that one is begun (:meth:`Workers.submit`) or, for what only asks clouds, when it begins to wait
for an answer (:func:`later`, :meth:`Workers.begin_next`).
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MAX_THREADS = 128


class TakenBackError(Exception):
    """Whoever waits for a call has taken it back, so that it has no result."""


_is_later: ContextVar[bool] = ContextVar("is_later", default=False)


@contextmanager
def later() -> Iterator[None]:
    """Begin a call that is submitted within only when another one waits for its cloud.

    That is for calls which do nothing else at length, and do not wait for each other: until the
    first of them asks, the next is not begun.
    """
    token = _is_later.set(True)
    try:
        yield
    finally:
        _is_later.reset(token)


class Call(Generic[T]):
    """A call that somebody waits for: as much of a future as is used, for a fifth of its cost."""

    __slots__ = (
        "_args",
        "_claim",
        "_error",
        "_is_taken_back",
        "_over",
        "_run",
        "_value",
        "is_later",
    )

    _value: T

    def __init__(self, run: Callable[..., T], args: tuple[Any, ...], *, is_later: bool) -> None:
        self.is_later = is_later
        self._run, self._args = run, args
        self._claim = threading.Lock()  # who has it runs the call
        self._over = threading.Lock()  # held until there is a result
        self._over.acquire()
        self._error: BaseException | None = None
        self._is_taken_back = False

    def run(self) -> None:
        """Run the call, unless that was begun already."""
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._value = self._run(*self._args)
        except BaseException as error:  # noqa: BLE001 - raised by ``result``
            self._error = error
        self._over.release()

    def is_begun(self) -> bool:
        """Return whether somebody runs it, has run it, or has taken it back."""
        return self._claim.locked()

    def cancel(self) -> bool:
        """Take the call back; False where it was begun."""
        if self._claim.acquire(blocking=False):
            self._is_taken_back = True
            self._over.release()
        return self._is_taken_back

    def cancelled(self) -> bool:
        """Return whether it was taken back."""
        return self._is_taken_back

    def done(self) -> bool:
        """Return whether there is nothing to wait for."""
        return not self._over.locked()

    def result(self) -> T:
        """Wait for what the call returns, or raise what it raises.

        Raises:
            TakenBackError: it was taken back.
        """
        if self._over.locked():
            with self._over:
                pass
        if self._is_taken_back:
            raise TakenBackError
        if self._error is not None:
            raise self._error
        return self._value


class Workers:
    """At most ``most`` threads, each started when a call waits and no other one is idle."""

    def __init__(self, most: int = MAX_THREADS) -> None:
        self._most = most
        self._forget()
        # A process that was forked has none of these threads.
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.shutdown)

    def _forget(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[Call[Any]] = deque()
        self._threads: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._coming = 0  # woken, and not yet where they take a call

    def submit(self, run: Callable[..., T], /, *args: Any) -> Call[T]:
        """Have ``run(*args)`` run on one of the threads, or by whoever takes it back."""
        call = Call(run, args, is_later=_is_later.get())
        with self._guard:
            self._is_any_waiting()  # what was taken back meanwhile is not kept
            self._waiting.append(call)
        if not call.is_later:
            self.begin_first()
        return call

    def begin_first(self) -> None:
        """Wake a thread for the first call that waits, unless one is on its way."""
        if not self._coming:
            self.begin_next()

    def begin_next(self) -> None:
        """Wake a thread for a call that waits: whoever calls this is about to wait itself."""
        if not self._waiting:
            return
        with self._guard:
            if not self._is_any_waiting() or self._coming >= len(self._waiting):
                return
            if self._idle:
                self._coming += 1
                self._idle.pop().wake.release()
                return
            if len(self._threads) >= self._most:
                return
            self._coming += 1
            started = _Worker(self, f"sgguard-read-{len(self._threads)}")
            self._threads.append(started)
        try:
            self.start(started)
        except RuntimeError:  # the system gives no more threads: whoever waits runs the calls
            with self._guard:
                self._threads.remove(started)
                self._coming -= 1

    def start(self, thread: threading.Thread) -> None:
        """Start a thread.

        Raises:
            RuntimeError: the system gives no more.
        """
        thread.start()

    def take(self, worker: _Worker, *, is_woken: bool) -> Call[Any] | None:
        """Return the next call for a thread; None where none waits, and the thread is idle then."""
        with self._guard:
            if worker.is_ending:
                return None
            if is_woken:
                self._coming -= 1
            if self._is_any_waiting():
                return self._waiting.popleft()
            self._idle.append(worker)
            return None

    def shutdown(self) -> None:
        """End the threads once what they run is over; further calls start new ones."""
        with self._guard:
            threads, idle = self._threads, self._idle
            self._threads, self._idle, self._coming = [], [], 0
            for one in threads:
                one.is_ending = True
        for one in idle:
            one.wake.release()
        for one in threads:
            one.join()

    def _is_any_waiting(self) -> bool:
        """Forget the first calls that somebody has begun or taken back."""
        while self._waiting and self._waiting[0].is_begun():
            self._waiting.popleft()
        return bool(self._waiting)


class _Worker(threading.Thread):
    """One thread; ``wake`` is released when there may be a call for it."""

    def __init__(self, workers: Workers, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.wake = threading.Lock()
        self.wake.acquire()
        self.is_ending = False
        self._workers = workers

    def run(self) -> None:
        is_woken = True
        while not self.is_ending:
            call = self._workers.take(self, is_woken=is_woken)
            is_woken = call is None
            if call is not None:
                if not call.is_later:
                    self._workers.begin_first()
                call.run()
            elif not self.is_ending:
                self.wake.acquire()
            del call  # an idle thread keeps no answer


WORKERS = Workers()
"""The threads of this process."""
