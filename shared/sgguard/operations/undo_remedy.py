"""Undoing a remedy where a restore would be too much: its changes are taken back, one by one.

What its journal says that it changed: rules come back or go, and holders lose what they got and get
what they lost. Where somebody changed the same thing since, that is left as it is, and named. A
decision that deleted or built a group is not undone: only ``sgguard restore`` builds groups again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.engine.context import Context, connect
from sgguard.engine.execute import Executor
from sgguard.engine.untouched import MOVED
from sgguard.errors import BusyError, EventError, HaltedError, InputError, SgguardError
from sgguard.model.change import Change
from sgguard.model.codes import Outcome
from sgguard.model.decision import Step
from sgguard.model.sentence import Sentence, Text, said
from sgguard.model.subject import holder_of, rule_of
from sgguard.operations.earlier import UNDO
from sgguard.operations.since import UNDO_OF, Since, done_in
from sgguard.providers.base import Cloud
from sgguard.remedy.observe import observe
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.prepare import Prepared, without_sentences
from sgguard.remedy.snapshot import HolderGroups, ReferringRule, Snapshot
from sgguard.remedy.world import State
from sgguard.render import values
from sgguard.render.language.step import reworded, said_of
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Answered, Claim, Record, Run

Json = dict[str, Any]

SOURCE = UNDO
_ENDED = ("finished", "accepted")


class RemedyUndo(msgspec.Struct, frozen=True):
    """What takes a remedy back, as the world is now; ``left`` is what stays, and why."""

    record: Record
    plan: Plan
    left: tuple[Text, ...]
    cloud: Cloud


def preview(decision_id: str, context: Context) -> RemedyUndo:
    """Read what a decision changed, and return what takes it back; nothing is changed.

    Raises:
        EventError: 404 there is no such decision; 409 it changed nothing, is not at its end, or
            deleted or built a group.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    store = Executor.of(context).store
    record, run = store.decision(decision_id), store.run(decision_id)
    if record is None:
        raise EventError(f"there is no decision {decision_id!r}", status=404)
    if run is None or run.state == "undone":
        raise EventError(f"decision {decision_id} changed nothing that is left", status=409)
    if run.state not in _ENDED:
        words = f"decision {decision_id} is not at its end: sgguard resume {decision_id} first"
        raise EventError(words, status=409)
    plan = codec.load(Plan, run.plan_json)
    done = list(done_in(store, decision_id, plan))
    if any(one.change.kind in ("delete-group", "create-group") for one in done):
        words = f"decision {decision_id} deleted or built a group"
        raise EventError(f"{words}: sgguard restore {decision_id} brings it back", status=409)
    cloud = connect(plan.scope, context)
    planned, left = _back(cloud, done, plan, _since(store, run, done))
    return RemedyUndo(record, planned, left, cloud)


def _since(store: Store, run: Run, done: Sequence[Planned]) -> Since:
    changes = [one.change for one in done]
    carried = (group_id for one in changes for group_id in (*one.before, *one.after))
    return Since(store, run, {*carried, *(one.group_id for one in changes)} - {""})


def _back(
    cloud: Cloud, done: Sequence[Planned], plan: Plan, since: Since
) -> tuple[Plan, tuple[Text, ...]]:
    """Return what takes changes back as the world is now, and what stays and why."""
    planned: list[Planned] = []
    left: list[Text] = []
    for one in reversed(done):
        inverse, why = _inverse(cloud, one.change)
        if inverse is not None and (later := since.of_change(one.change)):
            inverse, why = None, said("why.changed-by", decision=later.decision_id)
        if inverse is None:
            left.append(said("left.as-is", step=said_of(one.step), why=why))
        else:
            planned.append(Planned(_step(one.step), inverse, one.target))
    return Plan(plan.scope, tuple(planned)), tuple(left)


_TAKEN_BACK = said("why.taken-back")


def _inverse(cloud: Cloud, change: Change) -> tuple[Change | None, Text]:
    """Return the change that takes one back on top of what is there now, or why there is none."""
    if change.kind == "set-groups":
        return _without(cloud, change)
    inverse = change.inverse()
    if inverse is None:
        return None, said("why.only-restore")
    state, how = observe(cloud, inverse)
    if state is State.BEFORE:
        return inverse, ""
    return None, _TAKEN_BACK if state is State.AFTER else how or said("why.changed")


