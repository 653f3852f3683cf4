"""Purging what ended long ago."""

from __future__ import annotations

from sgguard.store.database import Session, Tables, autocommit, transaction
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

# Nor rows of a decision that is kept itself: it may have ended long after its event was answered,
# and whoever delivers that event again is told its end, not asked anew.
_NOT_KEPT = """
    NOT EXISTS (SELECT 1 FROM sgguard_decisions AS kept
        WHERE kept.decision_id = {table}.decision_id AND kept.kept_at_s >= :before_s)
"""

# Nor what tells of a decision that is there, however old it is.
_FORGOTTEN = """
    NOT EXISTS (SELECT 1 FROM sgguard_decisions AS kept
        WHERE kept.decision_id = {table}.decision_id)
"""

_CONDITIONS = {
    "claims": (_NOTHING_OPEN, _NOT_KEPT),
    "runs": (_NOTHING_OPEN, _NOT_KEPT),
    "approvals": (_NOTHING_OPEN, _NOT_KEPT),
    "locks": (_NOTHING_OPEN,),
    "decisions": (_NOTHING_OPEN,),
    "outbox": (_FORGOTTEN,),
    "callbacks": (_FORGOTTEN,),
    "marks": (),
    "dead_letters": (),
}

_ENDED = "state IN ('finished', 'undone', 'accepted', 'refused') AND ended_at_s < :before_s"


def _oldest(table: str, keys: str, condition: str, by: str) -> str:
    """Select the keys of at most a slice of the rows that may go, the oldest first."""
    for further in _CONDITIONS[table]:
        condition += f" AND {further.format(table=f'sgguard_{table}')}"
    return f"SELECT {keys} FROM sgguard_{table} WHERE {condition} ORDER BY {by} LIMIT :most"  # noqa: S608 - constants


_OLD = ("kept_at_s < :before_s", "kept_at_s, decision_id")
_DECISIONS = _oldest("decisions", "decision_id", *_OLD)
_ANSWERED = _oldest("decisions", "source, event_id", *_OLD)
_RUNS = _oldest("runs", "decision_id", _ENDED, "ended_at_s, decision_id")
_LEFT = "lease_until_s < :before_s"
_TOLD = "state <> 'waiting' AND ended_at_s < :before_s"
_RESOLVED = "state <> 'pending' AND resolved_at_s < :before_s"

# What belongs to a run or a decision goes before it: afterwards it could not be found any more.
_SLICES = {
    "claims": (
        "source, event_id",
        _oldest("claims", "source, event_id", _LEFT, "lease_until_s"),
    ),
    "locks": ("name", _oldest("locks", "name", _LEFT, "lease_until_s")),
    # An answer goes with its decision, whatever clock it was given by: it may have told of a
    # question, and nobody could say any more how that ended.
    "answers": ("source, event_id", _ANSWERED),
    "targets": ("decision_id", _DECISIONS),
    "decisions": ("decision_id", _DECISIONS),
    "entries": ("decision_id", _RUNS),
    "runs": ("decision_id", _RUNS),
    "approvals": (
        "approval_id",
        _oldest("approvals", "approval_id", _RESOLVED, "resolved_at_s"),
    ),
    "marks": ("name", _oldest("marks", "name", "noted_at_s < :before_s", "noted_at_s")),
    # The message of a decision is kept true as long as the decision is kept.
    "outbox": ("notice_id", _oldest("outbox", "notice_id", _TOLD, "ended_at_s, notice_id")),
    "callbacks": (
        "decision_id",
        _oldest("callbacks", "decision_id", "kept_at_s < :before_s", "kept_at_s"),
    ),
    "dead_letters": (
        "letter_id",
        _oldest("dead_letters", "letter_id", "last_at_s < :before_s", "last_at_s"),
    ),
}
_TABLES = {"answers": "claims"}
"""Where that is not what a slice is called."""

_OF_OTHERS = ("answers", "targets", "entries")
"""They belong to the rows of another slice."""

SLICE = 200
"""How many rows of a kind go in one transaction: others wait for that long and no longer."""

_DUE_S = 3600.0


class Retention(Tables):
    """Removes what is no longer needed."""

    @transaction
    def purge(self, session: Session, before_s: float, most: int = SLICE) -> Purged:
        """Forget the oldest of what ended before that time; nothing open, asked about or stuck.

        Nor anything of a decision whose run is unresolved or whose approval request is pending.
        An event ends with its decision, or when it is answered, or with the lease of the worker
        that left it; a decision with its last keeping, and its notices after it. What is forgotten
        can be claimed as new. At most ``most`` rows of a kind go, and what belongs to them: call
        it again until
        ``is_complete``.
        """
        # A time to come counts as now: a lease that has not ended would be forgotten.
        [(now_s,)] = session.rows("SELECT :now")
        limit_s = min(before_s, now_s)
        counts = {
            kind: session.count(
                f"DELETE FROM sgguard_{_TABLES.get(kind, kind)} WHERE ({keys}) IN ({oldest})",  # noqa: S608 - constants
                before_s=limit_s,
                most=most,
            )
            for kind, (keys, oldest) in _SLICES.items()
        }
        is_complete = all(counts[kind] < most for kind in counts if kind not in _OF_OTHERS)
        counts["claims"] += counts.pop("answers")
        for part in ("targets", "callbacks"):  # of their decisions
            counts.pop(part)
        return Purged(counts, is_complete)

    @autocommit
    def is_purge_due(self, session: Session) -> bool:
        """Return whether nobody purged this store to the end within the last hour."""
        rows = session.rows(
            "SELECT 1 FROM sgguard_purges WHERE number = 1 AND ended_at_s > :now - :due_s",
            due_s=_DUE_S,
        )
        return not rows

    @autocommit
    def note_purge(self, session: Session) -> None:
        """Keep that what was old is purged: no process needs to look for an hour."""
        session.count(
            "INSERT INTO sgguard_purges (number, ended_at_s) VALUES (1, :now) "
            "ON CONFLICT (number) DO UPDATE SET ended_at_s = :now"
        )
