"""Restoring what a decision removed: from its snapshot, by a plan of its own.

A restore is a run like any other: it has a claim, a decision, a plan and a journal of its own, so
one that was cut short is resumed. Its event is ``<decision>/<n>`` of the source ``restore``. One
that ended undone or brought nothing back is tried again as the next ``n``, and so is one that left
something out, as soon as that can be made.

The plan that is carried out was made after everything it touches was locked. It is the one that a
person confirmed, or nothing is done.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from sgguard.engine.bulk import is_bind
from sgguard.engine.context import Context, connect
from sgguard.engine.execute import Executor
from sgguard.engine.untouched import MOVED
from sgguard.errors import BusyError, HaltedError, InputError, SgguardError
from sgguard.model.codes import Outcome
from sgguard.model.sentence import Sentence, as_sentence, said
from sgguard.operations import partial
from sgguard.operations.earlier import SOURCE, earlier_restores
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan
from sgguard.remedy.prepare import Prepared, without_sentences
from sgguard.remedy.restore import Restoration, restoration
from sgguard.remedy.snapshot import Snapshot
from sgguard.render import values
from sgguard.render.language.refusal import refusal, sentence_of
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Answered, Busy, Claim, Record, Run

__all__ = ["SOURCE", "Preview", "preview", "restore", "restore_confirmed"]

Json = dict[str, Any]

_ATTEMPTS_MAX = 1000
_LOOKS = 3


class Preview(msgspec.Struct, frozen=True):
    """What a restore would do, for a person to confirm."""

    record: Record
    cloud: Cloud
    restoration: Restoration

    def is_same(self, other: Preview) -> bool:
        """Whether another look at the world gave the same plan."""
        return codec.dump(self.restoration) == codec.dump(other.restoration)


def preview(
    decision_id: str, context: Context, groups: Sequence[str] = (), *, may_twin: bool = False
) -> Preview:
    """Read the world and return the plan that restores what a decision removed.

    ``groups`` are those to restore, by id or address; without any, all that are not restored yet.
    With ``may_twin`` a group is created even where another one has its name now.

    Raises:
        InputError: there is no such decision, it changed nothing, or it is unfinished; a group of
            it exists, or another one of its name.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    store = Executor.of(context).store
    record, run = _restorable(store, decision_id)
    done = codec.load(Plan, run.plan_json)
    whole = codec.load(Snapshot, run.snapshot_json)
    earlier = earlier_restores(store, decision_id, done.scope, whole)
    before = partial.restored(store, record, SOURCE)
    snapshot = whole
    if groups or before:
        chosen = partial.chosen(whole, groups, before, is_waiting=bool(earlier.own))
        snapshot = partial.part(whole, done, chosen)
    cloud = connect(done.scope, context)
    found = restoration(cloud, snapshot, done, earlier, may_twin=may_twin)
    return Preview(record, cloud, found)


def _restorable(store: Store, decision_id: str) -> tuple[Record, Run]:
    record, run = store.decision(decision_id), store.run(decision_id)
    if record is None:
        raise refusal(InputError, said("restore.none", decision=decision_id))
    if run is None:
        raise refusal(InputError, said("restore.nothing", decision=decision_id))
    if run.state == "open":
        raise refusal(InputError, said("restore.unfinished", decision=decision_id))
    if run.state == "undone":
        raise refusal(InputError, said("restore.undone", decision=decision_id))
    if is_bind(run):
        raise refusal(InputError, said("restore.bind", decision=decision_id))
    return record, run


def restore(
    decision_id: str,
    context: Context,
    *,
    by: str,
    groups: Sequence[str] = (),
    may_twin: bool = False,
) -> Json:
    """Restore what a decision removed, once; an attempt that was cut short is resumed.

    ``groups`` are those to restore and ``may_twin`` is as for :func:`preview`.

    Raises:
        InputError: as :func:`preview`.
        BusyError: another restore of it, or another decision on its groups, is being worked on.
        HaltedError: an operator stopped all changes.
        SgguardError: it was not finished; called again, it is resumed.
    """
    found = _restore(decision_id, context, by, groups, None, may_twin=may_twin)
    if isinstance(found, dict):
        return found
    raise AssertionError("only a plan that was confirmed may differ")


def restore_confirmed(
    confirmed: Preview,
    context: Context,
    *,
    by: str,
    groups: Sequence[str] = (),
    may_twin: bool = False,
) -> Json | Preview:
    """Restore by the plan that a person confirmed; the rest is as for :func:`restore`.

    Where the plan is another one by now, nothing is done and that one is returned.
    """
    decision_id = confirmed.record.decision_id
    return _restore(decision_id, context, by, groups, confirmed, may_twin=may_twin)


