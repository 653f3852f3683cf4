"""Gunicorn's worker and log, without what they repeat of a request.

Both quote what they could not read: a request line with a token in its query, the name or value of
a header, the text of an exception. Here they say what kind of mistake it is, and nothing of it.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from sgguard import logs

_STATUSES = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


class QuietWorker(ThreadWorker):  # type: ignore[misc]
    """A worker with threads that repeats nothing of a request that it cannot read."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer with a status and its name."""
        del req, addr
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        for kind, one in _STATUSES:
            if isinstance(exc, kind):
                status = one
                break
        else:
            logs.log(logging.ERROR, "server", error=type(exc).__name__, status=int(status))
        with suppress(Exception):  # the sender may be gone
            util.write_nonblock(client, _answer(status))


class QuietLogger(Logger):  # type: ignore[misc]
    """Gunicorn's log, with the kind of an exception in place of its text and traceback."""

    def exception(self, msg: str, *args: Any, **given: Any) -> None:
        """Write one line."""
        del msg, args, given
        kind = sys.exc_info()[0]
        logs.log(logging.ERROR, "server", error=kind.__name__ if kind else "")


def quieten() -> None:
    """Make every worker of gunicorn's in this process quiet, where another one starts it."""
    Worker.handle_error = QuietWorker.handle_error
    Logger.exception = QuietLogger.exception


def _answer(status: HTTPStatus) -> bytes:
    body = json.dumps({"title": status.phrase, "status": int(status)}).encode()
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
