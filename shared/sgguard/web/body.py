"""Reading a request's body: whole, of a limited size, within the time of its event.

Servers wait for a body as long as its sender likes, byte by byte, and a handful of such senders
takes every thread there is. What ends the wait is the connection: once nothing more is read from
it, the reader sees its end, and an answer can still be sent.

The rest of a refused body is read and dropped: a server that leaves one unread hangs up, although
it has just promised to keep the connection, and the sender's next request is lost with it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from threading import TIMEOUT_MAX, Timer
from typing import Any, Protocol

from sgguard.errors import DeadlineError, EventError
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.wire.clock import Deadline

# Under functions-framework gunicorn serves, under `sgguard serve` werkzeug.
_CONNECTIONS = ("gunicorn.socket", "werkzeug.socket")

_DROPPED_MAX_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 65536
_LATE = "the time for this event was used up before it arrived"


class Readable(Protocol):
    """The body of a request, as every server hands it over."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        ...


def read(
    headers: Mapping[str, str],
    body: Readable,
    environ: Mapping[str, Any],
    *,
    deadline: Deadline,
    max_bytes: int,
) -> bytes:
    """Return the whole body of a request; ``headers`` have lower-case names.

    Raises:
        EventError: it is too large, compressed, or does not come to its end.
        DeadlineError: it did not arrive in time.
    """
    with read_timeout(deadline, environ, body):
        content = whole(headers, body, max_bytes)
    # A reader that was cut off saw the end of the body, and nothing wrong with it.
    if deadline.remaining_s() <= 0:
        raise DeadlineError(_LATE)
    return content


@contextmanager
def read_timeout(deadline: Deadline, environ: Mapping[str, Any], body: Readable) -> Iterator[None]:
    """Limit how long the block may wait for a body; ``environ`` is the request's, as WSGI has it.

    Without a connection in it (a test's client) the sender cannot be slow.

    Raises:
        DeadlineError: the body did not arrive in time.
    """
    connection = next((environ[name] for name in _CONNECTIONS if name in environ), None)
    if connection is None:
        yield
        return
    wait_s = min(deadline.remaining_s(), TIMEOUT_MAX)
    timer = Timer(wait_s, partial(_read_no_more, connection))
    timer.daemon = True
    timer.start()
    try:
        yield
    except EventError as error:
        if deadline.remaining_s() > 0:
            _drop(body)
            raise
        raise DeadlineError(_LATE) from error
    finally:
        timer.cancel()


def _read_no_more(connection: socket.socket) -> None:
    with suppress(OSError):  # it is gone already
        connection.shutdown(socket.SHUT_RD)


def _drop(body: Readable) -> None:
    with suppress(Exception):  # each server has an exception of its own for a lost sender
        for _ in range(_DROPPED_MAX_BYTES // _CHUNK_BYTES):
            if not body.read(_CHUNK_BYTES):
                return


def whole(headers: Mapping[str, str], body: Readable, max_bytes: int) -> bytes:
    """Return the whole body, however long it takes; ``headers`` have lower-case names.

    Raises:
        EventError: it is too large, compressed, or does not come to its end.
    """
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise refusal(EventError, said("unread.compressed"), status=415)
    return _content(headers, body, max_bytes)


def _content(headers: Mapping[str, str], body: Readable, max_bytes: int) -> bytes:
    """Return the whole body; one that is too large is not read to its end."""
    length = headers.get("content-length", "")
    # Digits beyond any size are not even turned into a number.
    if length.isdecimal() and (len(length) > len(str(max_bytes)) or int(length) > max_bytes):
        raise _too_large(max_bytes)
    content = bytearray()
    try:
        while len(content) <= max_bytes and (
            chunk := body.read(min(_CHUNK_BYTES, max_bytes + 1 - len(content)))
        ):
            content += chunk
    except Exception as error:  # each server has an exception of its own for a lost sender
        raise refusal(EventError, said("unread.cut-off")) from error
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return bytes(content)


def _too_large(max_bytes: int) -> EventError:
    return refusal(EventError, said("unread.too-large", bytes=max_bytes), status=413)
