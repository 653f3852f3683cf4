"""Whether a change of several was sent: what batches are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sgguard.errors import Fault, SgguardError
from sgguard.model.change import Change
from sgguard.model.sentence import said

UNSENT = "not sent: "
"""What the words of an :class:`UnsentError` begin with."""

MaySend = Callable[[], bool]
"""Tells right before a call whether a change may still be sent."""

Tokened = tuple[Change, str]
"""A change and its idempotency token."""


def always() -> bool:
    """Permit to send a change at any time."""
    return True


class UnsentError(SgguardError):
    """A change of several was not sent: the others, or the time, did not permit it.

    It is the result of a change, and never raised to whoever asked. ``is_late``: there was no time
    left; otherwise the same change may be sent now.
    """

    fault: ClassVar[Fault] = "cloud"
    is_retryable: ClassVar[bool] = True

    def __init__(self, why: str, *, is_late: bool = False) -> None:
        text = f"{UNSENT}{why}"
        super().__init__(text)
        self.is_late = is_late
        self.sentence = said("unsent.late" if is_late else "unsent.held", text=text)
