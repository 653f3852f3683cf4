"""The outbox: what is to be told to others, written in the transaction of what it tells of.

How two deliverers are kept apart:

1. A notice is taken by a lease and a fence, one statement: of several deliverers one gets it.
   It is due when its time has come, no earlier notice of its order waits, and its destination is
   not left alone. A deliverer that dies loses it with the end of the lease.
2. What came of it is written only under the same fence. A notice that was renewed meanwhile
   (its ``version`` grew) is not delivered by that: it waits once more.

A time to come counts only while it is no further off than it was when it was written: a clock that
was put back keeps nothing waiting for longer than it was meant to wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sgguard.store import places, telling
from sgguard.store.database import Session, Tables, Value, autocommit, transaction
from sgguard.store.fence import alive
from sgguard.store.notices import OutboxRow, Telling

_SLACK_S = 10
_COLUMNS = (
    "notice_id, kind, decision_id, destination, order_key, payload_json, reference_json, version,"
    " state, attempts, problem, created_at_s, next_try_s, expires_at_s, owner, fence"
)
_EARLIER = """
EXISTS (SELECT 1 FROM sgguard_outbox AS earlier
    WHERE earlier.order_key = sgguard_outbox.order_key AND earlier.state = 'waiting'
        AND earlier.number < sgguard_outbox.number)
"""
_IS_HELD = f"""
EXISTS (SELECT 1 FROM sgguard_outbox_places AS place
    WHERE place.kind = sgguard_outbox.kind AND place.destination = sgguard_outbox.destination
        AND place.held_until_s > :now
        AND place.held_until_s <= :now + place.held_s + {_SLACK_S})
"""  # noqa: S608 - constants
_TIMELY = f"(next_try_s <= :now OR next_try_s > :now + wait_s + {_SLACK_S})"
_FREE = f"state = 'waiting' AND {_TIMELY} AND NOT {alive('sgguard_outbox')}"
_DUE = f"{_FREE} AND NOT {_EARLIER} AND NOT {_IS_HELD}"

_FIND = f"""
SELECT notice_id FROM sgguard_outbox WHERE kind = :kind AND {_DUE}
ORDER BY next_try_s, created_at_s, notice_id LIMIT :limit
"""  # noqa: S608 - constants
_FIND_AT = f"""
SELECT notice_id FROM sgguard_outbox
WHERE kind = :kind AND destination = :destination AND {_DUE}
ORDER BY next_try_s, created_at_s, notice_id LIMIT :limit
"""  # noqa: S608 - constants
_LEASE = f"""
UPDATE sgguard_outbox SET owner = :owner, fence = fence + 1,
    lease_until_s = :now + :lease_s, lease_s = :lease_s
WHERE notice_id = :notice_id AND state = 'waiting' AND NOT {alive("sgguard_outbox")}
    AND NOT {_EARLIER}
"""  # noqa: S608 - constants
_TAKE = f"{_LEASE} AND {_TIMELY} RETURNING {_COLUMNS}"
_TAKE_NOW = f"{_LEASE} RETURNING {_COLUMNS}"
_MINE = "notice_id = :notice_id AND owner = :owner AND fence = :fence AND state = 'waiting'"
_LET_GO = "owner = '', lease_until_s = :now"
_DELIVERED = f"""
UPDATE sgguard_outbox SET {_LET_GO}, reference_json = :reference_json, problem = '',
    attempts = CASE WHEN version = :version THEN attempts + 1 ELSE 0 END,
    state = CASE WHEN version = :version THEN 'delivered' ELSE 'waiting' END,
    next_try_s = :now, wait_s = 0,
    ended_at_s = CASE WHEN version = :version THEN :now ELSE NULL END
WHERE {_MINE}
"""  # noqa: S608 - constants
_LATER = f"""
UPDATE sgguard_outbox SET {_LET_GO}, attempts = attempts + :counted, problem = :problem,
    next_try_s = :now + :wait_s, wait_s = :wait_s
WHERE {_MINE}
"""  # noqa: S608 - constants
_GONE = f"""
UPDATE sgguard_outbox SET {_LET_GO}, problem = :problem,
    state = CASE WHEN version = :version THEN :state ELSE 'waiting' END,
    next_try_s = :now, wait_s = 0,
    ended_at_s = CASE WHEN version = :version THEN :now ELSE NULL END
