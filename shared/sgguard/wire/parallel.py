"""Independent calls in parallel on the threads of the process, and many ids in few calls."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, TypeVar

from sgguard.errors import NotFoundError
from sgguard.wire.workers import WORKERS, Call, TakenBackError, Workers, later

T = TypeVar("T")


def _pool() -> Workers:
    return WORKERS


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
    pool = _pool()
    begun = [pool.submit(contextvars.copy_context().run, call) for call in calls[1:]]
    ended: _Ended[T] = _Ended()
    # 1. Run the first call, and then what nobody else has begun.
    with _taking_back(begun):
        ended.note(0, calls[0])
    others = []
    for number, one in enumerate(begun, start=1):
        if one.cancel():
            ended.note(number, calls[number])
        else:
            others.append((number, one))
    # 2. Wait for the others; for the last one first, for then most of the others are over, and
    #    each wait costs a change of threads.
    for number, one in reversed(others):
        ended.note(number, one.result)
    return ended.in_order()


class _Ended(Generic[T]):
    """What calls returned and raised, by their numbers."""

    def __init__(self) -> None:
        self._results: dict[int, T] = {}
        self._failures: dict[int, Exception] = {}

    def note(self, number: int, call: Callable[[], T]) -> None:
        try:
            self._results[number] = call()
        except Exception as error:  # noqa: BLE001 - raised once nothing is under way
            self._failures[number] = error

    def in_order(self) -> list[T]:
        """Return all results, or raise the first failure."""
        if self._failures:
            raise self._failures[min(self._failures)]
        return [self._results[number] for number in range(len(self._results))]


@contextmanager
def _taking_back(begun: Sequence[Call[Any]]) -> Iterator[None]:
    """Take back what nobody has begun where the caller is interrupted: it wants none of it."""
    try:
        yield
    except BaseException:
        for one in begun:
            one.cancel()
        raise


def ask(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run calls that only ask clouds, as :func:`parallel` does, with fewer changes of threads.

    The same counts for all that these calls run in parallel themselves.
    """
    with later():
        return parallel(calls)


class Begun(Generic[T]):
    """A call that was begun on the pool, while whoever began it goes on."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._future: Call[T] = _pool().submit(contextvars.copy_context().run, call)

    def is_over(self) -> bool:
        """Return whether the result is there."""
        return self._future.done()

    def result(self) -> T:
        """Wait for the result, or raise what the call raised.

        The calling thread runs what the pool has not started yet, as :func:`parallel` does.

        Raises:
            TakenBackError: the calling thread has run it before; nothing runs twice.
        """
        if self._future.cancelled():
            raise TakenBackError
        if self._future.cancel():
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
