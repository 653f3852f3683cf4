"""Ctrl-C during a change: what is true now, and what to type next."""

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
