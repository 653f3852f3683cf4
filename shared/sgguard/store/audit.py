"""Decisions: who requested what, what was decided, and the outcome; the newest event of a key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sgguard.errors import LateError, StoreError
from sgguard.store import telling
from sgguard.store.database import Reply, Session, Tables, Value, autocommit, transaction
from sgguard.store.rows import Marks, Query, Record

_COLUMNS = (
    "decision_id, source, event_id, guard, target_json, requester, verdict, mode, outcome,"
    " document_json, approver, at_s"
)
_KEEP = f"""
INSERT INTO sgguard_decisions ({_COLUMNS}, kept_at_s)
VALUES (:decision_id, :source, :event_id, :guard, :target_json, :requester, :verdict, :mode,
    :outcome, :document_json, :approver, COALESCE(:at_s, :now), :now)
ON CONFLICT (decision_id) DO UPDATE SET
    source = excluded.source, event_id = excluded.event_id, guard = excluded.guard,
    target_json = excluded.target_json, requester = excluded.requester,
    verdict = excluded.verdict, mode = excluded.mode, outcome = excluded.outcome,
    document_json = excluded.document_json, approver = excluded.approver,
    at_s = COALESCE(:at_s, sgguard_decisions.at_s), kept_at_s = excluded.kept_at_s
"""  # noqa: S608 - constants
_ONE = f"SELECT {_COLUMNS} FROM sgguard_decisions WHERE decision_id = :decision_id"  # noqa: S608 - constants
_BEGINNING = (
    "SELECT decision_id FROM sgguard_decisions WHERE substr(decision_id, 1, :length) = :beginning"
    " ORDER BY decision_id LIMIT :limit"
)
_FORGET_TARGETS = "DELETE FROM sgguard_targets WHERE decision_id = :decision_id"
_TARGET = """
INSERT INTO sgguard_targets (target, decision_id) VALUES (:target, :decision_id)
ON CONFLICT (target, decision_id) DO NOTHING
"""

_HOLDER = (
    "SELECT state FROM sgguard_runs WHERE decision_id = :decision_id AND holder <> ''"
    " AND state IN ('asked', 'open', 'stuck')"
)
_HAS_TARGET = (
    "EXISTS (SELECT 1 FROM sgguard_targets WHERE sgguard_targets.target = :target"
    " AND sgguard_targets.decision_id = sgguard_decisions.decision_id)"
)

AHEAD_S = 300.0
"""A time further ahead of the store's clock than this is a mistake, a nearer one is a bit off."""

# Such a time counts as now: it must not supersede what happens until then. Any other one counts as
# it is, for a clock that is put back a little must not turn the order of events around.
_COUNTED = f"CASE WHEN :at_s > :now + {AHEAD_S} THEN :now ELSE :at_s END"
_NOTE = f"""
INSERT INTO sgguard_marks (name, newest_s, noted_at_s)
VALUES (:name, {_COUNTED}, :now)
ON CONFLICT (name) DO UPDATE SET
    before_s = sgguard_marks.newest_s,
    newest_s = CASE WHEN excluded.newest_s > sgguard_marks.newest_s
        THEN excluded.newest_s ELSE sgguard_marks.newest_s END,
    noted_at_s = excluded.noted_at_s
RETURNING before_s, {_COUNTED}
"""  # noqa: S608 - constants


