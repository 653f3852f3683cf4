"""Waiting for other processes, and giving up on what never comes: a watchdog, no measurement."""

from __future__ import annotations

import time

_PAUSE_S = 0.005


class Patience:
    """Lasts so many seconds from its making."""

    def __init__(self, seconds: float) -> None:
        self._ends_s = time.monotonic() + seconds

    def require(self, what: object) -> None:
        """Go on waiting.

        Raises:
            TimeoutError: the time is over; ``what`` is what did not come.
        """
        if time.monotonic() >= self._ends_s:
            raise TimeoutError(f"given up waiting: {what}")


def pause() -> None:
    """Let other processes run between two looks at them: looking all the time takes their time."""
    time.sleep(_PAUSE_S)
