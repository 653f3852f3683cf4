"""What every channel needs to prove a callback: comparisons, times, and the errors."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from sgguard.errors import EventError
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal

WINDOW_S = 300
"""How old a signed callback may be, and how far in the future, where its time is signed."""

_DIGITS_MAX = 16


def forged() -> EventError:
    """Return the error for a callback that the channel did not sign; it says nothing more."""
    return refusal(EventError, said("chat.unsigned"), status=403)


def unreadable() -> EventError:
    """Return the error for a callback that is signed and not what the vendor documents."""
    return refusal(EventError, said("chat.unreadable"), status=400)


def is_one_of(given: str, known: Iterable[str]) -> bool:
    """Return whether a signature is one of those that are known, in the same time for any."""
    text = given.encode(errors="replace")
    # Every one is compared, whichever fits: the time it takes does not show which.
    fitting = [hmac.compare_digest(one.encode(), text) for one in known]
    return any(fitting)


def is_timely(text: str, now_s: float, *, per_s: int = 1, window_s: float = WINDOW_S) -> bool:
    """Return whether a decimal timestamp is within the window; ``per_s``: its units a second."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        return False
    return abs(now_s - int(text) / per_s) <= window_s
