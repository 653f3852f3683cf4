"""Runs and their journal, and the switch that stops all changes.

The order in which a run is written, by :mod:`sgguard.remedy`:

1. :meth:`~Journal.begin_run`: plan and snapshot, before the first change.
2. :meth:`~Journal.intend`: one line per change, before its call is sent.
3. :meth:`~Journal.settle`: what came of it. A worker that dies between 2 and 3 leaves a line that
   is ``intended``; the next worker reads the world to settle it.
4. :meth:`~Journal.close_run`: finished or undone, which frees the locks; or stuck, which does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sgguard.errors import HaltedError, StoreError
from sgguard.store.claims import extend, free, hold, require_own, take
from sgguard.store.database import Session, Tables, autocommit, transaction
from sgguard.store.rows import Claim, Entry, EntryState, Halt, Run, RunState

_RUN = (
    "SELECT decision_id, source, event_id, plan_json, snapshot_json, keys_json, state, note,"
    " begun_at_s FROM sgguard_runs"
)
_ONE_RUN = f"{_RUN} WHERE decision_id = :decision_id"
_OPEN_RUNS = f"{_RUN} WHERE state IN ('open', 'stuck') ORDER BY begun_at_s, decision_id"
_STATE = "SELECT state FROM sgguard_runs WHERE decision_id = :decision_id FOR UPDATE"
_BEGIN = """
INSERT INTO sgguard_runs (decision_id, source, event_id, plan_json, snapshot_json, keys_json,
    state, note, begun_at_s)
VALUES (:decision_id, :source, :event_id, :plan_json, :snapshot_json, :keys_json,
    'open', :note, :now)
"""
_CLOSE = """
UPDATE sgguard_runs SET state = :state, note = :note, ended_at_s = :now
WHERE decision_id = :decision_id
"""

_ENTRY = (
    "SELECT decision_id, number, step, change_json, is_undo, state, made_id, note, at_s"
    " FROM sgguard_entries WHERE decision_id = :decision_id"
)
_ENTRIES = f"{_ENTRY} ORDER BY number"
_ONE_ENTRY = f"{_ENTRY} AND number = :number"
_INTEND = """
INSERT INTO sgguard_entries (decision_id, number, step, change_json, is_undo, state, made_id,
    note, at_s)
VALUES (:decision_id, :number, :step, :change_json, :is_undo, 'intended', :made_id, :note, :now)
"""
_SETTLE = """
UPDATE sgguard_entries SET state = :state,
    made_id = CASE WHEN :made_id = '' THEN made_id ELSE :made_id END,
    note = CASE WHEN :note = '' THEN note ELSE :note END
WHERE decision_id = :decision_id AND number = :number
"""

_HALT = """
INSERT INTO sgguard_halts (number, halted_by, reason, at_s) VALUES (1, :halted_by, :reason, :now)
ON CONFLICT (number) DO UPDATE SET
    halted_by = excluded.halted_by, reason = excluded.reason, at_s = excluded.at_s
