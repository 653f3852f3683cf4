"""The documented limits of both Tencent APIs."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.model.resource import Limit
from sgguard.model.sentence import Sentence, said

DOCUMENTED_LIMITS: Mapping[str, int] = {
    "groups-per-instance": 5,
    "instances-per-group": 2000,
    "rules-per-group": 100,
    "references-per-group": 10,
    "groups-per-project": 50,
}
"""Documented limits, the same for API 3.0 and API 2.0; rules are counted per direction.
https://cloud.tencent.com/document/product/213/15379."""

LIMIT_NOTES: Mapping[str, Sentence] = {"rules-per-group": said("limit.per-direction")}


def documented_limits(note: Sentence) -> tuple[Limit, ...]:
    """Return the limits of the documents; ``note`` says why they were not read."""
    return tuple(
        Limit(name, ceiling, note=_with_own(note, LIMIT_NOTES.get(name)))
        for name, ceiling in DOCUMENTED_LIMITS.items()
    )


def _with_own(note: Sentence, own: Sentence | None) -> Sentence:
    return said("limit.and", note=note, own=own) if own else note
