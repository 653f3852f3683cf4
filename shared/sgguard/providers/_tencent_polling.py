"""Asking again until a change has come to its end, for both Tencent APIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sgguard.errors import DeadlineError
from sgguard.wire.client import Wire

T = TypeVar("T")

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 2.0


def ask_until(wire: Wire, ask: Callable[[], T], is_over: Callable[[T], bool], what: str) -> T:
    """Ask until the answer is a last one, and return it; wait twice as long each time.

    Raises:
        DeadlineError: the next question would come too late; what became of ``what`` is unknown.
        CloudError: the cloud could not be asked, or ``is_over`` found that it went wrong.
    """
    wait_s = FIRST_WAIT_S
    while not is_over(found := ask()):
        if wait_s >= wire.deadline.remaining_s():
            raise DeadlineError(f"the time for this event was used up before {what} was over")
        wire.retry.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
    return found
