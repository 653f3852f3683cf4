"""What went wrong with a call, in words of our own.

The text of a transport's error may quote what was received, and a hostile or broken peer may send
back what it was sent: a header with a token, a body with a password. So the text is never used.
The class of the error says what failed; of what lies behind it only the operating system's error
number and the reason for which a certificate was refused are used, which no peer can word.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

import httpx

from sgguard.wire.http1 import NotHttpError

# The first that fits; subclasses stand before their bases.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.PoolTimeout, "no free connection in time"),
    (httpx.WriteTimeout, "the request could not be sent in time"),
    (httpx.TimeoutException, "no complete response in time"),
    (httpx.ConnectError, "no connection"),
    (httpx.ReadError, "the connection broke while the response was read"),
    (httpx.WriteError, "the connection broke while the request was sent"),
    (httpx.NetworkError, "the connection broke"),
    (httpx.ProxyError, "the proxy gave no connection"),
    (httpx.UnsupportedProtocol, "the address is not http or https"),
    (httpx.RemoteProtocolError, "the connection was closed before the response was complete"),
    (httpx.DecodingError, "the body is not in the encoding that its header names"),
    (httpx.TooManyRedirects, "too many redirects"),
    (httpx.InvalidURL, "the address is not valid"),
)
_NOT_HTTP = "what was received is not HTTP"


def reason(error: Exception) -> str:
    """Return why a call failed: the class of the error in words, and what is known behind it."""
    behind = list(_chain(error))
    if isinstance(error, NotHttpError) or any(
        type(one).__module__.partition(".")[0] == "h11" for one in behind
    ):
        return _NOT_HTTP
    words = next((text for kind, text in _REASONS if isinstance(error, kind)), "the call failed")
    known = next(filter(None, map(_known, behind)), "")
    return f"{words}: {known}" if known else words


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and those it was raised from, at most ten."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _known(error: BaseException) -> str:
    """Return what the operating system or the check of a certificate says, in fixed words."""
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return ""
