"""Resuming decisions that are not at their end, and ending one as it is.

A run is *open* when its worker ended before it did, and *stuck* when not everything could be
undone. Until it is finished, undone or accepted, no other decision changes its groups and holders.
What else is not at its end, and what happens to it: :mod:`~sgguard.operations.unresolved`.
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

from sgguard import approvals, lazy
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, SgguardError
from sgguard.model.codes import Outcome
from sgguard.model.sentence import said
from sgguard.operations import restore, undo_remedy
from sgguard.operations.open_end import Unresolved
from sgguard.operations.unresolved import (
    is_left,
    of_run,
    unreadable,
)
from sgguard.operations.without_record import without_record
from sgguard.render.kept import notes_kept, to_keep
from sgguard.render.outcome import notes_of, with_outcome
from sgguard.store.rows import Answered, Busy, Claim, Record, Run, RunState
from sgguard.telemetry import logs

bind_rest = lazy("sgguard.engine.bind_rest")  # most decisions are no binds

__all__ = ["Unresolved", "accept", "resume", "unresolved"]

Json = dict[str, Any]

_UNRESOLVED = ("open", "stuck")
_MOVED = {restore.SOURCE: restore.moved, undo_remedy.SOURCE: undo_remedy.moved}
"""How plans that no request asks for are looked at again, by the source of their events."""


def unresolved(context: Context) -> tuple[Unresolved, ...]:
    """Return the decisions that a resume continues, and stuck ones, the oldest first.

    Raises:
        SettingsError: there is no store.
        StoreError: the store cannot be read.
    """
    executor = Executor.of(context)
    runs = [of_run(executor, run) for run in executor.store.open_runs()]
    begun = {one.decision_id for one in runs}
    approved = [
        Unresolved(one.decision_id, "approved", one.target, one.resolved_at_s or 0.0)
        for one in executor.store.approvals("approved")
        if one.decision_id not in begun and is_left(executor, one)
    ]
    return tuple(sorted([*runs, *approved], key=lambda one: one.since_s))


def resume(decision_id: str, context: Context) -> Json:
    """Continue a decision to its end and return its document; a stuck one is tried again.

    Raises:
        EventError: 404 nothing of it is left to do.
        BusyError: it is being worked on, or its worker ended less than a lease ago.
        HaltedError: all changes are stopped.
        StoreError: another sgguard wrote its plan, with fields that this one does not know.
        SgguardError: it was not finished; called again, it is continued.
    """
    executor = Executor.of(context)
    run = executor.store.run(decision_id)
    # 1. No run: it may have been approved by a process that ended before it began one.
    if run is None:
        waiting = [one for one in executor.store.approvals("approved") if is_left(executor, one)]
        mine = [one.approval_id for one in waiting if one.decision_id == decision_id]
        if not mine:
            raise _nothing(decision_id)
        return approvals.finish(mine[-1], context)
    # 2. Nothing is carried on whose plan, or whose way back, is not understood whole.
    if run.state in _UNRESOLVED and (why := unreadable(executor.store, run)):
        raise why
    if not _is_unended(executor, run):
        raise _nothing(decision_id)
    # 3. A run: claim its event again, which adds 1 to the fence, and continue from its journal.
    claim = _claim(executor, run)
    moved = _MOVED.get(run.source)
    again = partial(moved, executor) if moved else None
    return executor.resume(claim, again=again) if isinstance(claim, Claim) else claim


def accept(decision_id: str, context: Context, *, by: str, why: str = "") -> Json:
    """End a decision with the world as it is now, and free its groups for others.

    It works on every run that is not at its end, whether or not it can be read or its cloud can be
    asked, and on a decision whose worker died before its run. Nothing is changed; what a restore
    needs is kept. Who ended it and why is written into the decision, and every delivery of its
    event is answered so from then on.

    Raises:
        EventError: 404 nothing of it is left to do.
        BusyError: it is being worked on.
    """
    executor = Executor.of(context)
    run, record = executor.store.run(decision_id), executor.store.decision(decision_id)
    if not _is_unended(executor, run) and (record is None or record.outcome != "unfinished"):
        raise _nothing(decision_id)
    claim = _claim(executor, run or record)
    if not isinstance(claim, Claim):
        return claim
    try:
        return _accepted(executor, claim, run, record, (by, why))
    except SgguardError:
        executor.release(claim)
        raise


def _accepted(
    executor: Executor, claim: Claim, run: Run | None, record: Record | None, who: tuple[str, str]
) -> Json:
    if record is not None:
        found: Json = json.loads(record.document_json)
    else:
        found = without_record(claim, run)
    before = notes_kept(run.note) if run else (said("note.nothing-changed"),)
    by, why = who
    accepted = (
        said("note.accepted-because", who=by, why=why) if why else said("note.accepted", who=by)
    )
    entries = executor.store.entries(claim.decision_id)
    if found.get("bind"):
        found = {**found, "bind": bind_rest.rows_so_far(found, entries)}
    found = with_outcome(found, Outcome.ACCEPTED, (*before, accepted), journal=entries)
    requester = record.requester if record else ""
    is_open = run is not None and run.state in _UNRESOLVED
    state: RunState | None = "accepted" if is_open else None
    found = executor.end(claim, found, requester, run_state=state, note=to_keep(*notes_of(found)))
    logs.log(
        logging.INFO,
        "accepted",
        decision_id=claim.decision_id,
        detail=f"by {': '.join(filter(None, who))}",
    )
    return found


def _is_unended(executor: Executor, run: Run | None) -> bool:
    """Whether a run is not at its end, or ended without its decision: its worker died between."""
    if run is None or run.state in _UNRESOLVED:
        return run is not None
    record = executor.store.decision(run.decision_id)
    return record is not None and record.outcome == "unfinished"


def _claim(executor: Executor, work: Run | Record | None) -> Claim | Json:
    if work is None:
        raise AssertionError("there is a run or a decision")
    claim = executor.claim(work.source, work.event_id, work.decision_id, None)
    match claim:
        case Claim():
            return claim
        case Busy(retry_after_s):
            words = "is being worked on, or its worker ended just now"
            busy = BusyError(
                f"decision {work.decision_id} {words}: try again in {retry_after_s:.0f} seconds"
            )
            busy.retry_after_s = max(1.0, retry_after_s)
            raise busy
        case Answered(answer_json):  # another worker was faster
            found: Json = json.loads(answer_json)
            return found
        case _:
            raise AssertionError("a claim without a payload hash has no other payload")


def _nothing(decision_id: str) -> EventError:
    return EventError(f"nothing of decision {decision_id!r} is left to do", status=404)
