"""Everything that is not at its end: runs, questions and events, why, and what happens to each.

A decision is not at its end when its worker died, when a person has to answer, or when what is
kept of it cannot be carried on. Each is listed with the next thing that will move it: a delivery of
its event, a click, ``sgguard resume``, the timer, or a person who accepts it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from sgguard.engine.bulk import is_bind, progress_of, results_in
from sgguard.engine.context import Context, connect
from sgguard.engine.execute import APPROVAL_SOURCE, Executor
from sgguard.errors import SgguardError, StoreError
from sgguard.model.bind import BindPlan
from sgguard.model.change import Change
from sgguard.model.sentence import Sentence, moment, said, together
from sgguard.operations.earlier import SOURCE as RESTORE_SOURCE
from sgguard.operations.open_end import State, Unresolved
from sgguard.remedy.plan import Plan
from sgguard.remedy.snapshot import Snapshot
from sgguard.render.kept import notes_kept
from sgguard.render.outcome import plan_asked
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Approval, OpenClaim, Query, Record, Run

Json = dict[str, Any]

_RECORDS_MAX = 10_000


def everything(context: Context) -> tuple[Unresolved, ...]:
    """Return everything that is not at its end, the oldest first.

    Raises:
        SettingsError: there is no store.
        StoreError: the store cannot be read.
    """
    executor = Executor.of(context)
    claims = executor.store.open_claims()
    # Several events may be about one decision: whichever worker has it, it has all of it.
    held: dict[str, float] = {}
    for claim in claims:
        if claim.is_held:
            before_s = held.get(claim.decision_id, 0.0)
            held[claim.decision_id] = max(before_s, claim.lease_until_s)
    found = [
        _explained(executor, run, held.get(run.decision_id, 0.0))
        for run in executor.store.open_runs()
    ]
    known = {one.decision_id for one in found}
    for source in (_approved, _pending, _records):
        more = [one for one in source(executor) if one.decision_id not in known]
        found += more
        known |= {one.decision_id for one in more}
    found += [_of_claim(executor, one) for one in claims if _is_event(one, known)]
    return tuple(sorted(found, key=lambda one: one.since_s))


# -- runs ----------------------------------------------------------------------------------


def of_run(executor: Executor, run: Run) -> Unresolved:
    """Return what is unresolved about a run."""
    record = executor.store.decision(run.decision_id)
    target = record.target if record else run.keys
    found = Unresolved(run.decision_id, "open", target, run.begun_at_s, notes_kept(run.note))
    if (error := unreadable(executor.store, run)) is not None:
        return replace(found, state="unreadable", cause=said("open.unreadable", text=str(error)))
    return replace(found, state="stuck") if run.state == "stuck" else found


def unreadable(store: Store, run: Run) -> StoreError | None:
    """Return why this sgguard cannot carry a run on: what another one kept of it; None if it can.

    Plan, snapshot and journal are all read: a plan that is understood may have a way back that is
    not.
    """
    try:
        if is_bind(run):
            codec.load(BindPlan, run.plan_json)
            results_in(store.entries(run.decision_id))
            return None
        codec.load(Plan, run.plan_json)
        codec.load(Snapshot, run.snapshot_json)
        for entry in store.entries(run.decision_id):
            codec.load(Change, entry.change_json)
    except StoreError as error:
        return error
    return None


def _explained(executor: Executor, run: Run, held_until_s: float) -> Unresolved:
    found, mine = of_run(executor, run), run.decision_id
    if held_until_s:
        then = said("open.held-next", at=_moment(held_until_s), decision=mine)
        return replace(found, cause=said("open.held"), then=then)
    if found.state == "unreadable":
        return replace(found, then=said("open.unreadable-next", decision=mine))
    if (error := _unreachable(executor, run)) is not None:
        cause = said("open.unreachable", text=str(error))
        return replace(found, cause=cause, then=said("open.unreachable-next", decision=mine))
    if stopped := executor.halted():
        return replace(found, cause=stopped, then=said("open.stopped-next", decision=mine))
    if found.state == "stuck":
        cause = said("open.stuck", note=together(found.note))
        return replace(found, cause=cause, then=said("open.stuck-next", decision=mine))
    return _unfinished(executor, run, found)


def _unfinished(executor: Executor, run: Run, found: Unresolved) -> Unresolved:
    """Return how far an open run is, and what goes on with it."""
    mine = run.decision_id
    if is_bind(run):
        over, everyone = progress_of(executor.store, run)
        cause = said("open.bind", over=over, n=everyone)
        return replace(found, cause=cause, then=said("open.bind-next", decision=mine))
    made = sum(one.state == "done" and not one.is_undo for one in _entries(executor, run))
    cause = said("open.run", made=made, n=len(codec.load(Plan, run.plan_json).planned))
    is_restore = run.source == RESTORE_SOURCE
    then = said("open.restore-next" if is_restore else "open.run-next", decision=mine)
    return replace(found, cause=cause, then=then)


def _entries(executor: Executor, run: Run) -> Any:
    return executor.store.entries(run.decision_id)


def _unreachable(executor: Executor, run: Run) -> SgguardError | None:
    """Return why the cloud of a run cannot be asked with what is configured here."""
    try:
        is_many = is_bind(run)
        plan = codec.load(BindPlan, run.plan_json) if is_many else codec.load(Plan, run.plan_json)
        connect(plan.scope, executor.context)
    except SgguardError as error:
        return error
    return None


# -- questions -----------------------------------------------------------------------------


def is_left(executor: Executor, approval: Approval) -> bool:
    """Whether what was approved was neither started nor replaced since."""
    record: Record | None = executor.store.decision(approval.decision_id)
    if record is None or record.outcome not in ("pending", "unfinished"):
        return False
    return _asks(record) == approval.approval_id


def _asks(record: Record) -> str:
    """Return the id of the approval request that a decision shows."""
    current = json.loads(record.document_json).get("approval") or {}
    return str(current.get("approval_id", ""))


def _approved(executor: Executor) -> Iterator[Unresolved]:
    for one in executor.store.approvals("approved"):
        run = executor.store.run(one.decision_id)
        if run is None and is_left(executor, one):
            cause = said("open.approved", who=one.resolved_by)
            at = _moment(one.expires_at_s)
            then = said("open.approved-next", decision=one.decision_id, at=at)
            yield _question(
                executor, one, "approved", one.resolved_at_s or 0.0, cause=cause, then=then
            )


def _pending(executor: Executor) -> Iterator[Unresolved]:
    now_s = executor.store.now_s()
    for one in executor.store.approvals("pending"):
        record = executor.store.decision(one.decision_id)
        at = _moment(one.expires_at_s)
        if record is None or _asks(record) != one.approval_id:
            cause, then = said("open.unkept-question"), said("open.asks-anew", at=at)
        elif one.expires_at_s <= now_s:
            cause, then = said("open.late"), said("open.late-next")
        else:
            by = one.requester
            cause = said("open.asked", who=by) if by else said("open.asked-by-nobody")
            then = said("open.asked-next", approval=one.approval_id, at=at)
        yield _question(executor, one, "pending", one.asked_at_s, cause=cause, then=then)


def _question(
    executor: Executor,
    one: Approval,
    state: State,
    since_s: float,
    *,
    cause: Sentence,
    then: Sentence,
) -> Unresolved:
    record = executor.store.decision(one.decision_id)
    plan = plan_asked(record, one)
    note = (plan,) if plan else ()
    found = Unresolved(one.decision_id, state, one.target, since_s, note, cause, then)
    return replace(found, approval_id=one.approval_id)


# -- decisions and events ------------------------------------------------------------------


def _records(executor: Executor) -> Iterator[Unresolved]:
    """Yield decisions that say they go on, and nothing carries them."""
    for record in executor.store.decisions(Query(outcome="unfinished", limit=_RECORDS_MAX)):
        mine = record.decision_id
        run = executor.store.run(mine)
        found = Unresolved(mine, "unbegun", record.target, record.at_s)
        if run is not None:
            cause, then = (
                said("open.unkept", state=run.state),
                said("open.unkept-next", decision=mine),
            )
            note = notes_kept(run.note)
            yield replace(found, state="unkept", note=note, cause=cause, then=then)
        else:
            then = said("open.unbegun-next", decision=mine)
            yield replace(found, cause=said("open.unbegun"), then=then)
    for record in executor.store.decisions(Query(outcome="pending", limit=_RECORDS_MAX)):
        asked = executor.store.approval(_asks(record))
        if asked is not None and asked.state in ("denied", "expired"):
            cause, then = said("open.unheard", state=asked.state), said("open.unheard-next")
            yield _question(
                executor, asked, "unheard", asked.resolved_at_s or 0.0, cause=cause, then=then
            )


def _is_event(claim: OpenClaim, known: set[str]) -> bool:
    """Whether somebody may wait for the answer of an event; a click or a restore is made anew."""
    is_other = claim.source in (APPROVAL_SOURCE, RESTORE_SOURCE)
    # A press that failed leaves the claim of its callback, and of its permit, for the next press.
    is_other = is_other or claim.source.startswith(("chat.", f"{RESTORE_SOURCE}."))
    return claim.decision_id not in known and not (is_other and not claim.is_held)


def _of_claim(executor: Executor, claim: OpenClaim) -> Unresolved:
    name = (f"{claim.source} {claim.event_id}",)
    found = Unresolved(claim.decision_id, "event", name, claim.first_at_s)
    if claim.is_held:
        then = said("open.event-held-next", at=_moment(claim.lease_until_s))
        return replace(found, cause=said("open.held"), then=then)
    then = said("open.event-next", days=executor.context.settings.keep_days)
    return replace(found, cause=said("open.event"), then=then)


def _moment(at_s: float) -> Sentence:
    return moment(datetime.fromtimestamp(at_s, UTC))
