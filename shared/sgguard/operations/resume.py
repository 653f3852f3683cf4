"""Resuming decisions that are unresolved: plans that were cut short, approvals never started.

A run is *open* when its worker ended before it did, and *stuck* when not everything could be
undone. Until it is finished or undone, no other decision changes its groups and holders.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Any, Literal

from sgguard import approvals, logs
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, SgguardError
from sgguard.store.rows import Answered, Approval, Busy, Claim, Record, Run

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """One decision that is unresolved: ``approved`` was not started, ``note`` names what is left.

    ``since_s`` is when it was started or approved, in seconds since 1970-01-01 UTC.
    """

    decision_id: str
    state: Literal["open", "stuck", "approved"]
    target: tuple[str, ...]
    since_s: float
    note: str = ""


def unresolved(context: Context) -> tuple[Unresolved, ...]:
    """Return the unresolved decisions, the oldest first.

    Raises:
        SettingsError: there is no store.
        StoreError: the store cannot be read.
    """
    executor = Executor.of(context)
    runs = [_of_run(executor, run) for run in executor.store.open_runs()]
    begun = {one.decision_id for one in runs}
    approved = [
        Unresolved(one.decision_id, "approved", one.target, one.resolved_at_s or 0.0)
        for one in executor.store.approvals("approved")
        if one.decision_id not in begun and _is_left(executor, one)
    ]
    return tuple(sorted([*runs, *approved], key=lambda one: one.since_s))


def resume(decision_id: str, context: Context) -> Json:
    """Continue a decision to its end and return its document; a stuck one is tried again.

    Raises:
        EventError: 404 nothing of it is left to do.
        BusyError: it is being worked on, or its worker ended less than a lease ago.
        HaltedError: all changes are stopped.
        SgguardError: it was not finished; called again, it is continued.
    """
    executor = Executor.of(context)
    run = executor.store.run(decision_id)
    # 1. No run: it may have been approved by a process that ended before it began one.
    if run is None:
        waiting = [one for one in executor.store.approvals("approved") if _is_left(executor, one)]
        mine = [one.approval_id for one in waiting if one.decision_id == decision_id]
        if not mine:
            raise _nothing(decision_id)
        return approvals.finish(mine[-1], context)
    # 2. A run: claim its event again, which adds 1 to the fence, and continue from its journal.
    claim = _claim(executor, run)
    return executor.resume(claim) if isinstance(claim, Claim) else claim


def accept(decision_id: str, context: Context, *, by: str) -> Json:
    """Close a stuck decision with the world as it is now, and free its groups for others.

    Nothing is changed; what a restore needs is kept.

    Raises:
        EventError: 404 it is not stuck.
        BusyError: it is being worked on.
    """
    executor = Executor.of(context)
    run, record = executor.store.run(decision_id), executor.store.decision(decision_id)
    if run is None or record is None or run.state != "stuck":
        raise EventError(f"decision {decision_id} is not stuck", status=404)
    claim = _claim(executor, run)
    if not isinstance(claim, Claim):
        return claim
    try:
        found: Json = json.loads(record.document_json)
        found["note"] = f"{run.note}; accepted as it is by {by}"
        logs.log(logging.INFO, "accepted", decision_id=decision_id, detail=f"by {by}")
        note = str(found["note"])
        return executor.end(claim, found, record.requester, run_state="accepted", note=note)
    except SgguardError:
        executor.release(claim)
        raise


def _of_run(executor: Executor, run: Run) -> Unresolved:
    record = executor.store.decision(run.decision_id)
    target = record.target if record else run.keys
    found = Unresolved(run.decision_id, "open", target, run.begun_at_s, run.note)
    return replace(found, state="stuck") if run.state == "stuck" else found


def _is_left(executor: Executor, approval: Approval) -> bool:
    """Whether what was approved was neither started nor replaced since."""
    record: Record | None = executor.store.decision(approval.decision_id)
    if record is None or record.outcome not in ("pending", "unfinished"):
        return False
    current = json.loads(record.document_json)["approval"] or {}
    return bool(current.get("approval_id") == approval.approval_id)


def _claim(executor: Executor, run: Run) -> Claim | Json:
    if run.state not in ("open", "stuck"):
        raise _nothing(run.decision_id)
    claim = executor.claim(run.source, run.event_id, run.decision_id, None)
    match claim:
        case Claim():
            return claim
        case Busy(retry_after_s):
            words = "is being worked on, or its worker ended just now"
            busy = BusyError(
                f"decision {run.decision_id} {words}: try again in {retry_after_s:.0f} seconds"
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
