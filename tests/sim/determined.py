"""Nothing in a story is random or side by side but what the story says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sgguard.telemetry import redaction
from sgguard.wire import parallel as parallel_module
from tests.sim.clicks import in_the_story

if TYPE_CHECKING:
    from tests.sim.world import World


class _Call:
    """As a future, for what is done at once, or by whoever takes it back: nobody waits for it."""

    def __init__(self) -> None:
        self._result: Any = None
        self._error: Exception | None = None
        self._is_done = False
        self._is_cancelled = False

    def run(self, call: Callable[..., Any], *args: Any) -> None:
        """Do it now."""
        try:
            self._result = call(*args)
        except Exception as error:  # noqa: BLE001 - raised by ``result``
            self._error = error
        self._is_done = True

    def cancel(self) -> bool:
        self._is_cancelled = not self._is_done
        return self._is_cancelled

    def cancelled(self) -> bool:
        return self._is_cancelled

    def done(self) -> bool:
        return self._is_done or self._is_cancelled

    def result(self) -> Any:
        if self._is_cancelled:
            raise CancelledError
        assert self._is_done
        if self._error is not None:
            raise self._error
        return self._result


class _InlinePool:
    """A pool whose calls run on the calling thread: at once or in their turn, as a story says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, call: Callable[..., Any], /, *args: Any) -> _Call:
        """Run the call now, or leave it to the caller, who takes back what has not begun."""
        made = _Call()
        if self._world.is_early():
            made.run(call, *args)
        return made


@contextmanager
def determined(world: World) -> Iterator[None]:
    """Make everything random or parallel in this process a matter of the story.

    The secrets of a story (each has its own tokens) are forgotten after it.
    """
    urandom, pool = os.urandom, parallel_module._pool
    spellings = dict(redaction._spellings)
    counts = {True: 0, False: 0}

    def bytes_of_the_story(size: int) -> bytes:
        # What a change makes has the same ids however many reads were answered before it.
        is_changing = world.is_changing
        counts[is_changing] += 1
        about = f"{world.story.seed} {is_changing} {counts[is_changing]}"
        return hashlib.shake_256(about.encode()).digest(size)

    os.urandom = bytes_of_the_story
    parallel_module._pool = lambda: _InlinePool(world)  # type: ignore[assignment]
    try:
        with in_the_story(world):
            yield
    finally:
        os.urandom, parallel_module._pool = urandom, pool
        redaction._spellings.clear()
        redaction._spellings.update(spellings)
