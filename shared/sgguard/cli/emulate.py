"""``sgguard emulate``: emulated cloud APIs on a port of this machine."""

from __future__ import annotations

import errno
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.options import epilog
from sgguard.emulator.core import Emulator
from sgguard.emulator.scenario import load
from sgguard.emulator.server import serve
from sgguard.errors import SettingsError

# Where to listen, and why that may fail; `sgguard serve` uses the same.

HOST_OPTION = click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on."
)
PORT = click.IntRange(0, 65535)

_ENDING = (signal.SIGINT, signal.SIGTERM)

_REASONS = {
    errno.EADDRINUSE: "the port is in use: choose another one with --port",
    errno.EACCES: "this user may not listen on that port: choose one above 1023",
    errno.EADDRNOTAVAIL: "this is not an address of this machine: choose another one with --host",
    errno.EAFNOSUPPORT: "this machine has no such kind of address: choose another with --host",
}


@contextmanager
def ending() -> Iterator[Callable[[], None]]:
    """Give a function that waits for Ctrl-C or SIGTERM; the next one ends the process at once.

    Until then both are held back in every thread that is started inside. A handler would not do: a
    signal that reaches another thread does not wake the one that waits.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield _wait_for_signal
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_for_signal() -> None:
    signal.sigwait(_ENDING)
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def end(stack: ExitStack) -> None:
    """End a server; on a terminal it is shown what is waited for."""
    with terminal.waiting("requests under way to be answered (once more to end at once)"):
        stack.close()


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Turn a failure to listen on ``host:port`` into an error of one line.

    Raises:
        SettingsError: the port cannot be used; the message says why.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        if isinstance(error, socket.gaierror) or (error.errno or 0) < 0:  # those of getaddrinfo
            reason = "there is no such host: choose an address of this machine with --host"
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}") from error


@command(
    short_help="Emulate the cloud APIs on one port.",
    epilog=epilog(
        "sgguard emulate --port 8000",
        "sgguard emulate --port 8000 --scenario ./my-clouds.toml",
        "curl -s http://127.0.0.1:8000/_emulator/requests",
        exit_codes="0 ended by Ctrl-C or SIGTERM, 2 error",
    ),
)
@click.option("--port", type=PORT, default=0, help="The port to listen on; 0 takes any free one.")
@HOST_OPTION
@click.option("--json", "as_json", is_flag=True, help="The same: what is printed is JSON anyway.")
@click.option(
    "--scenario",
    default="demo",
    show_default=True,
    metavar="NAME|FILE",
    help="A built-in scenario or a TOML file.",
)
def emulate(port: int, host: str, scenario: str, *, as_json: bool) -> None:  # noqa: ARG001
    """Emulate the cloud APIs on one port, until interrupted.

    Prints one JSON line: the address, and the variables (endpoints and test credentials) that
    make sgguard use it instead of the real clouds. Under /_emulator, the paths /requests, /state,
    /scenario and /faults show what it received and holds, replace it, and inject faults.
    """
    try:
        loaded = load(scenario)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    emulator = Emulator.load({"clouds": loaded.clouds})
    with ending() as wait, ExitStack() as stack:
        with listening(host, port):
            server = stack.enter_context(serve(emulator, host, port, is_patient=True))
        env = loaded.client_env(server.url)
        terminal.say_json(json.dumps({"url": server.url, "scenario": scenario, "env": env}))
        wait()
        end(stack)
