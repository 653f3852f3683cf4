"""The HTTP client of every provider: a request in, a response or a :class:`CloudError` out.

A read is repeated by :mod:`sgguard.wire.retry`, a write is sent once. Each attempt waits for its
turn (:mod:`sgguard.wire.pacing`), borrows a connection, is signed, and is read within the event's
deadline. A response is checked by the caller's ``check``, which raises the vendor's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from sgguard import hiding
from sgguard.errors import (
    CloudError,
    GarbledError,
    SettingsError,
    ThrottledError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.wire import lean
from sgguard.wire.address import with_query
from sgguard.wire.body import LARGEST_BYTES, TooLargeError
from sgguard.wire.clock import Deadline
from sgguard.wire.connection import exchange
from sgguard.wire.failure import reason
from sgguard.wire.form import FORM, FormAuth
from sgguard.wire.observed import observed
from sgguard.wire.pacing import Pace, Rates
from sgguard.wire.retry import Retry, retry_after_s

Check = Callable[[httpx.Response], None]
"""Raises the :class:`CloudError` a response stands for; returns for a success."""

_HEADERS = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
    "user-agent": "sgguard",
}
"""The encodings are those that :mod:`sgguard.wire.body` reads."""

_FORM_HEADERS = {**_HEADERS, "content-type": FORM}

CALL_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
LONGEST_WAIT_S = 3600.0
"""A longer requested wait is cut: one response must not block a process for days."""


@hiding("transport")
class Wire(msgspec.Struct, frozen=True):
    """How one provider reaches its cloud during one event.

    ``transport`` replaces the network (tests, the in-process emulator). Connections are
    kept beyond the event and used again. ``pace`` keeps every call, also a repeated one, within
    the cloud's rates; ``is_reading`` tells it which calls change nothing.
    """

    provider: str
    deadline: Deadline
    transport: httpx.BaseTransport | None = None
    retry: Retry = msgspec.field(default_factory=Retry)
    pace: Pace = msgspec.field(default_factory=Pace)
    is_reading: bool = False

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
        """Send a read, and repeat it where the error allows that.

        Raises:
            DeadlineError: no time was left for the call.
            CloudError: the error ``check`` raised for the last response, or there was none.
        """
        reading = replace(self, is_reading=True)

        def attempt() -> httpx.Response:
            return reading.write(
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

    @observed
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
            DeadlineError: no time was left for the call.
            CloudError: the error ``check`` raised for the response, or there was none.
            SettingsError: a setting has characters that no request can have.
        """
        self._wait_for_turn(action)
        left_s = self.deadline.require(f"{self.provider} {action} could be called")
        with self._translating(action, url):
            target = with_query(url, params)
            connect_s, call_s = min(left_s, CONNECT_TIMEOUT_S), min(left_s, CALL_TIMEOUT_S)
            sent = {**_HEADERS, **headers} if headers else _HEADERS
            if method == "POST" and content is not None and isinstance(auth, FormAuth):
                content, sent, auth = auth.signed_form(target, content), _FORM_HEADERS, None
            raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in sent.items()]
            timeouts = {"connect": connect_s, "read": call_s, "write": call_s, "pool": call_s}
            request = lean.Request(method, target, raw, content or b"", timeouts)
            response = exchange(request, auth, self.transport, self.deadline)
        try:
            check(response)
        except CloudError as error:
            self._apply_retry_after(error, action, response)
            raise
        return response

    @contextmanager
    def _translating(self, action: str, url: str | httpx.URL) -> Iterator[None]:
        """Raise errors of sending and receiving as errors of this package."""
        try:
            yield
        except (httpx.LocalProtocolError, UnicodeEncodeError) as error:
            # Neither shown nor chained: such an error quotes a header, and with it a key or token.
            if isinstance(error, httpx.LocalProtocolError):
                raise UnreachableError(self.provider, action, code=type(error).__name__) from None
            raise SettingsError(
                f"{self.provider}: credentials or region have characters that no request can have"
            ) from None
        except httpx.TransportError as error:
            asked = _asked(error, url)
            unreachable = UnreachableError(
                self.provider, action, code=type(error).__name__, detail=_why(error, asked)
            )
            if isinstance(error, _NOT_CONNECTED):
                unreachable.unconnected = f"{asked.scheme}://{asked.netloc.decode()}"
            # Not chained either: the text of such an error may quote what we sent.
            raise unreachable from None
        except TooLargeError:
            raise UnknownShapeError(
                self.provider, action, detail=f"the answer is larger than {LARGEST_BYTES} bytes"
            ) from None
        except (httpx.InvalidURL, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise UnknownShapeError(
                self.provider, action, code=type(error).__name__, detail=_why(error, url)
            ) from None

    def read_json(
        self,
        method: str,
        url: str | httpx.URL,
        *,
        action: str,
        check: Check,
        auth: httpx.Auth | None = None,
        params: Any = None,
    ) -> Any:
        """Call as :meth:`read` does and return the JSON; another body is read once more.

        Raises:
            GarbledError: the body is not JSON, twice.
            CloudError: as :meth:`read`.
        """
        found: list[Any] = []

        def parse(response: httpx.Response) -> None:
            check(response)
            found.append(parse_json(response, provider=self.provider, action=action))

        self.read(method, url, action=action, check=parse, auth=auth, params=params)
        return found[-1]

    def paced(self, rates: Rates, *caller: str) -> Wire:
        """Return the same wire, keeping the documented rates of the cloud's API.

        ``caller`` is what the cloud counts together: credentials (their id, no secret) and region.
        """
        # Processes have credentials of their own for one account, temporary ones mostly.
        scope = " ".join([self.provider, *(part for part in caller[:-1] if part)])
        return replace(self, pace=replace(self.pace, rates=rates, caller=caller, scope=scope))

    def _wait_for_turn(self, action: str) -> None:
        left_s = self.deadline.require(f"{self.provider} {action} could be called")
        if wait_s := self.pace.wait_s(self._cloud, action, left_s, is_read=self.is_reading):
            raise ThrottledError(
                self.provider,
                action,
                code="Paced",
                detail=f"not sent: the API's rate permits it in {wait_s:.1f} s",
                retry_after_s=wait_s,
            )

    @property
    def _cloud(self) -> tuple[str, httpx.BaseTransport | None]:
        return self.provider, self.transport

    def _apply_retry_after(self, error: CloudError, action: str, response: httpx.Response) -> None:
        """Set the error's wait, and close the lane of all callers when throttled.

        The larger of the ``Retry-After`` header and the vendor's own wait is kept; one beyond
        ``LONGEST_WAIT_S`` is cut, and does not close the lane for that long.
        """
        header_wait_s = retry_after_s(response.headers)
        if header_wait_s is not None:
            error.retry_after_s = max(header_wait_s, error.retry_after_s or 0.0)
        wait_s = error.retry_after_s
        if wait_s is not None and wait_s > LONGEST_WAIT_S:
            error.retry_after_s, wait_s = LONGEST_WAIT_S, None
        if isinstance(error, ThrottledError):
            self.pace.slow_down(self._cloud, action, wait_s, is_read=self.is_reading)


def parse_json(response: httpx.Response, *, provider: str, action: str) -> Any:
    """Return the response's JSON, whatever its content type.

    Raises:
        GarbledError: the body is not JSON.
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise GarbledError(
            provider,
            action,
            status=response.status_code,
            detail=f"the body ({len(response.content)} bytes) is not JSON",
        ) from error


def _asked(error: httpx.TransportError, url: str | httpx.URL) -> httpx.URL:
    """Return the address that failed: the authentication of a call may have asked another one."""
    try:
        return error.request.url
    except RuntimeError:
        return httpx.URL(url)


def _why(error: Exception, url: str | httpx.URL) -> str:
    """Return the host and why it gave no response, without a word of the error's own text."""
    if isinstance(error, httpx.InvalidURL):
        return reason(error)
    return f"{httpx.URL(url).host}: {reason(error)}"
