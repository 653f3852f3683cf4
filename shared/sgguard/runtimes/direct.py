"""Asking a function without the framework that serves it over HTTP.

What a platform hands over by itself is no request of HTTP, and the framework with all that it
brings (Flask, Werkzeug, Jinja, CloudEvents) is a quarter of a cold start. A function reads little
of a request: this is that much of one. What a gateway hands over still goes by the framework.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import httpx

from sgguard.runtimes import app
from sgguard.web.installed import functions

Function = Callable[[Any], tuple[Any, int, dict[str, str]]]
"""A function of :mod:`functions`: a request in, the parts of an answer out."""

_FRAMEWORK = "functions_framework"


class Request:
    """As much of a ``flask.Request`` as :func:`sgguard.web.endpoint.serve` reads.

    ``environ`` is that of WSGI (PEP 3333), of a request without headers of its own.
    """

    def __init__(self, environ: app.Environ) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ["PATH_INFO"]
        self.full_path = f"{self.path}?"
        self.remote_addr: str = environ["REMOTE_ADDR"]
        self.args: dict[str, str] = {}
        self.headers = httpx.Headers(
            {
                "Content-Type": environ["CONTENT_TYPE"],
                "Content-Length": environ["CONTENT_LENGTH"],
            }
        )
        self.stream = environ["wsgi.input"]


def of(function: str) -> Function:
    """Return an installed function; it checks its settings on the way.

    Raises:
        SystemExit: they cannot be used; a line in the log says why.
    """
    os.environ["HOST"] = app.REACHED  # see app.of
    spec = spec_from_file_location(f"sgguard_{function}", functions()[function])
    if spec is None or spec.loader is None:
        raise ImportError(f"{function} is no file of Python")
    module = module_from_spec(spec)
    with nullcontext() if _FRAMEWORK in sys.modules else _standing_in():
        spec.loader.exec_module(module)
    app.keep_all()
    found: Function = getattr(module, function)
    return found


def ask(function: Function, environ: app.Environ) -> app.Answer:
    """Return what a function answers to one request."""
    chunks, status, headers = function(Request(environ))
    with closing(chunks) if hasattr(chunks, "close") else nullcontext():
        return app.Answer(status, headers, b"".join(chunks))


@contextmanager
def _standing_in() -> Iterator[None]:
    """Let a function be imported without the framework: of it, it names what marks it."""
    framework = ModuleType(_FRAMEWORK)
    framework.__dict__["http"] = lambda function: function
    sys.modules[_FRAMEWORK] = framework
    try:
        yield
    finally:
        del sys.modules[_FRAMEWORK]
