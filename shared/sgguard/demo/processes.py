"""The real functions as child processes under functions-framework, one each, side by side."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

import httpx
import msgspec

from sgguard.errors import SgguardError

K = TypeVar("K", bound=Hashable)

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite end, and a terminal that closes."""

READY_S = 25.0
_POLL_S = 0.05
_END_S = 5.0


class StartError(SgguardError):
    """A function did not start: show its ``output``."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class Function(msgspec.Struct, frozen=True):
    """One function to run: its name, its source file and the environment it runs in."""

    name: str
    source: Path
    env: Mapping[str, str]


class Child(msgspec.Struct, frozen=True):
    """One function that runs: its address and its process."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    file: IO[bytes]

    def output(self) -> str:
        """Return what the process wrote so far, standard output and error together."""
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def ask_type(self) -> str:
        """Wait until the function responds, and return the event type that it accepts.

        Raises:
            StartError: the process ended, or did not respond within 25 seconds.
        """
        give_up = time.monotonic() + READY_S
        while time.monotonic() < give_up and self.process.poll() is None:
            with suppress(httpx.TransportError):
                response = httpx.get(self.url, trust_env=False, timeout=READY_S)
                if response.status_code != httpx.codes.OK:
                    break
                return str(response.json()["type"])
            time.sleep(_POLL_S)
        ended = self.process.poll()
        how = "does not respond" if ended is None else f"ended with {ended}"
        raise StartError(f"the function {self.name} {how}", self.output())


@contextmanager
def running(functions: Mapping[K, Function]) -> Iterator[dict[K, Child]]:
    """Run the functions until the block is left, however it is left."""
    with ExitStack() as stack:
        yield {key: stack.enter_context(_child(one)) for key, one in functions.items()}


@contextmanager
def _child(function: Function) -> Iterator[Child]:
    port = free_port()
    command = [sys.executable, "-m", "sgguard.demo.child", "--source", str(function.source)]
    command += ["--target", function.name, "--host", "127.0.0.1", "--port", str(port)]
    process: subprocess.Popen[bytes] | None = None
    with tempfile.TemporaryFile() as file:
        try:
            with _undisturbed():
                process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own files
                    command,
                    env=dict(function.env),
                    stdin=subprocess.PIPE,  # closed when this process ends, however it does
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C reaches only this process, which ends its children in order.
                    start_new_session=True,
                )
            yield Child(function.name, f"http://127.0.0.1:{port}/", process, file)
        finally:
            if process is not None:
                _end(process)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold what ends this process back: during a start it would lose the new one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: arrived.append(number))
        for number in ENDING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in arrived[:1]:
            signal.raise_signal(late)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the process; then kill what is left of it and of its own children."""
    process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port of this machine that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