WHERE {_MINE}
"""  # noqa: S608 - constants
_LET_BACK = f"UPDATE sgguard_outbox SET {_LET_GO} WHERE {_MINE}"  # noqa: S608 - constants
_ONE = f"SELECT {_COLUMNS} FROM sgguard_outbox WHERE notice_id = :notice_id"  # noqa: S608 - constants
_BEGINNING = (
    "SELECT notice_id FROM sgguard_outbox WHERE substr(notice_id, 1, :length) = :beginning"
    " ORDER BY notice_id LIMIT 5"
)
_LISTED = f"""
SELECT {_COLUMNS} FROM sgguard_outbox
WHERE (:state = '' OR state = :state) AND (:decision_id = '' OR decision_id = :decision_id)
ORDER BY created_at_s DESC, notice_id DESC LIMIT :limit
"""  # noqa: S608 - constants
_BY_HAND = """
UPDATE sgguard_outbox SET owner = '', fence = fence + 1, lease_until_s = :now,
    state = :state, next_try_s = :now, wait_s = 0, attempts = 0, problem = :problem,
    expires_at_s = CASE WHEN :state = 'waiting' THEN :now + keep_s ELSE expires_at_s END,
    ended_at_s = CASE WHEN :state = 'waiting' THEN NULL ELSE :now END
