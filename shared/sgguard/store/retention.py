"""Forgetting what ended long ago."""

from __future__ import annotations

from sgguard.store.database import Session
from sgguard.store.rows import Purged

# Of the table a statement deletes from: what nobody waits for, and no work hangs on.
_NOTHING_OPEN = """
    NOT EXISTS (SELECT 1 FROM sgguard_runs AS run
        WHERE run.decision_id = {table}.decision_id AND run.state IN ('open', 'stuck'))
    AND NOT EXISTS (SELECT 1 FROM sgguard_approvals AS question
        WHERE question.decision_id = {table}.decision_id AND question.state = 'pending')
"""


def _old(table: str, condition: str) -> str:
    nothing_open = _NOTHING_OPEN.format(table=table)
    return f"SELECT decision_id FROM {table} WHERE {condition} AND {nothing_open}"  # noqa: S608 - constants


_RUNS = _old("sgguard_runs", "state IN ('finished', 'undone') AND ended_at_s < :before_s")
_DECISIONS = _old("sgguard_decisions", "kept_at_s < :before_s")

# What belongs to a run or a decision goes before it: afterwards nobody could say whose it was.
_CONDITIONS = {
    "claims": f"lease_until_s < :before_s AND {_NOTHING_OPEN.format(table='sgguard_claims')}",
    "locks": f"lease_until_s < :before_s AND {_NOTHING_OPEN.format(table='sgguard_locks')}",
    "targets": f"decision_id IN ({_DECISIONS})",
    "decisions": f"decision_id IN ({_DECISIONS})",
    "entries": f"decision_id IN ({_RUNS})",
    "runs": f"decision_id IN ({_RUNS})",
    "approvals": "state <> 'pending' AND resolved_at_s < :before_s",
    "marks": "noted_at_s < :before_s",
}


def purge(session: Session, before_s: float) -> Purged:
    """Forget what ended before that time; a time to come is now: what is held, ends later."""
    [(now_s,)] = session.rows("SELECT :now")
    limit_s = min(before_s, now_s)
    counts = {
        kind: session.count(f"DELETE FROM sgguard_{kind} WHERE {condition}", before_s=limit_s)  # noqa: S608 - constants
        for kind, condition in _CONDITIONS.items()
    }
    counts.pop("targets")  # part of their decisions
    return Purged(counts)
