"""Sockets that end with the call they are lent for, whatever the other side does.

httpx counts its timeouts anew with every byte and every address of a host, and looks names up
without any. A peer that sends a byte of a head every second, or interim answers for ever, would
hold an event beyond its deadline. Here each wait of a call (name, connection, TLS, reading and
writing) gets at most what is left of the call's deadline.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import httpcore
import httpx

from sgguard.wire.clock import Deadline

_PIECE_BYTES = 1 << 16
"""How much is written between two looks at the clock."""

_Addresses = list[str]


class BoundedBackend(httpcore.NetworkBackend):
    """Opens connections of one client; ``deadline`` is that of the call it is lent for."""

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        self._plain = httpcore.SyncBackend()

    def left_s(self, timeout_s: float | None) -> float | None:
        """Return the seconds that one wait may take: the timeout, or less."""
        if self.deadline is None:
            return timeout_s
        left_s = self.deadline.remaining_s()
        return left_s if timeout_s is None else min(left_s, timeout_s)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that accepts; all share the timeout.

        Raises:
            httpcore.ConnectTimeout: the time is used up.
            httpcore.ConnectError: the name is not known, or no address accepts.
        """
        end = Deadline.after(self.left_s(timeout) or 0.0) if self._is_bounded(timeout) else None
        options = list(socket_options or ())
        failure: Exception = httpcore.ConnectError("no address")
        for address in _NAMES.resolve(host, end.remaining_s() if end else None):
            left_s = _some(end.remaining_s(), httpcore.ConnectTimeout) if end else None
            try:
                stream = self._plain.connect_tcp(address, port, left_s, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundedStream(stream, self)
        raise failure

    def _is_bounded(self, timeout_s: float | None) -> bool:
        return self.left_s(timeout_s) is not None


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the call."""

    def __init__(self, stream: httpcore.NetworkStream, backend: BoundedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left_s = _some(self._backend.left_s(timeout), httpcore.ReadTimeout)
        return self._stream.read(max_bytes, left_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE_BYTES):
            left_s = _some(self._backend.left_s(timeout), httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _PIECE_BYTES], left_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        # The timeout of a handshake is one for all of its steps: the socket keeps it.
        left_s = _some(self._backend.left_s(timeout), httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left_s)
        return _BoundedStream(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _some(left_s: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    """Return the time left.

    Raises:
        httpcore.TimeoutException: nothing is left.
    """
    if left_s is not None and left_s <= 0:
        raise error("the call's time is used up")
    return left_s


class _Lookup:
    """One question to the resolver, which several calls may wait for."""

    def __init__(self) -> None:
        self.addresses: _Addresses = []
        self.error: OSError | None = None
        self.done = threading.Event()


def _ask_resolver(host: str) -> _Addresses:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Names:
    """Looks host names up; one thread per name at a time, however many calls wait for it.

    The operating system's resolver cannot be interrupted, so it is asked on a thread of its own and
    left to end by itself where it takes too long.
    """

    def __init__(self, ask: Callable[[str], _Addresses] = _ask_resolver) -> None:
        self._ask = ask
        self._asked: dict[str, _Lookup] = {}
        self._guard = threading.Lock()

    def resolve(self, host: str, timeout_s: float | None) -> _Addresses:
        """Return the addresses of a host, in the resolver's order; an address is its own.

        Raises:
            httpcore.ConnectTimeout: the resolver gave no answer in time.
            httpcore.ConnectError: the name is not known.
        """
        if _is_literal(host):
            return [host]
        lookup = self._begin(host)
        if not lookup.done.wait(timeout_s):
            raise httpcore.ConnectTimeout("the name was not looked up in time")
        if lookup.error is not None:
            raise httpcore.ConnectError(str(lookup.error)) from lookup.error
        return lookup.addresses

    def _begin(self, host: str) -> _Lookup:
        with self._guard:
            lookup = self._asked.get(host)
            if lookup is None:
                lookup = self._asked[host] = _Lookup()
                threading.Thread(
                    target=partial(self._run, host, lookup), name="resolver", daemon=True
                ).start()
            return lookup

    def _run(self, host: str, lookup: _Lookup) -> None:
        try:
            lookup.addresses = self._ask(host)
        except (OSError, UnicodeError) as error:
            lookup.error = error if isinstance(error, OSError) else socket.gaierror(str(error))
        finally:
            with self._guard:
                del self._asked[host]
            lookup.done.set()


_NAMES = Names()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


class LentClient(httpx.Client):
    """A client whose connections end with the call that it is lent for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.backend = BoundedBackend()
        # httpx has no parameter for it. Proxies are transports as well.
        for transport in (self._transport, *self._mounts.values()):
            if isinstance(transport, httpx.HTTPTransport):
                transport._pool._network_backend = self.backend  # noqa: SLF001
