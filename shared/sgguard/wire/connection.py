"""A pool of connections that are kept beyond an event, each used by one call at a time."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from sgguard.wire.bounded import LentClient
from sgguard.wire.clock import Deadline

KEPT_S = 60.0
"""How long an idle connection is kept: a minute between events is usual (httpx keeps 5 s)."""

IDLE_MAX = 128
"""How many idle connections are kept: twice the threads that read in parallel."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {"user-agent": "sgguard", "accept-encoding": "gzip, deflate"}
"""The encodings are those that :mod:`sgguard.wire.body` reads."""

_local = threading.local()


class ClientPool:
    """Idle clients by the host they are connected to, newest last.

    A call acquires one for itself and releases it, so none is ever shared: a client shared by
    threads was measured three times slower, because of the lock of its pool. The newest is acquired
    first, so that few concurrent calls use few connections, whichever threads they run on.

    At most ``idle_max`` idle clients are kept, of all hosts together. Only idle ones are closed: a
    client that a call has acquired is in no list.
    """

    def __init__(self, idle_max: int = IDLE_MAX) -> None:
        self._idle: dict[Hashable, list[tuple[float, LentClient]]] = {}
        self._idle_max = idle_max
        self._guard = threading.Lock()

    def acquire(self, host: Hashable, make: Callable[[], LentClient]) -> LentClient:
        """Return the newest idle client of a host, or a new one."""
        with self._guard:
            idle = self._idle.get(host)
            if idle:
                client = idle.pop()[1]
                if not idle:
                    del self._idle[host]
                return client
        return make()

    def release(self, host: Hashable, client: LentClient) -> None:
        """Keep the client for the next call; close the longest idle one that is old or too many."""
        now_s = time.monotonic()
        with self._guard:
            self._idle.setdefault(host, []).append((now_s, client))
            old = self._pop_oldest(now_s)
        if old is not None:
            old.close()

    def _pop_oldest(self, now_s: float) -> LentClient | None:
        """Forget and return the client that is idle for longest, of any host, if it must go."""
        host, oldest = min(self._idle.items(), key=lambda item: item[1][0][0])
        is_old = oldest[0][0] < now_s - KEPT_S
        if not is_old and sum(map(len, self._idle.values())) <= self._idle_max:
            return None
        client = oldest.pop(0)[1]
        if not oldest:
            del self._idle[host]
        return client

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
def borrow_client(
    transport: httpx.BaseTransport | None, url: httpx.URL, deadline: Deadline
) -> Iterator[httpx.Client]:
    """Lend a client for one call, which ends with the deadline.

    After an error httpx decides whether its connection is reused.
    """
    if transport is not None:
        yield _client_on(transport)
        return
    host = (url.scheme, url.host, url.port)
    client = CLIENTS.acquire(host, lambda: new_client(url))
    client.backend.deadline = deadline
    try:
        yield client
    finally:
        CLIENTS.release(host, client)


def new_client(url: httpx.URL) -> LentClient:
    """Return a client for a host: proxies of the environment count, except on this machine."""
    is_local = url.host in _LOOPBACK
    return LentClient(
        verify=_tls_context() if url.scheme == "https" else _plain_context(),
        trust_env=not is_local,
        headers=_HEADERS,
        cookies=_no_cookies(),
        limits=httpx.Limits(keepalive_expiry=KEPT_S),
    )


def _client_on(transport: httpx.BaseTransport) -> httpx.Client:
    """Return this thread's client on a given transport; only the last one is kept."""
    kept: tuple[httpx.BaseTransport, httpx.Client] | None = getattr(_local, "injected", None)
    if kept is None or kept[0] is not transport:
        client = httpx.Client(
            transport=transport, trust_env=False, headers=_HEADERS, cookies=_no_cookies()
        )
        kept = (transport, client)
        _local.injected = kept
    return kept[1]


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: no API of a cloud needs cookies, a proxy may set some."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Load the certificate store once for all threads: it takes tens of milliseconds."""
    return httpx.create_ssl_context()


@lru_cache(maxsize=1)
def _plain_context() -> ssl.SSLContext:
    """Return a context for plain HTTP, where loading the certificate store is wasted time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
