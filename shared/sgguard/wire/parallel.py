"""Independent calls in parallel on one bounded thread pool, and many ids in few calls."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Generic, TypeVar

from sgguard.errors import NotFoundError

T = TypeVar("T")

MAX_THREADS = 64


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    # Threads are started on demand: a cold start that makes three reads starts two threads.
    return ThreadPoolExecutor(max_workers=MAX_THREADS, thread_name_prefix="sgguard-read")


def parallel(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls in parallel and return their results in order.

    The calling thread takes part: it runs the calls that the pool has not started yet. So calls may
    use :func:`parallel` themselves, without a deadlock of threads that wait for each other.

    Raises:
        Exception: the first failure in the order of the calls, after every call has ended, so
            that no read is still running when the caller continues.
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


class Begun(Generic[T]):
    """A call that was begun on the pool, while whoever began it goes on."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._future: Future[T] = _pool().submit(contextvars.copy_context().run, call)

    def is_over(self) -> bool:
        """Return whether the result is there."""
        return self._future.done()

    def result(self) -> T:
        """Wait for the result, or raise what the call raised.

        The calling thread runs what the pool has not started yet, as :func:`parallel` does.

        Raises:
            CancelledError: the calling thread has run it before; nothing runs twice.
        """
        if not self._future.cancelled() and self._future.cancel():
            return self._call()
        return self._future.result()


def caught(call: Callable[[], T]) -> T | Exception:
    """Return what the call returns, or the error it raises.

    For one call of many: what fails in it must not reach the others.
    """
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - returned, whatever it is
        return error


def chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    """Return the ids, each once and in order, in lists of at most ``size``."""
    distinct = list(dict.fromkeys(ids))
    return [distinct[start : start + size] for start in range(0, len(distinct), size)]


def in_chunks(
    ids: Iterable[str], size: int, ask: Callable[[Sequence[str]], dict[str, T]]
) -> dict[str, T]:
    """Call ``ask`` with at most ``size`` ids each, in parallel, and merge the results.

    Some clouds refuse a whole call because of one unknown id; its ids are then read one by one,
    and unknown ones are missing from the result.

    Raises:
        CloudError: any other error of any call.
    """
    merged: dict[str, T] = {}
    for part in parallel([partial(_one_by_one, chunk, ask) for chunk in chunks(ids, size)]):
        merged.update(part)
    return merged


def _one_by_one(chunk: Sequence[str], ask: Callable[[Sequence[str]], dict[str, T]]) -> dict[str, T]:
    try:
        return ask(chunk)
    except NotFoundError:
        if len(chunk) == 1:
            return {}
    return in_chunks(chunk, 1, ask)
