"""One seam to every cloud: a request goes out, an answer or a :class:`CloudError` comes back."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import httpx

from sgguard.errors import UnknownShapeError, UnreachableError
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry

Check = Callable[[httpx.Response], None]
"""Raises the :class:`CloudError` an answer stands for, or returns when it is good."""

CALL_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {"user-agent": "sgguard"}
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Wire:
    """How one provider reaches its cloud during one event.

    ``transport`` replaces the network (tests, the in-process emulator). Clients are kept per
    thread and outlive the event, so connections are used again; a client shared by threads was
    measured three times slower, its pool lock being the cost.
    """

    provider: str
    deadline: Deadline
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    retry: Retry = field(default_factory=Retry)

    def read(
        self,
        method: str,
        url: str | httpx.URL,
        *,
        action: str,
        check: Check,
        auth: httpx.Auth | None = None,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Ask a question that changes nothing, again if the error allows it.

        Raises:
            DeadlineError: no time was left to ask.
            CloudError: what ``check`` found in the last answer, or that none came.
        """

        def attempt() -> httpx.Response:
            return self.write(
                method,
                url,
                action=action,
                check=check,
                auth=auth,
                params=params,
                headers=headers,
                content=content,
            )

        return self.retry.run(attempt, self.deadline)

    def write(
        self,
        method: str,
        url: str | httpx.URL,
        *,
        action: str,
        check: Check,
        auth: httpx.Auth | None = None,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send one request exactly once.

        Raises:
            DeadlineError: no time was left to ask.
            CloudError: what ``check`` found in the answer, or that none came.
        """
        left_s = self.deadline.require(f"{self.provider} {action} could be asked")
        client = _client(self.transport, httpx.URL(url))
        try:
            response = client.request(
                method,
                url,
                params=params,
                headers=headers,
                content=content,
                # httpx spells "no authentication" (not even from the environment) as None
                auth=auth,
                timeout=httpx.Timeout(
                    min(left_s, CALL_TIMEOUT_S), connect=min(left_s, CONNECT_TIMEOUT_S)
                ),
            )
        except httpx.TransportError as error:
            raise UnreachableError(
                self.provider, action, code=type(error).__name__, detail=_why(error, url)
            ) from error
        except (httpx.InvalidURL, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise UnknownShapeError(
                self.provider, action, code=type(error).__name__, detail=_why(error, url)
            ) from error
        check(response)
        return response

    def json(self, response: httpx.Response, action: str) -> Any:
        """Return the answer's JSON, whatever content type it claims.

        Raises:
            UnknownShapeError: the body is not JSON.
        """
        return parse_json(response, provider=self.provider, action=action)

    def patient(self, **changes: Any) -> Wire:
        """Return the same wire with another retry policy (``attempts=1`` for none)."""
        return replace(self, retry=replace(self.retry, **changes))


def parse_json(response: httpx.Response, *, provider: str, action: str) -> Any:
    """Return the answer's JSON, whatever content type it claims.

    Raises:
        UnknownShapeError: the body is not JSON.
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise UnknownShapeError(
            provider,
            action,
            status=response.status_code,
            detail=f"the body ({len(response.content)} bytes) is not JSON",
        ) from error


def _client(transport: httpx.BaseTransport | None, url: httpx.URL) -> httpx.Client:
    """Return this thread's client, made at first use."""
    if transport is not None:
        return _client_on(transport)
    clients: dict[tuple[bool, bool], httpx.Client] = _local.__dict__.setdefault("clients", {})
    is_secure, is_local = url.scheme == "https", url.host in _LOOPBACK
    client = clients.get((is_secure, is_local))
    if client is None:
        client = clients[is_secure, is_local] = httpx.Client(
            verify=_trusting() if is_secure else _trusting_nobody(),
            trust_env=not is_local,
            headers=_HEADERS,
        )
    return client


def _client_on(transport: httpx.BaseTransport) -> httpx.Client:
    """Return this thread's client on a given transport; only the last one is kept."""
    kept: tuple[httpx.BaseTransport, httpx.Client] | None = getattr(_local, "injected", None)
    if kept is None or kept[0] is not transport:
        kept = (transport, httpx.Client(transport=transport, trust_env=False, headers=_HEADERS))
        _local.injected = kept
    return kept[1]


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """Load the certificate store once for all threads: it takes tens of milliseconds."""
    return httpx.create_ssl_context()


@lru_cache(maxsize=1)
def _trusting_nobody() -> ssl.SSLContext:
    """Return a context for plain HTTP, where loading the certificate store is wasted time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _why(error: Exception, url: str | httpx.URL) -> str:
    host = httpx.URL(url).host if not isinstance(error, httpx.InvalidURL) else str(url)
    return f"{host}: {error}" if str(error) else host
