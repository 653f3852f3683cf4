"""Everything that is not at its end: runs, questions and events, why, and what happens to each.

A decision is not at its end when its worker died, when a person has to answer, or when what is
kept of it cannot be carried on. Each is listed with the next thing that will move it: a delivery of
its event, a click, ``sgguard resume``, the timer, or a person who accepts it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from sgguard.engine.bulk import is_bind, progress_of, results_in
from sgguard.engine.context import Context, connect
from sgguard.engine.execute import APPROVAL_SOURCE, Executor
from sgguard.errors import SgguardError, StoreError
from sgguard.model.bind import BindPlan
from sgguard.model.change import Change
from sgguard.operations.earlier import SOURCE as RESTORE_SOURCE
from sgguard.remedy.plan import Plan
from sgguard.remedy.snapshot import Snapshot
from sgguard.render.values import time_json
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Approval, OpenClaim, Query, Record, Run

Json = dict[str, Any]

State = Literal[
    "open", "stuck", "unreadable", "unkept", "unbegun", "approved", "pending", "unheard", "event"
]

_RECORDS_MAX = 10_000


class Unresolved(msgspec.Struct, frozen=True):
    """One thing that is not at its end.

    ``open`` and ``stuck`` runs, ``unreadable`` ones that this sgguard cannot carry on, ``unkept``
    ones that ended without their decision; decisions that are ``unbegun`` or ``approved`` and not
    started; questions that are ``pending``, or settled and ``unheard``; an ``event`` without an
    answer. ``note`` is what a run left. ``since_s`` is when it began, in seconds since 1970-01-01
    UTC; ``why`` and ``next`` are for a person.
    """

    decision_id: str
    state: State
    target: tuple[str, ...]
    since_s: float
    note: str = ""
    why: str = ""
    next: str = ""
    approval_id: str = ""

    @property
    def needs_operator(self) -> bool:
        """Whether nothing but a person moves it."""
        return self.state in ("stuck", "unreadable")

    def to_json(self) -> Json:
        """Return it as a JSON document."""
        return {
            "decision_id": self.decision_id,
            "approval_id": self.approval_id,
            "state": self.state,
            "target": list(self.target),
            "since": time_json(datetime.fromtimestamp(self.since_s, UTC)),
            "why": self.why,
            "next": self.next,
            "note": self.note,
        }


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
    found = Unresolved(run.decision_id, "open", target, run.begun_at_s, run.note)
    if (error := unreadable(executor.store, run)) is not None:
        return replace(found, state="unreadable", why=str(error))
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
    found = of_run(executor, run)
    as_it_is = f"sgguard resume {run.decision_id} --accept ends it as it is"
    resume = f"sgguard resume {run.decision_id}"
    if held_until_s:
        at = _time(held_until_s)
        return replace(found, why="a worker has it", next=f"that worker ends it, or {at}: {resume}")
    if found.state == "unreadable":
        return replace(found, next=f"it is not carried on here; {as_it_is}")
    if (error := _unreachable(executor, run)) is not None:
        return replace(found, why=str(error), next=f"mend that, then {resume}; {as_it_is}")
    if stopped := executor.stopped():
        return replace(found, why=stopped, next=f"nothing until changes are permitted; {as_it_is}")
    if found.state == "stuck":
        why = f"not everything could be undone: {run.note}"
        return replace(found, why=why, next=f"repair the cause, then {resume}; {as_it_is}")
    return _unfinished(executor, run, found, resume)


def _unfinished(executor: Executor, run: Run, found: Unresolved, resume: str) -> Unresolved:
    """Return how far an open run is, and what goes on with it."""
    if is_bind(run):
        over, everyone = progress_of(executor.store, run)
        why = f"its worker ended after {over} of {everyone} holders"
        return replace(found, why=why, next=f"the next delivery of its event or {resume} goes on")
    made = sum(one.state == "done" and not one.is_undo for one in _entries(executor, run))
    total = len(codec.load(Plan, run.plan_json).planned)
    why = f"its worker ended after {made} of {total} changes"
    goes_on = "the next delivery of its event" if run.source != RESTORE_SOURCE else "a restore"
    return replace(found, why=why, next=f"{goes_on} or {resume} finishes it, or rolls it back")


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
            why = f"{one.resolved_by} approved it, and its worker ended before it began"
            begin = f"sgguard resume {one.decision_id} compares the facts and begins it"
            until = f"from {_time(one.expires_at_s)} on the timer closes it"
            yield _question(one, "approved", one.resolved_at_s or 0.0, why, f"{begin}; {until}")


def _pending(executor: Executor) -> Iterator[Unresolved]:
    now_s = executor.store.now_s()
    for one in executor.store.approvals("pending"):
        record = executor.store.decision(one.decision_id)
        answer = f"sgguard approvals approve {one.approval_id}, or deny"
        until = _time(one.expires_at_s)
        if record is None or _asks(record) != one.approval_id:
            why = "its decision was not kept: its worker ended"
            following = f"the next delivery of its event asks anew; at {until} it expires"
        elif one.expires_at_s <= now_s:
            why, following = "nobody answered in time", "the timer closes it, or whoever clicks"
        else:
            who = one.requester or "somebody unknown"
            why, following = f"{who} asked, and nobody answered", f"{answer}; at {until} it expires"
        yield _question(one, "pending", one.asked_at_s, why, following)


def _question(one: Approval, state: State, since_s: float, why: str, following: str) -> Unresolved:
    found = Unresolved(one.decision_id, state, one.target, since_s, one.summary, why, following)
    return replace(found, approval_id=one.approval_id)


# -- decisions and events ------------------------------------------------------------------


def _records(executor: Executor) -> Iterator[Unresolved]:
    """Yield decisions that say they go on, and nothing carries them."""
    for record in executor.store.decisions(Query(outcome="unfinished", limit=_RECORDS_MAX)):
        run = executor.store.run(record.decision_id)
        found = Unresolved(record.decision_id, "unbegun", record.target, record.at_s)
        accept = f"sgguard resume {record.decision_id} --accept ends it"
        if run is not None:
            why = f"its run is {run.state}, and its worker ended before the decision was"
            following = f"sgguard resume {record.decision_id} writes it down"
            yield replace(found, state="unkept", note=run.note, why=why, next=following)
        else:
            why = "its worker ended before the first change: nothing was changed"
            following = f"the next delivery of its event decides anew; {accept}"
            yield replace(found, why=why, next=following)
    for record in executor.store.decisions(Query(outcome="pending", limit=_RECORDS_MAX)):
        asked = executor.store.approval(_asks(record))
        if asked is not None and asked.state in ("denied", "expired"):
            why = f"its request is {asked.state}, and its worker ended before the decision said so"
            following = "the timer, or whoever clicks, writes it down"
            yield _question(asked, "unheard", asked.resolved_at_s or 0.0, why, following)


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
        until = _time(claim.lease_until_s)
        following = f"that worker answers it; after {until} the next delivery takes it"
        return replace(found, why="a worker has it", next=following)
    days = executor.context.settings.keep_days
    why = "it could not be decided, or its worker ended: nothing was changed"
    following = f"the next delivery decides it; without one it is forgotten after {days} days"
    return replace(found, why=why, next=following)


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))[:19] + "Z"
