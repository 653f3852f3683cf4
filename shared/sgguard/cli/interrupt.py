"""A change is asked about, and may be interrupted: what is true then, and what to type next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sgguard.cli import terminal
from sgguard.errors import SgguardError


@contextmanager
def interruptible(state: Callable[[], str]) -> Iterator[None]:
    """Run the block; where Ctrl-C ends it, write what is true then, from the store."""
    try:
        yield
    except KeyboardInterrupt:
        try:
            words = state()
        except SgguardError as error:
            words = f"what was done cannot be read now ({error}); next: sgguard resume"
        terminal.complain(f"sgguard: interrupted: {' '.join(words.split())}")
        raise


def is_confirmed(question: str) -> bool:
    """Ask a person; write why nothing is done where the answer is no, or there is none."""
    with interruptible(lambda: "nothing was changed"):
        answer = terminal.confirm(question)
    if answer is not True:
        why = "no answer (--yes goes on without asking)" if answer is None else "declined"
        terminal.complain(f"sgguard: {why}: nothing was changed")
    return answer is True
