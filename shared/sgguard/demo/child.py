"""One function under functions-framework that ends with its parent, however that one ends.

Run as ``python -m sgguard.demo.child``: standard input is a pipe whose other end the parent holds.
When it closes, nobody is left to end this process and those that it started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from functions_framework._cli import _cli


def _end_with_parent() -> None:
    # Unbuffered: an interpreter that ends aborts when a thread still holds the lock of a buffer.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)  # the parent made this process a session's first


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _cli(prog_name="python -m functions_framework")
