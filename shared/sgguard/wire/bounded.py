"""httpx as the sender, where a proxy is set: its sockets end with the call they are lent for.

httpx counts its timeouts anew with every byte and every address of a host, and looks names up
without any. A peer that sends a byte of a head every second, or interim answers for ever, would
hold an event beyond its deadline. Here each wait of a call (name, connection, TLS, reading and
writing) gets at most what is left of the call's deadline.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from sgguard.wire.body import read_body
from sgguard.wire.clock import Deadline
from sgguard.wire.names import NAMES
from sgguard.wire.transport import KEPT_S
from sgguard.wire.workers import WORKERS

_LONGEST_S = 3600.0
_PIECE_BYTES = 1 << 16
"""How much is written between two looks at the clock."""


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
        for address in _addresses(host, end.remaining_s() if end else None):
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


def _addresses(host: str, timeout_s: float | None) -> list[str]:
    try:
        return NAMES.resolve(host, timeout_s)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error


class HttpxClient:
    """httpx with its own connections, which end with the call that they are lent for.

    ``context`` is that of https; ``trust_env`` tells whether proxies of the environment count.
    """

    def __init__(self, context: ssl.SSLContext | None, *, trust_env: bool) -> None:
        self.deadline: Deadline | None = None
        self._backend = BoundedBackend()
        self._client = httpx.Client(
            # Loading the certificate store would be wasted time for plain HTTP.
            verify=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=trust_env,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a proxy may set some
            limits=httpx.Limits(keepalive_expiry=KEPT_S),
        )
        # httpx has no parameter for it. Proxies are transports as well.
        for transport in (self._client._transport, *self._client._mounts.values()):  # noqa: SLF001
            if isinstance(transport, httpx.HTTPTransport):
                transport._pool._network_backend = self._backend  # noqa: SLF001

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response with its body, unpacked.

        Raises:
            httpx.HTTPError, TooLargeError: as :func:`sgguard.wire.connection.exchange`.
        """
        deadline = self.deadline or Deadline.after(_LONGEST_S)
        self._backend.deadline = deadline
        WORKERS.begin_next()
        response = self._client.send(request, auth=None, stream=True)
        try:
            return read_body(response, deadline)
        finally:
            response.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
