"""Several endpoints of one service: the next is tried when the first does not connect.

1. A read tries the endpoints in the catalog's order, the one that worked last before all others.
2. Only a connection that could not be made leads to the next one: nothing was sent then. Every
   other error, a lost response too, is the result.
3. The endpoint that responded is kept for the process. A change goes there, and to no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx

from sgguard.errors import CloudError, DeadlineError, UnreachableError

T = TypeVar("T")

_KEPT_MAX = 256
_NAMED_MAX = 4

Key = tuple[httpx.BaseTransport | None, tuple[str, ...]]


class Failover:
    """Which of several endpoints worked, by network and endpoints; safe to use from threads."""

    def __init__(self) -> None:
        self._kept: dict[Key, str] = {}
        self._guard = threading.Lock()

    def order(
        self, transport: httpx.BaseTransport | None, bases: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return the endpoints in the order in which they are to be tried."""
        with self._guard:
            kept = self._kept.get((transport, bases))
        return bases if kept is None else (kept, *(base for base in bases if base != kept))

    def read(
        self,
        transport: httpx.BaseTransport | None,
        bases: tuple[str, ...],
        read: Callable[[str], T],
    ) -> T:
        """Return what the first endpoint says that can be connected to.

        Raises:
            UnreachableError: none can; the message names those that were tried.
            DeadlineError: the time was used up before any was tried.
            CloudError: the error of the one that was connected to.
        """
        failed: list[tuple[str, UnreachableError]] = []
        for base in self.order(transport, bases):
            try:
                result = read(base)
            except DeadlineError:
                if not failed:
                    raise
                break
            except UnreachableError as error:
                if not _is_unconnected(error, base):
                    raise
                failed.append((base, error))
            except CloudError as error:
                if error.status is not None:
                    self._keep(transport, bases, base)
                raise
            else:
                self._keep(transport, bases, base)
                return result
        raise failed[-1][1] if len(bases) == 1 else _none_connects(failed, len(bases))

    def _keep(
        self, transport: httpx.BaseTransport | None, bases: tuple[str, ...], base: str
    ) -> None:
        key = (transport, bases)
        with self._guard:
            if base == self._kept.get(key, bases[0]):
                return
            self._kept.pop(key, None)
            while len(self._kept) >= _KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = base


FAILOVER = Failover()
"""What this process knows of endpoints; dropping it only costs an attempt."""


def _is_unconnected(error: UnreachableError, base: str) -> bool:
    """Return whether this endpoint was not connected to; Keystone may be what is unreachable."""
    if not error.unconnected:
        return False
    meant, asked = httpx.URL(base), httpx.URL(error.unconnected)
    return (meant.scheme, meant.host, meant.port) == (asked.scheme, asked.host, asked.port)


def _none_connects(failed: Sequence[tuple[str, UnreachableError]], count: int) -> UnreachableError:
    last = failed[-1][1]
    more = len(failed) - _NAMED_MAX
    names = ", ".join(_address(base) for base, _ in failed[:_NAMED_MAX])
    return UnreachableError(
        last.provider,
        last.action,
        code=last.code,
        detail=f"{len(failed)} of {count} endpoints tried, none connects: {names}"
        + (f" and {more} more" if more > 0 else ""),
    )


def _address(base: str) -> str:
    """Return scheme, host and port: a path may hold the id of a project."""
    url = httpx.URL(base)
    return f"{url.scheme}://{url.netloc.decode()}"
