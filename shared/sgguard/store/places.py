"""Destinations of notices: those that fail are left alone for a while, and none gets too much.

What is sent is counted in slices of time. A limit holds for every span of its length, wherever it
begins: the slices that a span can touch are counted whole, the first one as well.
"""

from __future__ import annotations

import msgspec

from sgguard.store.database import Session, Tables, Value, autocommit, transaction
from sgguard.store.notices import Place

_SLICES = 12
"""Into how many slices the length of a limit is cut."""

# Seconds since when it fails count from the first failure after a success.
_FAILED = """
INSERT INTO sgguard_outbox_places (kind, destination, failures, failing_since_s, held_until_s,
    held_s, problem)
VALUES (:kind, :destination, 1, :now, :now, 0, :problem)
ON CONFLICT (kind, destination) DO UPDATE SET
    failing_since_s = CASE WHEN sgguard_outbox_places.failures = 0 THEN excluded.failing_since_s
        ELSE sgguard_outbox_places.failing_since_s END,
    failures = sgguard_outbox_places.failures + 1, problem = excluded.problem
RETURNING failures
"""
_HOLD = """
INSERT INTO sgguard_outbox_places (kind, destination, failures, failing_since_s, held_until_s,
    held_s, problem)
VALUES (:kind, :destination, 0, :now, :now + :hold_s, :hold_s, '')
ON CONFLICT (kind, destination) DO UPDATE SET
    held_until_s = excluded.held_until_s, held_s = excluded.held_s
"""
_WORKS = """
UPDATE sgguard_outbox_places SET failures = 0
WHERE kind = :kind AND destination = :destination AND failures > 0
"""
_FAILING = """
SELECT kind, destination, failures, failing_since_s, held_until_s, problem
FROM sgguard_outbox_places WHERE failures > 0 ORDER BY failing_since_s, kind, destination
"""
_USED = f"""
SELECT COALESCE(SUM(used), 0), MIN(slice) FROM sgguard_outbox_slices
WHERE kind = :kind AND destination = :destination AND width_s = :width_s
    AND slice >= :slice - {_SLICES} AND slice <= :slice + 1
"""  # noqa: S608 - constants
_SPEND = """
INSERT INTO sgguard_outbox_slices (kind, destination, width_s, slice, used)
VALUES (:kind, :destination, :width_s, :slice, 1)
ON CONFLICT (kind, destination, width_s, slice) DO UPDATE SET
    used = sgguard_outbox_slices.used + 1
"""
_FORGET = f"""
DELETE FROM sgguard_outbox_slices WHERE kind = :kind AND destination = :destination
    AND width_s = :width_s AND slice < :slice - {_SLICES}
"""  # noqa: S608 - constants
# One deliverer counts at a time: the row of the destination is made, and held.
_LOCK = """
INSERT INTO sgguard_outbox_slices (kind, destination, width_s, slice, used)
VALUES (:kind, :destination, 0, 0, 1)
ON CONFLICT (kind, destination, width_s, slice) DO UPDATE SET used = 1
"""


class Limit(msgspec.Struct, frozen=True):
    """At most so many in every span of so many seconds."""

    most: int
    span_s: int


class Places(Tables):
    """Destinations that fail, and what was sent to each."""

    @transaction
    def place_failed(self, session: Session, kind: str, destination: str, problem: str) -> int:
        """Note that a destination took nothing; return how often in a row."""
        given: dict[str, Value] = {"kind": kind, "destination": destination}
        [(failures,)] = session.rows(_FAILED, problem=problem, **given)
        return int(failures)

    @transaction
    def hold_place(self, session: Session, kind: str, destination: str, hold_s: float) -> None:
        """Leave a destination alone for so long."""
        session.count(_HOLD, kind=kind, destination=destination, hold_s=hold_s)

    @autocommit
    def failing_places(self, session: Session) -> tuple[Place, ...]:
        """Return the destinations whose last attempt failed, the longest failing first."""
        return tuple(Place(*row) for row in session.rows(_FAILING))

    @transaction
    def spend(
        self, session: Session, kind: str, destination: str, limits: tuple[Limit, ...]
    ) -> float:
        """Count one message to a destination; return for how many seconds it is too many yet.

        0.0: it is counted, and may be sent. Otherwise nothing is counted.
        """
        given: dict[str, Value] = {"kind": kind, "destination": destination}
        session.count(_LOCK, **given)
        [(now_s,)] = session.rows("SELECT :now")
        slices = {width_s: int(now_s // width_s) for width_s in map(_width, limits)}
        waits = [_left(session, one, slices[_width(one)], given) for one in limits]
        if (wait_s := max(waits, default=0.0)) > 0:
            return wait_s
        for width_s, number in slices.items():
            session.count(_SPEND, width_s=width_s, slice=number, **given)
            session.count(_FORGET, width_s=width_s, slice=number, **given)
        return 0.0


def works(session: Session, kind: str, destination: str) -> None:
    """Note that a destination took something."""
    session.count(_WORKS, kind=kind, destination=destination)


def _left(session: Session, limit: Limit, number: int, given: dict[str, Value]) -> float:
    width_s = _width(limit)
    [(used, first)] = session.rows(_USED, width_s=width_s, slice=number, **given)
    if int(used) < limit.most:
        return 0.0
    # The oldest slice counts no more when the span that it is in has gone past it.
    return float(max(int(first) + _SLICES + 1 - number, 1) * width_s)


def _width(limit: Limit) -> int:
    return max(-(-limit.span_s // _SLICES), 1)