def _restore(
    decision_id: str,
    context: Context,
    by: str,
    groups: Sequence[str],
    confirmed: Preview | None,
    *,
    may_twin: bool,
) -> Json | Preview:
    executor = Executor.of(context)
    # 1. One restore of a decision at a time; one that was begun is continued.
    claim, before = _claim(executor, decision_id, context, groups)
    if claim is None:
        return before or {}
    if executor.is_begun(claim):
        return executor.resume(claim, again=functools.partial(moved, executor))
    try:
        if halted := executor.halted():
            raise refusal(HaltedError, halted)
        # 2. Lock, then look.
        seen = confirmed or preview(decision_id, context, groups, may_twin=may_twin)
        found = _looked(executor, claim, seen, context, groups, may_twin=may_twin)
        # 3. Nothing is done that was not confirmed, and nothing where nothing can be made.
        if confirmed is not None and not found.is_same(confirmed):
            executor.release(claim)
            return found
        if before is not None and not found.restoration.plan.planned:
            executor.release(claim)
            return before
        return _carry_out(executor, claim, found, by)
    except SgguardError:
        executor.release(claim)
        raise


def moved(executor: Executor, run: Run, record: Record, prepared: Prepared) -> Sentence | None:
    """Return why a restore that has changed nothing so far must not go on; None where it may.

    Its worker died: somebody may have built a group by hand since, which would get a twin. Another
    restore may be asked for then.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    del record  # its run has what it restores
    decision_id, _, names = run.event_id.rpartition("/")[0].partition("/")
    try:
        # With a twin that was permitted the plan is the same only where no other one came.
        groups = names.split(",") if names else ()
        found = preview(decision_id, executor.context, groups, may_twin=True)
    except InputError as error:
        return as_sentence(sentence_of(error) or str(error))
    fresh = Prepared(found.restoration.plan, found.restoration.snapshot())
    return None if without_sentences(fresh) == without_sentences(prepared) else MOVED


def _looked(
    executor: Executor,
    claim: Claim,
    seen: Preview,
    context: Context,
    groups: Sequence[str],
    *,
    may_twin: bool,
) -> Preview:
    """Lock what a plan touches, then look again: that plan is carried out.

    Raises:
        BusyError: others work on it, or it changes all the time.
    """
    decision_id = seen.record.decision_id
    for _ in range(_LOOKS):
        keys, shared = seen.restoration.keys(), seen.restoration.shared_keys()
        executor.store.lock(claim, keys, executor.lease_s, shared)
        found = preview(decision_id, context, groups, may_twin=may_twin)
        # A plan that touches nothing more was made while all of it was locked.
        restored = found.restoration
        if {*restored.keys()} <= {*keys} and {*restored.shared_keys()} <= {*keys, *shared}:
            return found
        seen = found
    raise refusal(BusyError, said("restore.moving", decision=decision_id))


def _carry_out(executor: Executor, claim: Claim, found: Preview, by: str) -> Json:
    document = _document(found, claim.decision_id)
    restored = found.restoration
    if restored.plan.planned:
        prepared = Prepared(restored.plan, restored.snapshot())
        return executor.enforce(claim, found.cloud, prepared, document, by)
    left_out = [said("note.left-out", what=one) for one in restored.left_out]
    return executor.end(claim, with_outcome(document, Outcome.UNCHANGED, left_out), by)


def _claim(
    executor: Executor, decision_id: str, context: Context, groups: Sequence[str]
) -> tuple[Claim | None, Json | None]:
    """Claim the restore, and return the document of one that was done before, as far as it went."""
    before: Json | None = None
    for event_id in _event_ids(decision_id, groups):
        claimed = executor.claim(SOURCE, event_id, context.new_id(), None)
        match claimed:
            case Claim():
                return claimed, before
            case Answered(answer_json):
                found: Json = json.loads(answer_json)
                if found["outcome"] == Outcome.REMEDIATED:
                    before = found
                    if not _is_waiting(executor, decision_id, found["decision_id"]):
                        return None, found
            case Busy():
                raise refusal(BusyError, said("restore.busy", decision=decision_id))
            case _:
                raise AssertionError("a claim without a payload hash has no other payload")
    often = said("restore.too-often", decision=decision_id, n=_ATTEMPTS_MAX)
    raise refusal(BusyError, often)


def _is_waiting(executor: Executor, decision_id: str, restore_id: str) -> bool:
    """Whether something that a restore left out may still be brought."""
    run = executor.store.run(restore_id)
    if run is None:
        return False
    scope = codec.load(Plan, run.plan_json).scope
    return bool(earlier_restores(executor.store, decision_id, scope).own)


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
        "caller": None,
        "callback": None,
    }
    return with_outcome(own, Outcome.UNCHANGED)
