"""Delivery in the background, while a function is awake: one thread, and no answer waits for it.

A process that wrote notices (:func:`note`) starts the thread with its next answer (:func:`wake`).
It ends when nothing waits any more. A platform that stops a function after its answer stops the
thread with it: the leases of what it had taken end, and the next one awake, or a timer, goes on.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from sgguard.outbox.deliver import Deliverer
from sgguard.telemetry import logs

ROUND_MAX = 100
"""How many notices are delivered before it is looked again how long to wait."""

PAUSE_LEAST_S, PAUSE_MOST_S = 1.0, 60.0


class Background:
    """The thread of one process; with ``is_on`` False nothing is delivered there."""

    def __init__(self) -> None:
        self.is_on = True
        self._written = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0

    def note(self) -> None:
        """Note that notices are being written."""
        self._written.set()

    def wake(self, make: Callable[[], Deliverer]) -> None:
        """Deliver what was noted, in the background; ``make`` is called there.

        It is called when an answer is ready, and returns at once.
        """
        if not (self.is_on and self._written.is_set()):
            return
        with self._lock:
            is_running = self._thread is not None and self._thread.is_alive()
            if is_running and self._process == os.getpid():
                return
            self._process = os.getpid()
            self._thread = threading.Thread(
                target=self._run, args=(make,), name="sgguard-outbox", daemon=True
            )
            self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until nothing waits, or the time is over."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, make: Callable[[], Deliverer]) -> None:
        try:
            deliverer = make()
            while True:
                self._written.clear()
                sent = sum(1 for _ in deliverer.drain(most=ROUND_MAX))
                next_s, waiting = deliverer.store.waiting_notices()
                if not waiting and not self._written.is_set():
                    return
                if sent < ROUND_MAX:
                    pause_s = min(max(next_s or 0.0, PAUSE_LEAST_S), PAUSE_MOST_S)
                    self._written.wait(pause_s)
        except Exception as error:  # noqa: BLE001 - what waits is kept; the next answer tries again
            logs.log(logging.WARNING, "outbox", error=type(error).__name__, detail=str(error))
            self._written.set()


BACKGROUND = Background()
"""That of this process."""
