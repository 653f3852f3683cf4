"""Independent reads of one decision, side by side, on one bounded pool."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

MAX_THREADS = 64


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    # Threads are started on demand: a cold start that makes three reads starts two threads.
    return ThreadPoolExecutor(max_workers=MAX_THREADS, thread_name_prefix="sgguard-read")


def parallel(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls side by side and return their results in order.

    The calling thread works too: whatever the pool has not started yet, it runs itself. So calls
    may use :func:`parallel` again without ever waiting for a thread that waits for them.

    Raises:
        Exception: the first failure in the order of the calls, after every call has ended, so
            that no read is still under way when the caller moves on.
    """
    if len(calls) <= 1:
        return [call() for call in calls]
    futures: list[Future[T]] = [
        _pool().submit(contextvars.copy_context().run, call) for call in calls[1:]
    ]
    results: list[T] = []
    failure: Exception | None = None
    for call, future in zip(calls, [None, *futures], strict=True):
        try:
            results.append(call() if future is None or future.cancel() else future.result())
        except Exception as error:  # noqa: BLE001 - raised below, once nothing is under way
            failure = failure or error
    if failure is not None:
        raise failure
    return results
