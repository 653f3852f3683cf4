"""Looking at a cloud until it stands still: what moves meanwhile is no verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sgguard.errors import MovedError

T = TypeVar("T")

LOOKS = 3
"""How often a cloud that moves is looked at before its event is left to the next delivery."""


def until_still(look: Callable[[], T]) -> T:
    """Return what is seen at the first look during which nothing moved.

    Raises:
        MovedError: something moved during every look.
        Exception: whatever a look raises.
    """
    for _ in range(LOOKS - 1):
        try:
            return look()
        except MovedError:
            continue
    return look()
