"""Whether what is to be told is told: in one line, for whoever watches a function."""

from __future__ import annotations

from datetime import UTC, datetime

from sgguard.store.base import Store

LATE_S = 300.0
"""How long a notice may be due before nobody seems to deliver."""


def state_of(store: Store) -> str:
    """Return ``ok``, or what is late; a function that decides is ready all the same.

    Raises:
        StoreError: the store cannot be read.
    """
    failing = [
        f"{one.kind} {one.destination} fails since "
        f"{datetime.fromtimestamp(one.failing_since_s, UTC):%Y-%m-%dT%H:%MZ}"
        for one in store.failing_places()
    ]
    if late := store.late_notices(LATE_S):
        failing.append(f"{late} due and not delivered")
    return "; ".join(failing) or "ok"
