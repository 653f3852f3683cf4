"""Carrying a plan out so that nothing is lost, whatever fails and wherever the process dies.

Every change is written into the journal before it is made (``intend``) and after it (``settle``).
A change whose response was lost is settled by observing the world, never by repeating it blindly.
If a change is refused, what was done before is undone in reverse order, through the same journal.
So the journal alone holds how far a plan is: :func:`carry_out` begins and continues a run alike.

A run is ``open`` until it ends as ``finished`` (every change is made), ``undone`` (every change
that was made is rolled back) or ``stuck`` (something could neither be made nor undone). Its end is
written together with what is told of it, by whoever calls :func:`carry_out`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.model.change import renamed
from sgguard.model.codes import Outcome
from sgguard.model.decision import Step
from sgguard.model.sentence import Sentence, Text, listed, said, together
from sgguard.providers import BatchChanges
from sgguard.remedy.attempt import RESERVE_S, TRIES, Worker, attempt, require_time
from sgguard.remedy.lost import missing
from sgguard.remedy.observe import observe
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.progress import Progress
from sgguard.remedy.settle import settle_by_observing
from sgguard.remedy.unchanged import changed_content
from sgguard.remedy.wave import AT_ONCE, TOGETHER, next_wave
from sgguard.remedy.world import State
from sgguard.render.kept import to_keep
from sgguard.render.language.step import said_of
from sgguard.store.rows import RunState

_FREEING = frozenset({"revoke", "rewrite", "unbind", "move"})
"""Actions whose aim is that a group is named or carried no more."""

_STATES: Mapping[Outcome, RunState] = {
    Outcome.REMEDIATED: "finished",
    Outcome.UNDONE: "undone",
    Outcome.PARTLY_UNDONE: "stuck",
}


class RunResult(msgspec.Struct, frozen=True):
    """How a run ended: the outcome, why it did not finish, and what is not as it should be.

    ``left`` is what could not be undone, or what a group that was built again lacks.
    """

    outcome: Outcome
    note: Text = ""
    left: tuple[Text, ...] = ()

    @property
    def state(self) -> RunState:
        """The state in which the run ends."""
        return _STATES[self.outcome]

    @property
    def notes(self) -> tuple[Text, ...]:
        """Everything there is to say about the end."""
        return tuple(part for part in (self.note, *self.left) if part)


def carry_out(worker: Worker, plan: Plan, *, is_undoing: bool = False, why: Text = "") -> RunResult:
    """Carry the plan out from where its journal ends; whoever calls it ends the run.

    ``is_undoing`` is the direction of the run: one that was turned never goes forward again, even
    if nothing of it was undone so far. ``why`` it was turned.

    Raises:
        DeadlineError: the time is used up; the run stays open and is continued next time.
        CloudError: the outcome of a change could not be observed, or a change that must be made
            cannot be made now but may be later; the run stays open.
        HaltedError: an operator stopped all changes; the run stays open.
        LeaseLostError: another worker took over.
        StoreError: the journal cannot be written.
    """
    # 1. How far is the plan? The journal has each change that is made.
    progress = Progress.of(plan, worker.store.entries(worker.claim.decision_id))
    if is_undoing:
        progress.is_undoing = True
        progress.failure = progress.failure or why
    # 2. Changes that an earlier worker intended and did not settle: compare them with the world.
    settle_by_observing(worker, progress, progress.unsettled())
    # 3. What has changed nothing so far is looked at as it was at its begin: its worker died, and
    #    hours may have passed since.
    is_over = bool(progress.is_undoing or progress.indeterminate)
    if worker.second_look and not (is_over or progress.done):
        progress.failure = worker.second_look() or ""
        is_over = bool(progress.failure)
    # 4. Forward, unless an undo was begun before or a change can no longer be settled.
    result = None if is_over else _forward(worker, plan, progress)
    # 5. What was built again may lack something: it is compared with what was there.
    if result:
        result = replace(result, left=missing(worker.cloud, plan, progress.made))
    if result:
        return result
    # 6. Back, where a change was refused or 4. was left out. That it goes back is written down
    #    before the first undo: whoever continues it does not make the next change instead.
    if not is_undoing:
        worker.store.turn(worker.claim, to_keep(progress.failure))
    return _roll_back(worker, plan, progress)


def _is_half_made(plan: Plan, progress: Progress, step: int, wave: Collection[int]) -> bool:
    """Return whether this removes the old rule of a rewrite whose new one is made, or about to be.

    What is about to be made with it in one ``wave`` is not yet done.
    """
    mine = plan.planned[step]
    return (mine.step.action, mine.change.kind) == ("rewrite", "remove-rule") and any(
        (other in wave or progress.is_done(other)) and one.step == mine.step
        for other, one in enumerate(plan.planned[:step])
        if one.change.kind == "add-rule"
    )


def _forward(worker: Worker, plan: Plan, progress: Progress) -> RunResult | None:
    """Make every change that is not made yet; None when one was refused."""
    # A cloud that refuses to delete a group in use makes one check before the first delete enough.
    # A guard in front of it does not: one of its API processes may run without.
    is_guarded = worker.cloud.capabilities.on_delete_referenced == "refused"
    is_checked = False
    before = frozenset(progress.done)
    passed = {step for step in range(len(plan.planned)) if progress.is_done(step)}
    holders = TOGETHER if isinstance(worker.cloud, BatchChanges) else AT_ONCE
    rules = worker.cloud.capabilities.rules_together
    while wave := next_wave(plan, passed, holders, rules):
        # 1. The next changes, with the new ids of groups that this run created again.
        changes = {step: renamed(plan.planned[step].change, progress.made) for step in wave}
        is_delete = any(change.kind == "delete-group" for change in changes.values())
        # 2. Before a group is deleted, everything about it is read once more, and what a restore
        #    needs right before each of them: after the line is written, so that only the call comes
        #    later. A cloud that removes rules with a group would take along what came in between.
        last_look = None
        if is_delete:
            left = _left(plan, progress)
            now = tuple(one.group_id for one in changes.values()) if is_checked else left
            checked = () if is_checked and is_guarded else left
            is_fresh = progress.done > before
            last_look = partial(_last_look, worker, plan, checked, now, is_fresh=is_fresh)
            is_checked = True
        # 3. A deleted group cannot be undone: from then on a change that may be possible later
        #    leaves the run open, it does not begin an undo.
        is_vital = bool(_deleted(plan, progress))
        # 4. The two changes of a rewrite mean something only together: see ``attempt``.
        refused = attempt(
            worker,
            progress,
            changes,
            is_vital=is_vital,
            paired=[step for step in wave if _is_half_made(plan, progress, step, wave)],
            freeing=[step for step in wave if plan.planned[step].step.action in _FREEING],
            last_look=last_look,
        )
        if progress.against:
            progress.failure, progress.against = progress.against, ""
            return None
        if refused:
            step, why = next(iter(refused.items()))
            progress.failure = said("note.failed", step=said_of(plan.planned[step].step), why=why)
            return None
        passed.update(wave)
    return RunResult(Outcome.REMEDIATED)


def _left(plan: Plan, progress: Progress) -> tuple[str, ...]:
    """Return the groups that are yet to be deleted."""
    return tuple(
        one.change.group_id
        for step, one in enumerate(plan.planned)
        if one.change.kind == "delete-group" and not progress.is_done(step)
    )


def _last_look(
    worker: Worker,
    plan: Plan,
    checked: tuple[str, ...],
    group_ids: tuple[str, ...],
    *,
    is_fresh: bool,
) -> Text:
    """Return what blocks groups that are ``checked``, or how others differ; empty: nothing does."""
    against = _remaining_blockers(worker, checked, is_fresh=is_fresh) if checked else ()
    return together(against or _changed(worker, plan, group_ids))


def _changed(worker: Worker, plan: Plan, group_ids: tuple[str, ...]) -> tuple[Sentence, ...]:
    """Return what of the groups no restore would bring back; empty: nothing."""
    require_time(worker)
    return changed_content(worker.cloud, plan, worker.snapshot, group_ids)


def _remaining_blockers(
    worker: Worker, left: tuple[str, ...], *, is_fresh: bool
) -> tuple[Sentence, ...]:
    """Return what still blocks the groups that are yet to be deleted, read anew.

    A cloud may show a change only after a while, so it is read more than once. Where this worker
    has changed nothing itself (not ``is_fresh``), what was seen last counts when there is no time
    for another look: a later delivery would have no more of it.
    """
    for number in range(1, TRIES + 1):
        require_time(worker)
        before_s, wait_s = worker.deadline.remaining_s(), 0.5 * number
        found = worker.remaining_blockers(left)
        left_s = worker.deadline.remaining_s()
        has_time = left_s - wait_s - (before_s - left_s) > RESERVE_S
        if not found or number == TRIES or not (is_fresh or has_time):
            return found
        worker.sleep(min(wait_s, left_s))
    return ()


def _deleted(plan: Plan, progress: Progress) -> frozenset[str]:
    """Return the groups that were deleted."""
    return frozenset(
        planned.change.group_id
        for step, planned in enumerate(plan.planned)
        if planned.change.kind == "delete-group" and progress.is_done(step)
    )


def _roll_back(worker: Worker, plan: Plan, progress: Progress) -> RunResult:
    """Undo what was done, in reverse order; what was done for a deleted group stays.

    Reverse, because each change was made on top of those before it: the groups of a holder are
    compared with what the change left, and rules have to return to their positions.

    A step of several changes is undone whole or not at all. The last change of a rewrite removed
    the old rule, so its undo comes first. Where the old rule cannot be restored, the new one
    stays as well: without either, traffic that was permitted before and after would be blocked.
    """
    deleted = _deleted(plan, progress)
    left: list[Text] = []
    kept: list[Step] = []
    for step, planned in reversed(list(enumerate(plan.planned))):
        # 1. It cannot be known whether this change is made: neither it nor its step is touched.
        if step in progress.indeterminate:
            kept.append(planned.step)
            how = progress.indeterminate[step]
            left.append(said("note.unknown-outcome", step=said_of(planned.step), how=how))
        # 2. Nothing to undo, or nothing that could undo it.
        if not progress.is_done(step) or planned.change.kind == "delete-group":
            continue
        # 3. A later change of the same step is kept, so this one is.
        if planned.step in kept:
            continue
        # 4. The group for whose sake it was made is deleted: undoing it would refer to nothing.
        if planned.target in deleted:
            kept.append(planned.step)
            left.append(said("note.kept", step=said_of(planned.step)))
        # 5. Undo it; where that fails, it is kept and named.
        elif refusal := _undo(worker, progress, step, planned):
            kept.append(planned.step)
            left.append(said("note.not-undone", step=said_of(planned.step), why=refusal))
    left.extend(said("note.deleted", group=group_id) for group_id in sorted(deleted))
    outcome = Outcome.PARTLY_UNDONE if left else Outcome.UNDONE
    return RunResult(outcome, progress.failure, tuple(left))


def _undo(worker: Worker, progress: Progress, step: int, planned: Planned) -> Text:
    """Undo one change; return why it could not be undone. It is never forced."""
    inverse = planned.change.inverse()
    if inverse is None:
        return said("why.only-restore")
    inverse = renamed(inverse, progress.made)
    # Undo only what is still as this plan left it: AFTER means that it is undone already.
    state, how = observe(worker.cloud, inverse)
    if state is State.DIVERGED:
        return said("why.changed-since", how=how)
    if state is State.AFTER or state is State.GONE:
        progress.undone(step)
        return ""
    # What was made may be named by now, and a cloud that cascades does not refuse to delete it.
    is_cascading = worker.cloud.capabilities.on_delete_referenced != "refused"
    is_seen = inverse.kind == "delete-group" and is_cascading
    last_look = partial(_named_by, worker, inverse.group_id) if is_seen else None
    refused = attempt(
        *(worker, progress, {step: inverse}), is_undo=True, is_vital=True, last_look=last_look
    )
    progress.against = ""
    return refused.get(step, "")


def _named_by(worker: Worker, group_id: str) -> Text:
    """Return which rules of other groups name one that is to go; empty: none does."""
    seen = worker.cloud.list_references([group_id])
    if seen.unseen:
        return seen.unseen[0].why
    found = [one.group_id for one in seen.value.get(group_id, ())]
    return said("why.named", groups=listed(found)) if found else ""