def _without(cloud: Cloud, change: Change) -> tuple[Change | None, Text]:
    """Return the change that gives a holder back what it lost, and takes off what it got."""
    holder = holder_of(change)
    now = cloud.read_holder(holder)
    if now is None:
        name = said("holder.named", kind=holder.kind, holder=holder.holder_id)
        return None, said("left.holder-gone", holder=name)
    if now == change.after:
        return Change(
            "set-groups", change.group_id, holder=holder, before=now, after=change.before
        ), ""
    got = [one for one in change.after if one not in change.before]
    lost = [one for one in change.before if one not in change.after]
    after = tuple(one for one in now if one not in got)
    after = (*after, *(one for one in lost if one not in after))
    if after == now:
        return None, _TAKEN_BACK
    if not after:
        return None, said("why.bare", holder=holder.holder_id)
    return Change("set-groups", change.group_id, holder=holder, before=now, after=after), ""


def _step(step: Step) -> Step:
    """Return the step that takes another one back."""
    found = step.inverse or step
    return reworded(replace(found, inverse=None), said("plan.take-back", step=said_of(step)))


def carry_out(shown: RemedyUndo, event_id: str, context: Context, *, by: str) -> Json:
    """Take back what was shown, and return the document; called again after an error, it goes on.

    Raises:
        InputError: it would be something else by now; nothing was done.
        BusyError: another decision changes the same.
        HaltedError: all changes are stopped.
        SgguardError: it was not finished.
    """
    executor = Executor.of(context)
    claim = executor.claim(SOURCE, event_id, context.new_id(), None)
    if isinstance(claim, Answered):
        found_before: Json = json.loads(claim.answer_json)
        return found_before
    if not isinstance(claim, Claim):
        raise BusyError(f"decision {shown.record.decision_id} is being undone already")
    if executor.is_begun(claim):
        return executor.resume(claim, again=partial(moved, executor))
    try:
        if stopped := executor.stopped():
            raise HaltedError(stopped)
        decision_id = shown.record.decision_id

        def again() -> RemedyUndo:
            return preview(decision_id, context)

        found = executor.look(claim, again(), lambda one: one.plan, again)
        if found.plan != shown.plan:
            raise InputError("what it undoes has changed since it was shown: nothing was done")
        document = _document(found, claim.decision_id)
        prepared = Prepared(found.plan, _snapshot(found.plan))
        return executor.enforce(claim, found.cloud, prepared, document, by, notes=found.left)
    except SgguardError:
        executor.release(claim)
        raise


def moved(executor: Executor, run: Run, record: Record, prepared: Prepared) -> Sentence | None:
    """Return why an undo that has changed nothing so far must not go on; None where it may.

    Of the store no more is read than that takes: with a slow one, time is left for a change.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    del run  # its plan is the one that is prepared
    event_id = str(json.loads(record.document_json)["event_id"])
    first = executor.store.run(event_id.removeprefix(UNDO_OF))
    if first is None or first.state not in _ENDED:
        return MOVED
    cloud = connect(prepared.plan.scope, executor.context)
    begun = codec.load(Plan, first.plan_json)
    done = [*done_in(executor.store, first.decision_id, begun)]
    plan, _ = _back(cloud, done, begun, _since(executor.store, first, done))
    fresh = Prepared(plan, _snapshot(plan))
    return None if without_sentences(fresh) == without_sentences(prepared) else MOVED


def _snapshot(plan: Plan) -> Snapshot:
    changes = [one.change for one in plan.planned]
    return Snapshot(
        plan.scope,
        referrers=tuple(
            ReferringRule(one.group_id, rule_of(one))
            for one in changes
            if one.kind == "remove-rule"
        ),
        added=tuple(
            ReferringRule(one.group_id, rule_of(one)) for one in changes if one.kind == "add-rule"
        ),
        carried=tuple(
            HolderGroups(holder_of(one), one.before) for one in changes if one.kind == "set-groups"
        ),
    )


def _document(found: RemedyUndo, decision_id: str) -> Json:
    """Return the document of the undo: it has the targets of the decision that it takes back."""
    first: Json = json.loads(found.record.document_json)
    own = {
        **first,
        "decision_id": decision_id,
        "event_id": f"{UNDO_OF}{found.record.decision_id}",
        "guard": "restore",
        "verdict": "remediate",
        "reasons": [],
        "consequences": [],
        "plan": [values.step_json(one.step) for one in found.plan.planned],
        "approval": None,
        "caller": None,
        "bind": None,
    }
    return with_outcome(own, Outcome.UNCHANGED)