class AuditTrail(Tables):
    """Decisions, and when the newest event about each target happened."""

    @transaction
    def keep(self, session: Session, record: Record) -> None:
        """Keep a decision; a later one of the same id takes its place.

        Without a time of its own (0.0) it has that of its first keeping. A decision that a
        worker has is kept by the steps of that worker (:mod:`~sgguard.store.steps`) alone.
        """
        holder = session.send(_HOLDER, decision_id=record.decision_id)
        keep(session, record)
        if fence := holder.rows():
            raise StoreError(
                f"decision {record.decision_id} is {fence[0][0]}: only a worker that has it "
                "writes its record"
            )

    @autocommit
    def decision(self, session: Session, decision_id: str) -> Record | None:
        """Return one decision."""
        found = session.rows(_ONE, decision_id=decision_id)
        return _record(found[0]) if found else None

    @autocommit
    def decision_ids(self, session: Session, beginning: str, limit: int = 5) -> tuple[str, ...]:
        """Return ids of decisions that begin so, at most ``limit``, in order."""
        found = session.rows(_BEGINNING, beginning=beginning, length=len(beginning), limit=limit)
        return tuple(str(one) for (one,) in found)

    @autocommit
    def decisions(self, session: Session, query: Query) -> tuple[Record, ...]:
        """Return the decisions a query selects, the newest first."""
        wanted: dict[str, tuple[str, Value]] = {
            "target": (_HAS_TARGET, query.target or None),
            "verdict": ("verdict = :verdict", query.verdict or None),
            "outcome": ("outcome = :outcome", query.outcome or None),
            "before_s": ("at_s < :before_s", query.before_s),
        }
        given = {name: value for name, (_, value) in wanted.items() if value is not None}
        where = " AND ".join(wanted[name][0] for name in given) or "1 = 1"
        statement = (
            f"SELECT {_COLUMNS} FROM sgguard_decisions WHERE {where}"  # noqa: S608 - constants
            " ORDER BY at_s DESC, decision_id DESC LIMIT :limit"
        )
        found = session.rows(statement, limit=max(query.limit, 0), **given)
        return tuple(_record(row) for row in found)

    @transaction
    def newest(self, session: Session, keys: Sequence[str], at_s: float) -> float | None:
        """Note that an event of this time concerns the keys; return the newest time before this."""
        return _noted(_note(session, Marks(tuple(keys), at_s)), at_s)[0]


def keep(session: Session, record: Record, *, is_new: bool = False) -> None:
    """Keep a decision, as :meth:`AuditTrail.keep` does, for whoever holds it."""
    session.send(
        _KEEP,
        decision_id=record.decision_id,
        source=record.source,
        event_id=record.event_id,
        guard=record.guard,
        target_json=json.dumps(record.target),
        requester=record.requester,
        verdict=record.verdict,
        mode=record.mode,
        outcome=record.outcome,
        document_json=record.document_json,
        approver=record.approver,
        at_s=record.at_s or None,
    )
    if not is_new:
        session.send(_FORGET_TARGETS, decision_id=record.decision_id)
    for target in sorted(set(record.target)):
        session.send(_TARGET, decision_id=record.decision_id, target=target)
    telling.put(session, record.decision_id, record.telling)


def note(session: Session, marks: Marks | None) -> Callable[[], None]:
    """Note what an event concerns; it is part of the step that the event leads to.

    What is called insists that the event is the newest; statements may be sent before it.

    Raises:
        LateError: a newer event about the same led to such a step before; nothing is noted.
    """
    replies = [] if marks is None else _note(session, marks)

    def require_newest() -> None:
        if marks is None:
            return
        newest, at_s = _noted(replies, marks.at_s)
        if newest is not None and newest > at_s:
            raise LateError(f"a newer event about {', '.join(marks.keys)} came before this one")

    return require_newest


def _note(session: Session, marks: Marks) -> list[Reply]:
    return [session.send(_NOTE, name=name, at_s=marks.at_s) for name in sorted(set(marks.keys))]


def _noted(replies: Sequence[Reply], at_s: float) -> tuple[float | None, float]:
    """Return the newest time before an event, and the one that counts for this event."""
    found = [row for reply in replies for row in reply.rows()]
    # A whole number comes back from SQLite's RETURNING as an integer.
    before = [float(one) for one, _ in found if one is not None]
    return max(before, default=None), min((float(one) for _, one in found), default=at_s)


def _record(row: Iterable[Any]) -> Record:
    (
        decision_id,
        source,
        event_id,
        guard,
        target_json,
        requester,
        verdict,
        mode,
        outcome,
        document_json,
        approver,
        at_s,
    ) = row
    return Record(
        decision_id,
        source,
        event_id,
        guard,
        tuple(json.loads(target_json)),
        requester,
        verdict,
        mode,
        outcome,
        document_json,
        approver,
        at_s,
    )
