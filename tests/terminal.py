"""A command on a terminal: a process on a pty, what it printed there, and how it ended."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence

TIMEOUT_S = 60


def on_terminal(
    args: Sequence[str],
    env: Mapping[str, str],
    *,
    size: tuple[int, int] = (24, 100),
    answers: Sequence[tuple[str, Callable[[int, int], object]]] = (),
) -> tuple[int, str]:
    """Run ``sgguard`` with a terminal as its input, output and error; give exit code and text.

    ``answers`` are done in order, each once its text was printed: with the process id and the
    descriptor of the terminal.
    """
    own, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "sgguard", *args],
        stdin=its,
        stdout=its,
        stderr=its,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **env},
        start_new_session=True,
    )
    os.close(its)
    printed, waiting = b"", list(answers)
    poll = select.poll()
    poll.register(own, select.POLLIN)
    try:
        while poll.poll(TIMEOUT_S * 1000):
            try:
                part = os.read(own, 65536)
            except OSError:  # the terminal's last user went away
                break
            if not part:
                break
            printed += part
            while waiting and waiting[0][0].encode() in printed:
                waiting.pop(0)[1](process.pid, own)
        else:
            process.kill()
        return process.wait(TIMEOUT_S), printed.decode(errors="replace").replace("\r\n", "\n")
    finally:
        os.close(own)
        process.kill()  # one that ended is left alone
        process.wait()


def typing(text: str) -> Callable[[int, int], object]:
    """Return what types a text."""
    return lambda _pid, terminal: os.write(terminal, text.encode())
