"""Runs and their journal.

The order in which a run is written, by :mod:`sgguard.remedy`:

1. :meth:`~sgguard.store.steps.Steps.begin_run`: plan and snapshot, before the first change.
2. :meth:`~Journal.intend`: one line per change, before its call is sent.
3. :meth:`~Journal.settle`: what came of it. A worker that dies between 2 and 3 leaves a line that
   is ``intended``; the next worker reads the world to settle it.
4. :meth:`~Journal.turn`: from here on it is only undone, before the first undo is sent.
5. Its end: finished or undone, which frees the locks; or stuck, which does not.

Each is one transaction that holds the run (:mod:`~sgguard.store.fence`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sgguard.errors import HaltedError, StoreError
from sgguard.store import fence, halts, locks, transitions
from sgguard.store.claims import extend, require_own
from sgguard.store.database import (
    Reply,
    Session,
    Tables,
    Value,
    autocommit,
    transaction,
)
from sgguard.store.fence import Holding
from sgguard.store.rows import Claim, Entry, EntryState, Run, RunState, Settled
from sgguard.store.transitions import Status, Step

_RUN = (
    "SELECT decision_id, source, event_id, plan_json, snapshot_json, keys_json, state, note,"
    " begun_at_s, shared_json, direction FROM sgguard_runs"
)
# What is only asked about has no plan yet: it is not begun.
_ONE_RUN = f"{_RUN} WHERE decision_id = :decision_id AND state NOT IN ('asked', 'refused')"
_OPEN_RUNS = f"{_RUN} WHERE state IN ('open', 'stuck') ORDER BY begun_at_s, decision_id"
_RUNS_SINCE = f"""{_RUN}
WHERE state IN ('open', 'finished', 'undone', 'stuck', 'accepted') AND begun_at_s >= :begun_at_s
    AND plan_json LIKE '%' || CAST(:word AS TEXT) || '%'
ORDER BY begun_at_s, decision_id
"""
_BEGIN = """
INSERT INTO sgguard_runs (decision_id, source, event_id, plan_json, snapshot_json, keys_json,
    shared_json, state, direction, fence, holder, lease_until_s, lease_s, note, begun_at_s)
VALUES (:decision_id, :source, :event_id, :plan_json, :snapshot_json, :keys_json,
    :shared_json, 'open', 'forward', :fence, :holder, :until_s, :lease_s, :note, :now)
ON CONFLICT (decision_id) DO UPDATE SET
    source = excluded.source, event_id = excluded.event_id, plan_json = excluded.plan_json,
    snapshot_json = excluded.snapshot_json, keys_json = excluded.keys_json,
    shared_json = excluded.shared_json, state = excluded.state, note = excluded.note,
    begun_at_s = excluded.begun_at_s
WHERE sgguard_runs.state = 'asked' AND sgguard_runs.fence = excluded.fence
"""

_ENTRY = (
    "SELECT decision_id, number, step, change_json, is_undo, state, made_id, note, at_s"
    " FROM sgguard_entries WHERE decision_id = :decision_id"
)
_ENTRIES = f"{_ENTRY} ORDER BY number"
_ENTRIES_FROM = f"{_ENTRY} AND number >= :number"
_INTEND = """
INSERT INTO sgguard_entries (decision_id, number, step, change_json, is_undo, state, made_id,
    note, at_s)
SELECT :decision_id, line.number, line.step, line.change_json, line.is_undo, 'intended',
    line.made_id, line.note, :now
FROM LINES(number BIGINT, step BIGINT, change_json TEXT, is_undo BIGINT, made_id TEXT,
    note TEXT)
"""
_SETTLE = """
UPDATE sgguard_entries SET state = line.state,
    made_id = CASE WHEN line.made_id = '' THEN sgguard_entries.made_id ELSE line.made_id END,
    note = CASE WHEN line.note = '' THEN sgguard_entries.note ELSE line.note END
