"""One question to the function ``delete_request``, answered within a deadline or not at all.

Only the standard library: the question is a CloudEvent over HTTP (binary mode), sent once. A worker
thread sends it, because a timeout of a socket bounds each read and not all of them together, and
bounds no lookup of a host at all; the thread that waits leaves at the deadline and shuts the
connection, so that the worker ends as well.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

EVENT_TYPE = "sgguard.delete.requested.v1"
BODY_MAX = 4 * 1024 * 1024
"""Bytes of the longest response that is read; a decision about one group has a few kilobytes."""
_VERDICTS = ("allow", "block", "remediate")
_OK = 200


class NotAnsweredError(Exception):
    """The function gave no judgement; the text says why and holds no secret."""


@dataclass(frozen=True)
class Function:
    """Where the function is, and how long its response is waited for."""

    url: str
    deadline_s: float = 2.0
    token: str = field(default="", repr=False)
    token_file: str = ""
    ca_file: str = ""


@dataclass(frozen=True)
class Question:
    """May this group be deleted? ``event_id`` is the same when the same request is asked again."""

    event_id: str
    source: str
    target: str
    requested_by: str = ""


def ask(function: Function, question: Question) -> dict[str, Any]:
    """Return the function's decision about this very group.

    Raises:
        NotAnsweredError: there is none within the deadline, or none that can be believed.
    """
    call = _Call(function, question)
    results: queue.Queue[dict[str, Any] | NotAnsweredError] = queue.Queue()
    worker = threading.Thread(target=lambda: results.put(call.result()), daemon=True)
    worker.start()
    try:
        result = results.get(timeout=function.deadline_s)
    except queue.Empty:
        call.abandon()
        raise NotAnsweredError(f"no response within {function.deadline_s:g} s") from None
    if isinstance(result, NotAnsweredError):
        raise result
    return result


class _Call:
    """One HTTP request, and the connection that the waiting thread may shut."""

    def __init__(self, function: Function, question: Question) -> None:
        self._function = function
        self._question = question
        self._socket: socket.socket | None = None
        self._is_abandoned = False

    def result(self) -> dict[str, Any] | NotAnsweredError:
        """Return the decision, or why there is none; nothing is raised in a worker."""
        try:
            return _decision(self._respond(), self._question)
        except NotAnsweredError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever it is, the delete must be answered
            # The kind only: the text of an error can quote what was sent.
            return NotAnsweredError(f"it cannot be reached ({type(error).__name__})")

    def abandon(self) -> None:
        """End the request from another thread."""
        self._is_abandoned = True
        if self._socket is not None:
            # To close it would not wake a thread that reads from it.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _respond(self) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers.update(_attributes(self._question))
        if token := _token(self._function):
            headers["Authorization"] = f"Bearer {token}"
        body = {"target": self._question.target}
        if self._question.requested_by:
            body["requested_by"] = self._question.requested_by
        connection = _connection(self._function)
        try:
            connection.connect()
            self._socket = connection.sock
            # Only now: whoever left before could not shut this connection.
            if self._is_abandoned:
                raise NotAnsweredError("the time was used up")
            path = _path(self._function.url)
            connection.request("POST", path, body=json.dumps(body).encode(), headers=headers)
            with connection.getresponse() as response:
                return _content(response)
        finally:
            connection.close()


def _content(response: http.client.HTTPResponse) -> bytes:
    # A redirect is a failure like any other status: the token goes nowhere else.
    if response.status != _OK:
        raise NotAnsweredError(f"it responded with status {response.status}")
    content = response.read(BODY_MAX + 1)
    if len(content) > BODY_MAX:
        raise NotAnsweredError("its response is too long")
    if response.length:
        # A read of at most so many bytes does not tell that the connection broke before.
        raise NotAnsweredError("its response is cut")
    return content


def _connection(function: Function) -> http.client.HTTPConnection:
    parts = urlsplit(function.url)
    host = parts.hostname or ""
    # Later than the deadline, at which whoever waits ends the connection: only what cannot be shut
    # yet, as it is still being made, ends by itself.
    timeout_s = function.deadline_s + 1
    if parts.scheme == "https":
        trusted = ssl.create_default_context(cafile=function.ca_file or None)
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=trusted)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _attributes(question: Question) -> dict[str, str]:
    # A source is a URI, whatever a region is called; then both become values of headers.
    source = quote(question.source, safe="/")
    return {
        "ce-specversion": "1.0",
        "ce-type": EVENT_TYPE,
        "ce-id": quote(question.event_id, safe="/"),
        "ce-source": quote(source, safe="/"),
    }


def _token(function: Function) -> str:
    token = function.token
    if function.token_file:
        try:
            token = Path(function.token_file).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise NotAnsweredError(f"token_file cannot be read ({type(error).__name__})") from None
    token = token.strip()
    if function.token_file and not token:
        raise NotAnsweredError("token_file is empty")
    if not all("!" <= char <= "~" for char in token):
        raise NotAnsweredError("the token has characters that no header may have")
    return token


def _decision(content: bytes, question: Question) -> dict[str, Any]:
    """Return the decision; what is none, or about another group, is not believed."""
    try:
        document = json.loads(content)
    except ValueError:
        raise NotAnsweredError("its response is no JSON") from None
    if not isinstance(document, dict) or document.get("verdict") not in _VERDICTS:
        raise NotAnsweredError("its response is no decision")
    if document.get("guard") != "delete" or document.get("target") != [question.target]:
        raise NotAnsweredError("its decision is about something else")
    return document
