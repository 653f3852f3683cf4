"""Waiting until a change shows in what the cloud lists.

The cloud responds when it has accepted a change; its lists may lag behind ("takes effect shortly",
ModifyInstanceAttribute). The next step of a plan must not see the old state, so a change returns
only when it shows.
"""

from __future__ import annotations

from collections.abc import Callable

from sgguard.errors import DeadlineError
from sgguard.providers._shared import read_back
from sgguard.wire.client import Wire

_DOUBLINGS_MAX = 8


def until(wire: Wire, what: str, is_shown: Callable[[], bool]) -> None:
    """Poll until the change shows, with growing pauses, within the event's time.

    ``what`` names the change in errors. The pauses double from the retry policy's ``base_s`` to its
    ``max_s``.

    Raises:
        DeadlineError: it did not show in time; it may have been made.
        ConflictError: ``is_shown`` found that another state was there, and nothing was changed.
        CloudError: a poll failed; the change may have been made.
    """
    attempts = 0
    while not read_back(is_shown, what):
        pause_s = min(wire.retry.max_s, wire.retry.base_s * 2.0 ** min(attempts, _DOUBLINGS_MAX))
        if pause_s >= wire.deadline.remaining_s():
            raise DeadlineError(f"the time for this event was used up before {what} showed")
        wire.retry.sleep(pause_s)
        attempts += 1
