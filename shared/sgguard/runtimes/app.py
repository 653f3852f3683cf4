"""The application of a function, and asking it without a server."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from sgguard import hiding, lazy
from sgguard.web.installed import functions

if TYPE_CHECKING:
    import functions_framework
else:
    functions_framework = lazy("functions_framework")  # what hands over events needs no server

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Nowhere:
    """Where a framework's own complaints go (``wsgi.errors``): they may quote a request."""

    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


REACHED = "0.0.0.0"  # noqa: S104 - nothing is bound here: who may reach the function is told
"""What a function on a platform is reached on: never this machine alone, whatever it binds."""


@hiding("body")
class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer of the application."""

    status: int
    headers: dict[str, str]
    body: bytes


def of(function: str) -> Application:
    """Return the application of an installed function; it checks its settings on the way.

    Raises:
        SystemExit: they cannot be used; a line in the log says why.
    """
    # The function asks on which address it is reached before it answers everybody. Behind a
    # platform it is never loopback alone, also where the platform's own agent connects from there.
    os.environ["HOST"] = REACHED
    make: Callable[..., Application] = functions_framework.create_app
    application = make(target=function, source=str(functions()[function]))
    keep_all()
    return application


def keep_all() -> None:
    """Begin to collect garbage, in an artifact: what it has made until here stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def ask(application: Application, environ: Environ) -> Answer:
    """Return what the application answers to one request."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> None:
        started.append((status, headers))

    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Answer(int(status.split(" ", 1)[0]), dict(headers), body)


def parsed(content: bytes) -> object:
    """Return the document of an event, None where it is none: the function says what is wrong."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # too deep is no better than not JSON
        return None


def media_type(content: bytes) -> str:
    """Return the media type of an event that came without one: CloudEvents say that they are."""
    document = parsed(content)
    first = document[0] if isinstance(document, list) and document else document
    if not (isinstance(first, dict) and "specversion" in first):
        return "application/json"
    batched = "-batch" if isinstance(document, list) else ""
    return f"application/cloudevents{batched}+json"
