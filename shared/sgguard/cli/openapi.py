"""``sgguard openapi``: the OpenAPI document of the functions, and the JSON Schemas of events."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sgguard import schemas
from sgguard.cli.command import command
from sgguard.cli.options import JSON_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.errors import InputError
from sgguard.web import installed, server

_ANYWHERE = {"SGGUARD_START": "lenient", "HOST": "127.0.0.1"}


@command(
    short_help="Print the OpenAPI document of the functions.",
    epilog=epilog(
        "sgguard openapi --output openapi.json",
        "sgguard openapi delete_request",
        "sgguard openapi --schema decision",
        exit_codes="0 success, 2 error",
    ),
)
@click.argument("function", required=False)
@click.option(
    "--schema",
    metavar="NAME",
    help="Print the JSON Schema of one kind of event instead, such as decision.",
)
@JSON_OPTION
def openapi(function: str | None, schema: str | None, *, as_json: bool) -> None:  # noqa: ARG001 - it is JSON
    """Print what a function serves at /openapi.json; without FUNCTION what `sgguard serve` does.

    It has every path, status, media type and kind of proof, with examples, and nothing of the
    settings or the policy.
    """
    if schema is not None and function is not None:
        raise InputError("FUNCTION and --schema cannot be given together: give only one")
    if schema is not None:
        print_json(_schema(schema))
        return
    found = installed.functions()
    if function is not None and function not in found:
        raise InputError(f"there is no function {function!r}: expected one of {', '.join(found)}")
    with _whatever_is_set():
        app = server.application(found)
        print_json(server.document(app, f"/{function}" if function else ""))


def _schema(name: str) -> object:
    known = schemas.names()
    if name not in known:
        raise InputError(f"there is no schema {name!r}: expected one of {', '.join(known)}")
    return schemas.load(name)


@contextmanager
def _whatever_is_set() -> Iterator[None]:
    """Let functions be loaded to be described, also where they could not start."""
    before = {name: os.environ.get(name) for name in _ANYWHERE}
    disabled = logging.root.manager.disable
    os.environ.update(_ANYWHERE)
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
