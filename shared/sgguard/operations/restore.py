"""Restoring what a decision removed: from its snapshot, by a plan of its own.

A restore is a run like any other: it has a claim, a decision, a plan and a journal of its own, so
one that was cut short is resumed. Its event is ``<decision>/<n>`` of the source ``restore``; a
restore that ended undone is tried again as the next ``n``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sgguard.engine.context import Context, connect
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, HaltedError, InputError, SgguardError
from sgguard.model.codes import Outcome
from sgguard.operations import partial
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan
from sgguard.remedy.prepare import Prepared
from sgguard.remedy.restore import Restoration, restoration
from sgguard.remedy.snapshot import Snapshot
from sgguard.render import values
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.rows import Answered, Busy, Claim, Record

Json = dict[str, Any]

SOURCE = "restore"
_ATTEMPTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a restore would do, for a person to confirm."""

    record: Record
    cloud: Cloud
    restoration: Restoration


def preview(decision_id: str, context: Context, groups: Sequence[str] = ()) -> Preview:
    """Read the world and return the plan that restores what a decision removed.

    ``groups`` are those to restore, by id or address; without any, all that are not restored yet.

    Raises:
        InputError: there is no such decision, it changed nothing, or it is unfinished.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    store = Executor.of(context).store
    record, run = store.decision(decision_id), store.run(decision_id)
    if record is None:
        raise InputError(f"there is no decision {decision_id!r}: see sgguard decisions list")
    if run is None:
        raise InputError(f"decision {decision_id} changed nothing: there is nothing to restore")
    if run.state == "open":
        raise InputError(f"decision {decision_id} is unfinished: sgguard resume {decision_id}")
    if run.state == "undone":
        raise InputError(f"decision {decision_id} was undone: everything is as it was")
    done = codec.load(Plan, run.plan_json)
    whole = codec.load(Snapshot, run.snapshot_json)
    before = partial.restored(store, record, SOURCE)
    snapshot = whole
    if groups or before:
        snapshot = partial.part(whole, done, partial.chosen(whole, groups, before))
    cloud = connect(done.scope, context)
    return Preview(record, cloud, restoration(cloud, snapshot, done))


def restore(decision_id: str, context: Context, *, by: str, groups: Sequence[str] = ()) -> Json:
    """Restore what a decision removed, once; an attempt that was cut short is resumed.

    ``groups`` are those to restore, as for :func:`preview`.

    Raises:
        InputError: as :func:`preview`.
        BusyError: another restore of it, or another decision on its groups, is being worked on.
        HaltedError: an operator stopped all changes.
        SgguardError: it was not finished; called again, it is resumed.
    """
    executor = Executor.of(context)
    claim = _claim(executor, decision_id, context, groups)
    if not isinstance(claim, Claim):
        return claim
    if executor.is_begun(claim):
        return executor.resume(claim)
    try:
        if stopped := executor.stopped():
            raise HaltedError(stopped)
        again = functools.partial(preview, decision_id, context, groups)
        seen = executor.look(claim, again(), lambda one: one.restoration.plan, again)
        found = _document(seen, claim.decision_id)
        left_out = [f"left out: {one}" for one in seen.restoration.left_out]
        if seen.restoration.plan.planned:
            prepared = Prepared(seen.restoration.plan, Snapshot(seen.restoration.plan.scope))
            return executor.enforce(claim, seen.cloud, prepared, found, by, notes=left_out)
        found["note"] = "; ".join([part for part in (found["note"], *left_out) if part])
        return executor.end(claim, found, by)
    except SgguardError:
        executor.release(claim)
        raise


def _claim(
    executor: Executor, decision_id: str, context: Context, groups: Sequence[str]
) -> Claim | Json:
    """Claim the restore, or return the document of one that was done before."""
    for event_id in _event_ids(decision_id, groups):
        claimed = executor.claim(SOURCE, event_id, context.new_id(), None)
        match claimed:
            case Claim():
                return claimed
            case Answered(answer_json):
                found: Json = json.loads(answer_json)
                if found["outcome"] != Outcome.UNDONE:
                    return found
            case Busy():
                raise BusyError(f"decision {decision_id} is being restored already")
            case _:
                raise AssertionError("a claim without a payload hash has no other payload")
    raise BusyError(f"decision {decision_id} was restored without success {_ATTEMPTS_MAX} times")


def _event_ids(decision_id: str, groups: Sequence[str]) -> Iterator[str]:
    names = ",".join(sorted({one.rpartition(":")[2] for one in groups}))
    about = f"{decision_id}/{names}" if names else decision_id
    yield from (f"{about}/{n}" for n in range(1, _ATTEMPTS_MAX + 1))


def _document(seen: Preview, decision_id: str) -> Json:
    """Return the restore's own document: it has the targets of the decision it restores."""
    first: Json = json.loads(seen.record.document_json)
    steps = {id(one.step): one.step for one in seen.restoration.plan.planned}
    own = {
        **first,
        "decision_id": decision_id,
        "event_id": f"restore of {seen.record.decision_id}",
        "guard": "restore",
        "verdict": "remediate",
        "reasons": [],
        "consequences": [],
        "plan": [values.step_json(step) for step in steps.values()],
        "approval": None,
    }
    return with_outcome(own, Outcome.UNCHANGED)
