"""The documented limits of both Tencent APIs."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.model.resource import Limit

DOCUMENTED_LIMITS: Mapping[str, int] = {
    "groups-per-instance": 5,
    "instances-per-group": 2000,
    "rules-per-group": 100,
    "references-per-group": 10,
    "groups-per-project": 50,
}
"""Documented limits, the same for API 3.0 and API 2.0; rules are counted per direction.
https://cloud.tencent.com/document/product/213/15379."""

LIMIT_NOTES: Mapping[str, str] = {"rules-per-group": "counted for each direction by itself"}


def documented_limits(note: str) -> tuple[Limit, ...]:
    """Return the limits of the documents; ``note`` says why they were not read."""
    return tuple(
        Limit(name, ceiling, note="; ".join(filter(None, (note, LIMIT_NOTES.get(name, "")))))
        for name, ceiling in DOCUMENTED_LIMITS.items()
    )
