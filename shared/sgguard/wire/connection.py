"""A pool of connections that are kept beyond an event, each used by one call at a time."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import httpx

KEPT_S = 60.0
"""How long an idle connection is kept: a minute between events is usual (httpx keeps 5 s)."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {"user-agent": "sgguard"}
_local = threading.local()


class ClientPool:
    """Idle clients by the host they are connected to, newest last.

    A call acquires one for itself and releases it, so none is ever shared: a client shared by
    threads was measured three times slower, because of the lock of its pool. The newest is acquired
    first, so that few concurrent calls use few connections, whichever threads they run on.
    """

    def __init__(self) -> None:
        self._idle: dict[Hashable, list[tuple[float, httpx.Client]]] = {}
        self._guard = threading.Lock()

    def acquire(self, host: Hashable, make: Callable[[], httpx.Client]) -> httpx.Client:
        """Return the newest idle client of a host, or a new one."""
        with self._guard:
            idle = self._idle.get(host)
            if idle:
                return idle.pop()[1]
        return make()

    def release(self, host: Hashable, client: httpx.Client) -> None:
        """Keep the client for the next call; close the oldest one when it was idle for long."""
        now_s = time.monotonic()
        with self._guard:
            idle = self._idle.setdefault(host, [])
            idle.append((now_s, client))
            is_old = idle[0][0] < now_s - KEPT_S
            old = idle.pop(0)[1] if is_old else None
        if old is not None:
            old.close()

    def clear(self) -> None:
        """Close and forget every idle client."""
        with self._guard:
            stacks = list(self._idle.values())
            self._idle.clear()
        for _, client in (one for stack in stacks for one in stack):
            client.close()


CLIENTS = ClientPool()
"""The pool of this process; dropping its connections only costs handshakes."""


@contextmanager
def borrow_client(transport: httpx.BaseTransport | None, url: httpx.URL) -> Iterator[httpx.Client]:
    """Lend a client for one call; after an error httpx decides whether its connection is reused."""
    if transport is not None:
        yield _client_on(transport)
        return
    host = (url.scheme, url.host, url.port)
    client = CLIENTS.acquire(host, lambda: new_client(url))
    try:
        yield client
    finally:
        CLIENTS.release(host, client)


def new_client(url: httpx.URL) -> httpx.Client:
    """Return a client for a host: proxies of the environment count, except on this machine."""
    is_local = url.host in _LOOPBACK
    return httpx.Client(
        verify=_tls_context() if url.scheme == "https" else _plain_context(),
        trust_env=not is_local,
        headers=_HEADERS,
        limits=httpx.Limits(keepalive_expiry=KEPT_S),
    )


def _client_on(transport: httpx.BaseTransport) -> httpx.Client:
    """Return this thread's client on a given transport; only the last one is kept."""
    kept: tuple[httpx.BaseTransport, httpx.Client] | None = getattr(_local, "injected", None)
    if kept is None or kept[0] is not transport:
        kept = (transport, httpx.Client(transport=transport, trust_env=False, headers=_HEADERS))
        _local.injected = kept
    return kept[1]


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Load the certificate store once for all threads: it takes tens of milliseconds."""
    return httpx.create_ssl_context()


@lru_cache(maxsize=1)
def _plain_context() -> ssl.SSLContext:
    """Return a context for plain HTTP, where loading the certificate store is wasted time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
