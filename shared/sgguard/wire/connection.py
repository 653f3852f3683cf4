"""A pool of connections that are kept beyond an event, each used by one call at a time."""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Callable, Hashable
from functools import lru_cache
from os import environ
from typing import TYPE_CHECKING, Protocol

import httpx

from sgguard import lazy
from sgguard.wire.body import read_body
from sgguard.wire.clock import Deadline
from sgguard.wire.transport import KEPT_S, Connection
from sgguard.wire.workers import WORKERS

if TYPE_CHECKING:
    from sgguard.wire import bounded
else:
    bounded = lazy("sgguard.wire.bounded")  # proxies are rare, and httpx's pool costs a start

IDLE_MAX = 128
"""How many idle connections are kept: twice the threads that read in parallel."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PROXIES = tuple(
    name
    for scheme in ("http", "https", "all")
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper())
)
_NO_AUTH = httpx.Auth()
_POOL = "httpcore._sync.connection_pool"


class Client(Protocol):
    """What sends to one host, lent to one call at a time; a failure leaves it usable."""

    deadline: Deadline | None

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response with its body, unpacked."""
        ...

    def close(self) -> None:
        """Close the connection; a later call makes a new one."""
        ...


class ClientPool:
    """Idle clients by the host they are connected to, newest last.

    A call acquires one for itself and releases it, so none is ever shared: a client shared by
    threads was measured three times slower, because of the lock of its pool. The newest is acquired
    first, so that few concurrent calls use few connections, whichever threads they run on.

    At most ``idle_max`` idle clients are kept, of all hosts together. Only idle ones are closed: a
    client that a call has acquired is in no list.
    """

    def __init__(self, idle_max: int = IDLE_MAX) -> None:
        self._idle: dict[Hashable, list[tuple[float, Client]]] = {}
        self._idle_max = idle_max
        self._guard = threading.Lock()

    def acquire(self, host: Hashable, make: Callable[[], Client]) -> Client:
        """Return the newest idle client of a host, or a new one."""
        with self._guard:
            idle = self._idle.get(host)
            if idle:
                client = idle.pop()[1]
                if not idle:
                    del self._idle[host]
                return client
        return make()

    def release(self, host: Hashable, client: Client) -> None:
        """Keep the client for the next call; close the longest idle one that is old or too many."""
        now_s = time.monotonic()
        with self._guard:
            self._idle.setdefault(host, []).append((now_s, client))
            old = self._pop_oldest(now_s)
        if old is not None:
            old.close()

    def _pop_oldest(self, now_s: float) -> Client | None:
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


def exchange(
    request: httpx.Request,
    auth: httpx.Auth | None,
    transport: httpx.BaseTransport | None,
    deadline: Deadline,
) -> httpx.Response:
    """Send a request and what its authentication asks for, each once; return the last response.

    ``transport`` replaces the network. A request has its timeouts as httpx keeps them.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: as httpx names what failed.
        TooLargeError: a body is larger than any list of a cloud.
    """
    flow = (auth or _NO_AUTH).sync_auth_flow(request)
    try:
        asked = next(flow)
        while True:
            response = _send(asked, transport, deadline)
            try:
                asked = flow.send(response)
            except StopIteration:
                return response
    finally:
        flow.close()


def _send(
    request: httpx.Request, transport: httpx.BaseTransport | None, deadline: Deadline
) -> httpx.Response:
    try:
        return _sent(request, transport, deadline)
    except httpx.RequestError as error:
        # Whoever reads the error must know which of several requests failed.
        error.request = request
        raise


def _sent(
    request: httpx.Request, transport: httpx.BaseTransport | None, deadline: Deadline
) -> httpx.Response:
    if transport is not None:
        return _through(transport, request, deadline)
    url = request.url
    if url.scheme not in ("http", "https"):
        raise httpx.UnsupportedProtocol("the address is not http or https")
    host = (_needs_httpx(url.host), url.scheme, url.host, url.port)
    client = CLIENTS.acquire(host, lambda: new_client(url))
    client.deadline = deadline
    try:
        return client.send(request)
    finally:
        CLIENTS.release(host, client)


def _through(
    transport: httpx.BaseTransport, request: httpx.Request, deadline: Deadline
) -> httpx.Response:
    """Ask a transport of httpx's kind, and read the whole body within the time."""
    WORKERS.begin_next()  # it may wait
    response = transport.handle_request(request)
    response.request = request
    try:
        return read_body(response, deadline)
    finally:
        response.close()


def _needs_httpx(host: str) -> bool:
    """Return whether httpx itself must send: through a proxy, or because a test replaced it.

    Proxies of the environment count, except on this machine. What is read here decides only who
    sends; httpx then decides by its own rules (``NO_PROXY``) whether the proxy is used.
    """
    httpcore = sys.modules.get("httpcore")  # not imported for this: what is not there is as it was
    if httpcore and httpcore.ConnectionPool.handle_request.__module__ != _POOL:
        return True
    return host not in _LOOPBACK and any(name in environ for name in _PROXIES)


def new_client(url: httpx.URL) -> Client:
    """Return a client for the host of an address."""
    if not _needs_httpx(url.host):
        return Connection(url, tls_context)
    context = tls_context() if url.scheme == "https" else None
    return bounded.HttpxClient(context, trust_env=url.host not in _LOOPBACK)


_TLS_GUARD = threading.Lock()


def tls_context() -> ssl.SSLContext:
    """Return what the certificates of servers are verified with: one for all threads.

    Loading the authorities takes tens of milliseconds of CPU, and the first event reads on many
    threads at once: those that come while they are loaded wait, and load none of their own.
    """
    with _TLS_GUARD:
        return _loaded_context()


@lru_cache(maxsize=1)
def _loaded_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
