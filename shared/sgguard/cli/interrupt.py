"""A change is asked about, and may be interrupted: what is true then, and what to type next."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sgguard.cli import terminal
from sgguard.errors import SgguardError


@contextmanager
def interruptible(state: Callable[[], str]) -> Iterator[None]:
    """Run the block; where Ctrl-C ends it, write what is true then, from the store.

    Python drops what a signal raises inside of a finalizer. So Ctrl-C is noted too, and ends the
    block with the next change at the latest.
    """
    try:
        with _noted():
            yield
    except KeyboardInterrupt:
        try:
            words = state()
        except SgguardError as error:
            words = f"what was done cannot be read now ({error}); next: sgguard resume"
        terminal.complain(f"sgguard: interrupted: {' '.join(words.split())}")
        raise


@contextmanager
def _noted() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or before is not signal.default_int_handler:
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        terminal.note_interrupt()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def is_confirmed(question: str) -> bool:
    """Ask a person; write why nothing is done where the answer is no, or there is none."""
    with interruptible(lambda: "nothing was changed"):
        answer = terminal.confirm(question)
    if answer is not True:
        why = "no answer (--yes goes on without asking)" if answer is None else "declined"
        terminal.complain(f"sgguard: {why}: nothing was changed")
    return answer is True
