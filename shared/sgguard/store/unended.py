"""What is read of decisions that are not at their end, and of runs that others build on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sgguard.store.database import Session, Tables, autocommit
from sgguard.store.fence import alive
from sgguard.store.rows import Made, OpenClaim, Run

_OPEN = f"""
SELECT source, event_id, decision_id,
    CASE WHEN state = 'working' AND {alive("sgguard_claims")} THEN 1 ELSE 0 END,
    lease_until_s, first_at_s
FROM sgguard_claims WHERE state <> 'answered' ORDER BY first_at_s, source, event_id
"""  # noqa: S608 - constants
_RUN = (
    "SELECT decision_id, source, event_id, plan_json, snapshot_json, keys_json, state, note,"
    " begun_at_s FROM sgguard_runs"
)
_IN_ORDER = "ORDER BY begun_at_s, decision_id"
_RUNS_OF = (
    f"{_RUN} WHERE source = :source AND state IN ('open', 'stuck', 'finished', 'undone',"
    f" 'accepted') {_IN_ORDER}"
)
_FINISHED = f"{_RUN} WHERE state = 'finished' {_IN_ORDER}"
_MADE = """
SELECT entry.decision_id, entry.change_json, entry.made_id
FROM sgguard_entries AS entry JOIN sgguard_runs AS run ON run.decision_id = entry.decision_id
WHERE run.source = :source AND entry.made_id <> '' AND entry.is_undo = 0 AND entry.state = 'done'
    AND NOT EXISTS (SELECT 1 FROM sgguard_entries AS undo
        WHERE undo.decision_id = entry.decision_id AND undo.step = entry.step
            AND undo.is_undo = 1 AND undo.state = 'undone')
ORDER BY run.begun_at_s, entry.decision_id, entry.number
"""


class Unended(Tables):
    """Events without an answer, and runs by their source; nothing here writes."""

    @autocommit
    def open_claims(self, session: Session) -> tuple[OpenClaim, ...]:
        """Return the events that have no answer yet, the oldest first."""
        return tuple(
            OpenClaim(source, event_id, decision_id, bool(is_held), until_s, first_at_s)
            for source, event_id, decision_id, is_held, until_s, first_at_s in session.rows(_OPEN)
        )

    @autocommit
    def runs_of(self, session: Session, source: str) -> tuple[Run, ...]:
        """Return every run that was begun for an event of a source, the oldest first."""
        return tuple(_run(row) for row in session.rows(_RUNS_OF, source=source))

    @autocommit
    def finished_runs(self, session: Session) -> tuple[Run, ...]:
        """Return the runs whose changes are all made, the oldest first."""
        return tuple(_run(row) for row in session.rows(_FINISHED))

    @autocommit
    def made_by(self, session: Session, source: str) -> tuple[Made, ...]:
        """Return the groups that runs of a source created and did not undo, in order."""
        return tuple(Made(*row) for row in session.rows(_MADE, source=source))


def _run(row: Iterable[Any]) -> Run:
    decision_id, source, event_id, plan, snapshot, keys, *rest = row
    return Run(decision_id, source, event_id, plan, snapshot, tuple(json.loads(keys)), *rest)