WHERE notice_id = :notice_id
"""
_FLOOD = f"""
SELECT COUNT(*) FROM sgguard_outbox
WHERE kind = :kind AND destination = :destination AND reference_json = '' AND {_DUE}
"""  # noqa: S608 - constants
_LATE = f"""
SELECT COUNT(*) FROM sgguard_outbox WHERE {_DUE} AND next_try_s < :now - :late_s
"""  # noqa: S608 - constants
_NEXT = """
SELECT MIN(next_try_s) - :now, COUNT(*) FROM sgguard_outbox WHERE state = 'waiting'
"""


class Outbox(Tables):
    """Notices: taken by deliverers, and what came of each."""

    @transaction
    def notify(self, session: Session, decision_id: str, told: Telling) -> None:
        """Write notices that belong to no step of a decision."""
        telling.put(session, decision_id, told)

    def take_notices(
        self,
        kind: str,
        *,
        owner: str,
        lease_s: float,
        destination: str = "",
        limit: int = 1,
    ) -> tuple[OutboxRow, ...]:
        """Take notices that are due, the oldest first, for one deliverer until the lease ends."""
        taken = []
        for notice_id in self._due(kind, destination, limit):
            row = self.take_notice(notice_id, owner=owner, lease_s=lease_s)
            taken += [] if row is None else [row]
        return tuple(taken)

    @autocommit
    def _due(self, session: Session, kind: str, destination: str, limit: int) -> tuple[str, ...]:
        given: dict[str, Value] = {"kind": kind, "limit": limit}
        if destination:
            return _ids(session.rows(_FIND_AT, destination=destination, **given))
        return _ids(session.rows(_FIND, **given))

    @transaction
    def take_notice(
        self,
        session: Session,
        notice_id: str,
        *,
        owner: str,
        lease_s: float,
        is_hurried: bool = False,
    ) -> OutboxRow | None:
        """Take one notice; None where it is not due, or another deliverer has it.

        One that ``is_hurried`` is due before its next attempt is.
        """
        given: dict[str, Value] = {"notice_id": notice_id, "owner": owner, "lease_s": lease_s}
        found = session.rows(_TAKE_NOW if is_hurried else _TAKE, **given)
        return OutboxRow(*found[0]) if found else None

    @transaction
    def delivered(self, session: Session, row: OutboxRow, reference_json: str) -> bool:
        """Note that a notice was delivered; False where another deliverer has it.

        One that was renewed since it was taken waits once more.
        """
        places.works(session, row.kind, row.destination)
        return _delivered(session, row, reference_json)

    @transaction
    def delivered_together(
        self, session: Session, rows: Sequence[OutboxRow], reference_json: str
    ) -> frozenset[str]:
        """Note that one message told all of these; return the ids of those that were still ours.

        All or none: whoever is stopped in between leaves none that is told a second time alone.
        """
        for kind, destination in sorted({(one.kind, one.destination) for one in rows}):
            places.works(session, kind, destination)
        return frozenset(
            one.notice_id for one in _in_order(rows) if _delivered(session, one, reference_json)
        )

    @transaction
    def try_later(
        self, session: Session, row: OutboxRow, wait_s: float, problem: str, *, counted: bool = True
    ) -> bool:
        """Note that a notice is to be tried again; False where another deliverer has it."""
        given: dict[str, Value] = {"wait_s": wait_s, "problem": problem, "counted": int(counted)}
        return session.count(_LATER, **given, **_mine(row)) == 1

    @transaction
    def give_up(self, session: Session, row: OutboxRow, problem: str, *, is_dead: bool) -> bool:
        """Note that a notice is not tried again: dead, or dropped where nobody needs it."""
        state = "dead" if is_dead else "dropped"
        given: dict[str, Value] = {"version": row.version, "state": state, "problem": problem}
        return session.count(_GONE, **given, **_mine(row)) == 1

    @transaction
    def let_back(self, session: Session, rows: Sequence[OutboxRow]) -> None:
        """Leave notices to the next deliverer, as if they had not been taken."""
        for one in _in_order(rows):
            session.count(_LET_BACK, **_mine(one))

    @autocommit
    def notice(self, session: Session, notice_id: str) -> OutboxRow | None:
        """Return one notice."""
        found = session.rows(_ONE, notice_id=notice_id)
        return OutboxRow(*found[0]) if found else None

    @autocommit
    def notices(
        self, session: Session, *, state: str = "", decision_id: str = "", limit: int = 50
    ) -> tuple[OutboxRow, ...]:
        """Return notices, the newest first."""
        found = session.rows(_LISTED, state=state, decision_id=decision_id, limit=limit)
        return tuple(OutboxRow(*row) for row in found)

    @autocommit
    def notice_ids(self, session: Session, beginning: str) -> tuple[str, ...]:
        """Return ids of notices that begin so, at most five, in order."""
        return _ids(session.rows(_BEGINNING, beginning=beginning, length=len(beginning)))

    @autocommit
    def due_first(self, session: Session, kind: str, destination: str) -> int:
        """Return how many notices for a destination are due that it never got."""
        return int(session.rows(_FLOOD, kind=kind, destination=destination)[0][0])

    @autocommit
    def late_notices(self, session: Session, late_s: float) -> int:
        """Return how many notices are due for longer than so many seconds."""
        return int(session.rows(_LATE, late_s=late_s)[0][0])

    @autocommit
    def waiting_notices(self, session: Session) -> tuple[float | None, int]:
        """Return in how many seconds the next notice is due, and how many wait."""
        [(next_s, count)] = session.rows(_NEXT)
        return (None if next_s is None else float(next_s)), int(count)

    @transaction
    def retry_notice(self, session: Session, notice_id: str) -> bool:
        """Make a notice due now, whatever became of it; False where there is none."""
        given: dict[str, Value] = {"state": "waiting", "problem": ""}
        return session.count(_BY_HAND, notice_id=notice_id, **given) == 1

    @transaction
    def drop_notice(self, session: Session, notice_id: str, why: str) -> bool:
        """Try a notice no more; False where there is none."""
        given: dict[str, Value] = {"state": "dropped", "problem": why}
        return session.count(_BY_HAND, notice_id=notice_id, **given) == 1


def _delivered(session: Session, row: OutboxRow, reference_json: str) -> bool:
    given: dict[str, Value] = {"version": row.version, "reference_json": reference_json}
    return session.count(_DELIVERED, **given, **_mine(row)) == 1


def _in_order(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Return rows in the order in which every transaction locks them: no two wait in a circle."""
    return sorted(rows, key=lambda one: one.notice_id)


def _mine(row: OutboxRow) -> dict[str, Value]:
    return {"notice_id": row.notice_id, "owner": row.owner, "fence": row.fence}


def _ids(rows: Iterable[Sequence[Any]]) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in rows)