"""


class Journal(Tables):
    """Plans that are carried out, line by line."""

    @transaction
    def begin_run(self, session: Session, claim: Claim, run: Run) -> None:
        """Keep a plan and its snapshot before its first change; a second time changes nothing.

        Its keys are locked (again): from here on they stay so until the run is resolved.

        Raises:
            BusyError: the claim's lock on one of them ended, and another decision has it.
        """
        require_own(claim, run.decision_id)
        lease_until_s, now_s = hold(session, claim)
        if _state(session, run.decision_id) is not None:
            return
        # A lock may have ended since it was taken: an open run holds its locks from its beginning.
        take(session, run.decision_id, run.keys, max(lease_until_s, now_s))
        session.count(
            _BEGIN,
            decision_id=run.decision_id,
            source=run.source,
            event_id=run.event_id,
            plan_json=run.plan_json,
            snapshot_json=run.snapshot_json,
            keys_json=json.dumps(run.keys),
            note=run.note,
        )

    @transaction
    def intend(self, session: Session, claim: Claim, entry: Entry, lease_s: float) -> None:
        """Write a change down before it is made, and renew the claim and its locks.

        Writing the same entry again while it is ``intended`` does nothing. Another one of the
        same number, or one of a run that is not unresolved, is a StoreError.

        Raises:
            HaltedError: an operator stopped all changes; nothing was written, not even renewed.
        """
        require_own(claim, entry.decision_id)
        extend(session, claim, lease_s)
        if stopped := _halt(session):
            raise HaltedError(f"all changes were stopped by {stopped.by}: {stopped.reason}")
        if _state(session, entry.decision_id) not in ("open", "stuck"):
            raise StoreError(f"decision {entry.decision_id} has no run that is open")
        written = session.rows(_ONE_ENTRY, decision_id=entry.decision_id, number=entry.number)
        if written:
            _require_same(_entry(written[0]), entry)
            return
        session.count(
            _INTEND,
            decision_id=entry.decision_id,
            number=entry.number,
            step=entry.step,
            change_json=entry.change_json,
            is_undo=int(entry.is_undo),
            made_id=entry.made_id,
            note=entry.note,
        )

    @transaction
    def settle(
        self,
        session: Session,
        claim: Claim,
        entry: Entry,
        state: EntryState,
        *,
        made_id: str = "",
        note: str = "",
    ) -> None:
        """Write down what came of a change; an empty text leaves what was written before."""
        require_own(claim, entry.decision_id)
        hold(session, claim)
        if not session.count(
            _SETTLE,
            decision_id=entry.decision_id,
            number=entry.number,
            state=state,
            made_id=made_id,
            note=note,
        ):
            raise StoreError(f"the journal of {entry.decision_id} has no entry {entry.number}")

    @transaction
    def close_run(
        self, session: Session, claim: Claim, decision_id: str, state: RunState, note: str = ""
    ) -> None:
        """Write how the run ended; ``finished`` and ``undone`` free its locks.

        Those two are final: the same state again does nothing, another one is a StoreError.
        """
        require_own(claim, decision_id)
        hold(session, claim)
        before = _state(session, decision_id)
        if before is None:
            raise StoreError(f"decision {decision_id} has no run")
        if before in ("finished", "undone"):
            if before == state:
                return
            words = f"the run of decision {decision_id} is {before}, not to become {state}"
            raise StoreError(words)
        session.count(_CLOSE, decision_id=decision_id, state=state, note=note)
        if state in ("finished", "undone"):
            free(session, decision_id)

    @autocommit
    def run(self, session: Session, decision_id: str) -> Run | None:
        """Return one run."""
        found = session.rows(_ONE_RUN, decision_id=decision_id)
        return _run(found[0]) if found else None

    @autocommit
    def open_runs(self, session: Session) -> tuple[Run, ...]:
        """Return the runs that are open or stuck, the oldest first."""
        return tuple(_run(row) for row in session.rows(_OPEN_RUNS))

    @autocommit
    def entries(self, session: Session, decision_id: str) -> tuple[Entry, ...]:
        """Return a run's journal, in order."""
        return tuple(_entry(row) for row in session.rows(_ENTRIES, decision_id=decision_id))

    @transaction
    def halt(self, session: Session, by: str, reason: str) -> None:
        """Stop all changes, of every process, from now on; the last caller is named."""
        session.count(_HALT, halted_by=by, reason=reason)

    @transaction
    def lift_halt(self, session: Session) -> None:
        """Permit changes again."""
        session.count("DELETE FROM sgguard_halts")

    @autocommit
    def halted(self, session: Session) -> Halt | None:
        """Return who stopped all changes; None when they are permitted."""
        return _halt(session)


def _halt(session: Session) -> Halt | None:
    found = session.rows("SELECT halted_by, reason, at_s FROM sgguard_halts")
    return Halt(*found[0]) if found else None


def _state(session: Session, decision_id: str) -> str | None:
    found = session.rows(_STATE, decision_id=decision_id)
    return str(found[0][0]) if found else None


def _require_same(written: Entry, entry: Entry) -> None:
    """Permit to write an entry again whose first writing was not confirmed, and nothing else.

    Raises:
        StoreError: another entry has this number.
    """
    is_same = (written.step, written.change_json, written.is_undo, written.state) == (
        entry.step,
        entry.change_json,
        entry.is_undo,
        "intended",
    )
    if not is_same:
        raise StoreError(f"the journal of {entry.decision_id} has an entry {entry.number} already")


def _run(row: Iterable[Any]) -> Run:
    decision_id, source, event_id, plan, snapshot, keys, state, note, begun_at_s = row
    return Run(
        decision_id,
        source,
        event_id,
        plan,
        snapshot,
        tuple(json.loads(keys)),
        state,
        note,
        begun_at_s,
    )


def _entry(row: Iterable[Any]) -> Entry:
    decision_id, number, step, change_json, is_undo, state, made_id, note, at_s = row
    return Entry(decision_id, number, step, change_json, bool(is_undo), state, made_id, note, at_s)
