"""Purging what ended long ago."""

from __future__ import annotations

from sgguard.store.database import Session, Tables, transaction
from sgguard.store.rows import Purged

# Of the table a statement deletes from: rows that no run and no approval request needs. One that
# was approved needs them until its decision is at its end.
_NOTHING_OPEN = """
    NOT EXISTS (SELECT 1 FROM sgguard_runs AS run
        WHERE run.decision_id = {table}.decision_id AND run.state IN ('asked', 'open', 'stuck'))
    AND NOT EXISTS (SELECT 1 FROM sgguard_approvals AS approval
        WHERE approval.decision_id = {table}.decision_id AND (approval.state = 'pending'
            OR (approval.state = 'approved' AND EXISTS (SELECT 1 FROM sgguard_decisions AS decision
                WHERE decision.decision_id = approval.decision_id
                    AND decision.outcome IN ('pending', 'unfinished')))))
"""


def _old(table: str, condition: str) -> str:
    nothing_open = _NOTHING_OPEN.format(table=table)
    return f"SELECT decision_id FROM {table} WHERE {condition} AND {nothing_open}"  # noqa: S608 - constants


_ENDED = "state IN ('finished', 'undone', 'accepted', 'refused') AND ended_at_s < :before_s"
_RUNS = _old("sgguard_runs", _ENDED)
_DECISIONS = _old("sgguard_decisions", "kept_at_s < :before_s")

# What belongs to a run or a decision goes before it: afterwards it could not be found any more.
_CONDITIONS = {
    "claims": f"lease_until_s < :before_s AND {_NOTHING_OPEN.format(table='sgguard_claims')}",
    "locks": f"lease_until_s < :before_s AND {_NOTHING_OPEN.format(table='sgguard_locks')}",
    "targets": f"decision_id IN ({_DECISIONS})",
    "decisions": f"decision_id IN ({_DECISIONS})",
    "entries": f"decision_id IN ({_RUNS})",
    "runs": f"decision_id IN ({_RUNS})",
    "approvals": "state <> 'pending' AND resolved_at_s < :before_s AND "
    + _NOTHING_OPEN.format(table="sgguard_approvals"),
    "marks": "noted_at_s < :before_s",
    # The message of a decision is kept true as long as the decision is kept.
    "outbox": "state <> 'waiting' AND ended_at_s < :before_s AND NOT EXISTS ("
    "SELECT 1 FROM sgguard_decisions AS decision"
    " WHERE decision.decision_id = sgguard_outbox.decision_id)",
    "callbacks": "kept_at_s < :before_s AND NOT EXISTS (SELECT 1 FROM sgguard_decisions AS kept"
    " WHERE kept.decision_id = sgguard_callbacks.decision_id)",
    "dead_letters": "last_at_s < :before_s",
}


class Retention(Tables):
    """Removes what is no longer needed."""

    @transaction
    def purge(self, session: Session, before_s: float) -> Purged:
        """Forget what ended before that time; nothing that is open, asked about or stuck.

        Nor anything of a decision whose run is unresolved or whose approval request is pending.
        An event ends when it is answered, or with the lease of the worker that left it; a decision
        with its last keeping, and its notices after it. What is forgotten can be claimed as new.
        """
        # A time to come counts as now: a lease that has not ended would be forgotten.
        [(now_s,)] = session.rows("SELECT :now")
        limit_s = min(before_s, now_s)
        counts = {
            kind: session.count(f"DELETE FROM sgguard_{kind} WHERE {condition}", before_s=limit_s)  # noqa: S608 - constants
            for kind, condition in _CONDITIONS.items()
        }
        for part in ("targets", "callbacks"):  # of their decisions
            counts.pop(part)
        return Purged(counts)
