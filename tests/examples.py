"""How many examples a property is tried with: fewer of them in the quick run."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

THOROUGH = 100
QUICK = 12


def examples(count: int, **more: Any) -> settings:
    """Settings of a property that is tried ``count`` times in the thorough run.

    ``make slow`` and the mutation run choose the profile ``thorough``; ``make test`` keeps
    the profile ``quick``, with 12 of 100 examples.
    """
    return settings(max_examples=max(1, count * settings.default.max_examples // THOROUGH), **more)