FROM LINES(number BIGINT, state TEXT, made_id TEXT, note TEXT)
WHERE sgguard_entries.decision_id = :decision_id AND sgguard_entries.number = line.number
"""


class Journal(Tables):
    """Plans that are carried out, line by line."""

    @transaction
    def intend(
        self, session: Session, claim: Claim, lines: Entry | Sequence[Entry], lease_s: float
    ) -> None:
        """Write changes down before they are made, and renew the claim and the decision's lease.

        Writing the same entry again while it is ``intended`` does nothing. Another one of the
        same number, one of a run that is not unresolved, or one against the direction of the run
        is a StoreError.

        Raises:
            HaltedError: an operator stopped all changes; nothing was written, not even renewed.
        """
        entries = [lines] if isinstance(lines, Entry) else lines
        for entry in entries:
            require_own(claim, entry.decision_id)
        hold = fence.hold_run(session, claim)
        halt = halts.ask(session)
        extend(session, claim, lease_s)
        first = min((entry.number for entry in entries), default=0)
        rows = session.send(_ENTRIES_FROM, decision_id=claim.decision_id, number=first)
        held = hold()
        if held.status.state not in ("open", "stuck"):
            raise StoreError(f"decision {claim.decision_id} has no run that is open")
        fence.move(session, claim, "intend", held.status)
        if stopped := halts.read(halt):
            raise HaltedError(f"all changes were stopped by {stopped.by}: {stopped.reason}")
        written = {one.number: one for one in map(_entry, rows.rows())}
        new: list[Entry] = []
        for entry in entries:
            if entry.number in written:
                _require_same(written[entry.number], entry)
            elif entry.is_undo == (held.status.direction == "undoing"):
                new.append(entry)
            else:
                way = "an undo" if entry.is_undo else "a change"
                words = f"{way} was to be written into a run that is {held.status.direction}"
                raise StoreError(f"decision {entry.decision_id}: {words}")
        if new:
            _intend(session, new)

    @transaction
    def settle(
        self,
        session: Session,
        claim: Claim,
        lines: Entry | Sequence[Settled],
        state: EntryState = "done",
        *,
        made_id: str = "",
        note: str = "",
    ) -> None:
        """Write down what came of changes, all of them or none.

        Of one line its outcome may be given here; an empty text leaves what was written before.
        """
        settled = [Settled(lines, state, made_id, note)] if isinstance(lines, Entry) else lines
        for one in settled:
            require_own(claim, one.entry.decision_id)
        hold = fence.hold_run(session, claim)
        changed = _settle(session, claim, settled) if settled else None
        fence.move(session, claim, "settle", hold().status)
        if changed is not None and changed.count() != len({one.entry.number for one in settled}):
            numbers = " or ".join(str(one.entry.number) for one in settled)
            raise StoreError(f"the journal of {claim.decision_id} has no entry {numbers}")

    @transaction
    def turn(self, session: Session, claim: Claim, note: str = "") -> None:
        """Make undoing the direction of a run, for good; ``note`` says why.

        A run that is undone already stays so.
        """
        held = fence.hold_run(session, claim)()
        if held.status.direction == "forward":
            fence.move(session, claim, "turn", held.status, note=note)

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
    def runs_since(self, session: Session, begun_at_s: float, word: str) -> tuple[Run, ...]:
        """Return the runs that began then or later and have a word in their plan, the oldest first.

        The id of a group finds those that change it or what carries it, and maybe others.
        """
        found = session.rows(_RUNS_SINCE, begun_at_s=begun_at_s, word=word)
        return tuple(_run(row) for row in found)

    @autocommit
    def entries(self, session: Session, decision_id: str) -> tuple[Entry, ...]:
        """Return a run's journal, in order."""
        return tuple(_entry(row) for row in session.rows(_ENTRIES, decision_id=decision_id))


def begin(session: Session, claim: Claim, run: Run, held: Holding) -> None:
    """Begin a run of the decision that is held, with its locks; a second time changes nothing."""
    require_own(claim, run.decision_id)
    if held.status.state not in (None, "asked"):
        return
    transitions.after("begin", held.status)
    # A lock may have ended since it was taken: an open run holds its locks from its beginning.
    until_s = max(held.lease_until_s, held.now_s)
    lease_s = until_s - held.now_s
    locks.take(session, run.decision_id, run.keys, run.shared, until_s=until_s, lease_s=lease_s)
    begun = session.count(
        _BEGIN,
        decision_id=run.decision_id,
        source=run.source,
        event_id=run.event_id,
        plan_json=run.plan_json,
        snapshot_json=run.snapshot_json,
        keys_json=json.dumps(run.keys),
        shared_json=json.dumps(run.shared),
        fence=claim.run_fence,
        holder=claim.owner,
        until_s=until_s,
        lease_s=lease_s,
        note=run.note,
    )
    if not begun:
        raise fence.lost(claim)


def close(session: Session, claim: Claim, before: Status, state: RunState, note: str) -> None:
    """End the run that is held; its locks go unless it is stuck."""
    step: Step = "accept" if state == "accepted" else "refuse" if state == "refused" else "end"
    fence.move(session, claim, step, before, state, note=note)
    if state != "stuck":
        locks.free(session, claim.decision_id)


def _intend(session: Session, entries: Sequence[Entry]) -> None:
    """Write lines, all of a wave with one statement."""
    lines: list[dict[str, Value]] = [
        {
            "number": one.number,
            "step": one.step,
            "change_json": one.change_json,
            "is_undo": int(one.is_undo),
            "made_id": one.made_id,
            "note": one.note,
        }
        for one in entries
    ]
    session.send_lines(_INTEND, lines, decision_id=entries[0].decision_id)


def _settle(session: Session, claim: Claim, settled: Sequence[Settled]) -> Reply:
    """Write what came of lines, all of a wave with one statement."""
    lines: list[dict[str, Value]] = [
        {
            "number": one.entry.number,
            "state": one.state,
            "made_id": one.made_id,
            "note": one.note,
        }
        for one in settled
    ]
    return session.send_lines(_SETTLE, lines, decision_id=claim.decision_id)


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
    decision_id, source, event_id, plan, snapshot, keys, state, note, begun_at_s, *rest = row
    shared, direction = rest
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
        tuple(json.loads(shared)),
        direction,
    )


def _entry(row: Iterable[Any]) -> Entry:
    decision_id, number, step, change_json, is_undo, state, made_id, note, at_s = row
    return Entry(decision_id, number, step, change_json, bool(is_undo), state, made_id, note, at_s)
