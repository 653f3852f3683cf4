"""A few connections, lent to one thread at a time, and never to a forked child."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from sgguard.errors import SgguardError, StoreError

C = TypeVar("C")

LIMIT = 8
"""Connections of one process to one store: each is held for one transaction only."""

WAIT_S = 10.0
"""How long a thread waits for one of them."""


class Pool(Generic[C]):
    """Connections of one process.

    ``connect`` opens one; ``close`` closes one, whatever its state, without raising; ``is_fit``
    says whether an idle one can be used.
    """

    def __init__(
        self,
        connect: Callable[[], C],
        close: Callable[[C], None],
        is_fit: Callable[[C], bool],
        *,
        limit: int = LIMIT,
        wait_s: float = WAIT_S,
    ) -> None:
        self._connect = connect
        self._close = close
        self._is_fit = is_fit
        self._limit = limit
        self._wait_s = wait_s
        self._inherited: list[C] = []
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self._limit)
        self._idle: list[C] = []
        # A pool that was never closed is closed with its last reference, or when Python ends.
        weakref.finalize(self, _close_all, self._idle, self._close, self._pid)

    @contextmanager
    def lend(self) -> Iterator[C]:
        """Lend a connection; one on which work failed is not lent again.

        Raises:
            StoreError: the store is closed, or all connections stay busy.
        """
        if self._pid != os.getpid():
            # A parent's connections: using or closing them here would break the parent's.
            self._inherited.extend(self._idle)
            self._begin()
        places = self._places
        if not places.acquire(timeout=self._wait_s):
            raise StoreError(f"all {self._limit} connections to the store are busy")
        try:
            connection = self._take()
            try:
                yield connection
            except SgguardError:
                self._give(connection)
                raise
            except BaseException:
                self._close(connection)
                raise
            self._give(connection)
        finally:
            places.release()

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        with self._lock:
            self._is_closed = True
        _close_all(self._idle, self._close, self._pid)

    def _take(self) -> C:
        while True:
            with self._lock:
                if self._is_closed:
                    raise StoreError("the store was closed")
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_fit(connection):
                return connection
            self._close(connection)

    def _give(self, connection: C) -> None:
        with self._lock:
            is_kept = not self._is_closed
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            self._close(connection)


def _close_all(idle: list[C], close: Callable[[C], None], pid: int) -> None:
    while idle and pid == os.getpid():
        close(idle.pop())
