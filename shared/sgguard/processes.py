"""The real functions as child processes under functions-framework, one each, side by side."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import httpx

from sgguard.errors import SgguardError

K = TypeVar("K", bound=Hashable)

READY_S = 25.0
_POLL_S = 0.05
_END_S = 5.0


class StartError(SgguardError):
    """A function did not start: show its ``output``."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True, slots=True)
class Function:
    """One function to run: its name, its source file and the environment it runs in."""

    name: str
    source: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Child:
    """One function that runs: where it answers, and the CloudEvent type it takes."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    file: IO[bytes]

    def output(self) -> str:
        """Return what the process wrote so far, standard output and error together."""
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def ask_type(self) -> str:
        """Wait until the function answers, and return the event type it says it takes.

        Raises:
            StartError: the process ended, or did not answer within 25 seconds.
        """
        give_up = time.monotonic() + READY_S
        while time.monotonic() < give_up and self.process.poll() is None:
            with suppress(httpx.TransportError):
                answer = httpx.get(self.url, trust_env=False, timeout=READY_S)
                if answer.status_code != httpx.codes.OK:
                    break
                return str(answer.json()["type"])
            time.sleep(_POLL_S)
        ended = self.process.poll()
        how = "cannot answer" if ended is None else f"ended with {ended}"
        raise StartError(f"the function {self.name} {how}", self.output())


@contextmanager
def running(functions: Mapping[K, Function]) -> Iterator[dict[K, Child]]:
    """Run the functions until the block is left, however it is left."""
    with ExitStack() as stack:
        yield {key: stack.enter_context(_child(one)) for key, one in functions.items()}


@contextmanager
def _child(function: Function) -> Iterator[Child]:
    port = _free_port()
    command = [sys.executable, "-m", "functions_framework", "--source", str(function.source)]
    command += ["--target", function.name, "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own files
            command,
            env=dict(function.env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches only us, and we end them in order.
            start_new_session=True,
        )
        try:
            yield Child(function.name, f"http://127.0.0.1:{port}/", process, file)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and kill it with everything it started if it does not."""
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
