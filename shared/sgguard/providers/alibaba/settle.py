"""Waiting until a change shows in what the cloud lists.

The cloud answers when it has accepted a change; its lists may lag a little behind ("takes effect
shortly", ModifyInstanceAttribute). A step that returned earlier would leave the next step to a
state that still looks as before.
"""

from __future__ import annotations

from collections.abc import Callable

from sgguard.errors import DeadlineError
from sgguard.providers._shared import read_back
from sgguard.wire.client import Wire

_DOUBLINGS_MAX = 8


def until(wire: Wire, what: str, is_shown: Callable[[], bool]) -> None:
    """Ask until the change shows, with growing pauses, within the event's time.

    Raises:
        DeadlineError: it did not show in time; it may have been made.
        ConflictError: ``is_shown`` says so: something else was there, and nothing was changed.
        CloudError: it could not be looked at; none of them says that it was not made.
    """
    attempts = 0
    while not read_back(is_shown, what):
        pause_s = min(wire.retry.max_s, wire.retry.base_s * 2.0 ** min(attempts, _DOUBLINGS_MAX))
        if pause_s >= wire.deadline.remaining_s():
            raise DeadlineError(f"the time for this event was used up before {what} showed")
        wire.retry.sleep(pause_s)
        attempts += 1
