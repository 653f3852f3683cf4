"""Options that say where to listen, and ports that cannot be had, in words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sgguard.errors import SettingsError

HOST_OPTION = click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on."
)
PORT = click.IntRange(0, 65535)

_REASONS = {
    errno.EADDRINUSE: "the port is in use: choose another one with --port",
    errno.EACCES: "this user may not listen on that port: choose one above 1023",
    errno.EADDRNOTAVAIL: "that is no address of this machine",
}


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Say in one line why ``host:port`` cannot be listened on.

    Raises:
        SettingsError: it cannot.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            raise
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}") from error
