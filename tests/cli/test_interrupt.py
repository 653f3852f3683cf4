"""Ctrl-C while a plan is carried out ends it, wherever Python is at that moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from sgguard.cli import terminal
from sgguard.cli.interrupt import interruptible


@pytest.fixture(autouse=True)
def as_at_the_start() -> Iterator[None]:
    """Another test may have left a handler of its own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Finalized:
    """Gets Ctrl-C while it is removed from memory: what that raises is dropped by Python."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_python_drops_ends_the_plan_with_the_next_change(capsys):
    terminal.begin()
    changes = iter(["one", "two", "three"])

    def carry_out() -> None:
        Finalized()
        for change in changes:
            terminal.progress(change)

    with pytest.raises(KeyboardInterrupt), interruptible(lambda: "one change is made"):
        carry_out()
    assert list(changes) == ["two", "three"]
    assert "interrupted: one change is made" in capsys.readouterr().err
    terminal.begin()
    terminal.progress("of the next command")


def test_ctrl_c_is_left_as_it_was_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with interruptible(lambda: ""):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
