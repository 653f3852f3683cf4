"""Long work on a terminal: done in as many deliveries as it takes, with progress in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sgguard.cli import failure
from sgguard.errors import DeadlineError

T = TypeVar("T")

_ROUNDS_MAX = 1000
"""Each round of a plan makes a change at least; no plan is longer."""


def until_done(work: Callable[[], T]) -> T:
    """Do the work again for as long as only its time runs out: the journal knows how far it is.

    Raises:
        SgguardError: anything else went wrong; asked again, it goes on from there.
    """
    for number in range(1, _ROUNDS_MAX):
        try:
            return work()
        except DeadlineError:
            failure.say(f"not finished in SGGUARD_DEADLINE_S, going on ({number})")
    return work()
