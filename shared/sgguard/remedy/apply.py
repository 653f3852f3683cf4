"""Carrying a plan out so that nothing is lost, whatever fails and wherever the process dies.

Every change is written down before it is made and settled after it. A change whose answer was
lost is settled by looking at the world, never by making it again blindly. If a change is refused,
what was done before is taken back in reverse order, each step of that written down as well. So
the journal alone tells where to go on: :func:`carry_out` begins a run and continues one alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sgguard.model.change import renamed
from sgguard.model.codes import Outcome
from sgguard.model.decision import Step
from sgguard.providers import Together
from sgguard.remedy.attempt import TRIES, Worker, attempt, require_time, settle_by_observing
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.progress import Progress
from sgguard.remedy.wave import AT_ONCE, TOGETHER, next_wave
from sgguard.remedy.world import State, observe
from sgguard.store.rows import RunState

_STATES: Mapping[Outcome, RunState] = {
    Outcome.REMEDIATED: "finished",
    Outcome.UNDONE: "undone",
    Outcome.PARTLY_UNDONE: "stuck",
}


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: the outcome, why it did not finish, and what could not be taken back."""

    outcome: Outcome
    note: str = ""
    left: tuple[str, ...] = ()


def carry_out(worker: Worker, plan: Plan) -> RunResult:
    """Carry the plan out from wherever its journal says it is; close the run at its end.

    Raises:
        DeadlineError: the time is used up; the run stays open and goes on next time.
        CloudError: nobody could see what became of a change, or what must be done cannot be now
            but may be later; the run stays open.
        HaltedError: an operator stopped all changes; the run stays open.
        LeaseLostError: another worker took over.
        StoreError: the journal cannot be written.
    """
    progress = Progress.of(plan, worker.store.entries(worker.claim.decision_id))
    settle_by_observing(worker, progress, progress.unsettled())
    is_over = progress.is_undoing or progress.indeterminate
    result = None if is_over else _forward(worker, plan, progress)
    result = result or _back(worker, plan, progress)
    state = _STATES[result.outcome]
    worker.store.close_run(worker.claim, worker.claim.decision_id, state, _sentence(result))
    return result


def _sentence(result: RunResult) -> str:
    return "; ".join(part for part in (result.note, *result.left) if part)


def _forward(worker: Worker, plan: Plan, progress: Progress) -> RunResult | None:
    """Make every change that is not made yet; None when one was refused."""
    # Who refuses to delete a group that is in use need not be asked before each.
    is_guarded = worker.cloud.capabilities.on_delete_referenced == "refused"
    is_checked = False
    passed = {step for step in range(len(plan.planned)) if progress.is_done(step)}
    holders = TOGETHER if isinstance(worker.cloud, Together) else AT_ONCE
    while wave := next_wave(plan, passed, holders):
        changes = {step: renamed(plan.planned[step].change, progress.made) for step in wave}
        is_delete = any(change.kind == "delete-group" for change in changes.values())
        if is_delete and not is_checked:
            is_checked = is_guarded
            if remaining_blockers := _remaining_blockers(worker, plan, progress):
                progress.failure = remaining_blockers
                return None
        # After a group went there is no way back: what will pass is waited for.
        is_vital = bool(_gone(plan, progress))
        paired = [step for step in wave if plan.planned[step].step.action == "rewrite"]
        if refused := attempt(worker, progress, changes, is_vital=is_vital, paired=paired):
            step, why = next(iter(refused.items()))
            progress.failure = f"{plan.planned[step].step.summary}: {why}"
            return None
        passed.update(wave)
    return RunResult(Outcome.REMEDIATED)


def _remaining_blockers(worker: Worker, plan: Plan, progress: Progress) -> str:
    """Say what stands in the way of the groups that are still to go, read anew.

    What a cloud shows may lag behind what was just changed, so it is read more than once.
    """
    left = tuple(
        one.change.group_id
        for step, one in enumerate(plan.planned)
        if one.change.kind == "delete-group" and not progress.is_done(step)
    )
    for number in range(1, TRIES + 1):
        require_time(worker)
        found = worker.remaining_blockers(left)
        if not found or number == TRIES:
            return "; ".join(found)
        worker.sleep(min(0.5 * number, worker.deadline.remaining_s()))
    return ""


def _gone(plan: Plan, progress: Progress) -> frozenset[str]:
    """Return the groups that were deleted."""
    return frozenset(
        planned.change.group_id
        for step, planned in enumerate(plan.planned)
        if planned.change.kind == "delete-group" and progress.is_done(step)
    )


def _back(worker: Worker, plan: Plan, progress: Progress) -> RunResult:
    """Take back what was done, in reverse; what serves a group that is gone stays as it is.

    Of a step whose last change could not be taken back, the changes before it stay as well: a
    rule that was rewritten must not lose its new name where it cannot have its old one.
    """
    gone = _gone(plan, progress)
    left: list[str] = []
    kept: list[Step] = []
    for step, planned in reversed(list(enumerate(plan.planned))):
        if step in progress.indeterminate:
            kept.append(planned.step)
            how = progress.indeterminate[step]
            left.append(f"nobody knows how far it went: {planned.step.summary}: {how}")
        if not progress.is_done(step) or planned.change.kind == "delete-group":
            continue
        if planned.step in kept:
            continue
        if planned.target in gone:
            kept.append(planned.step)
            left.append(f"stays done: {planned.step.summary}")
        elif refusal := _undo(worker, progress, step, planned):
            kept.append(planned.step)
            left.append(f"not taken back: {planned.step.summary}: {refusal}")
    left.extend(f"group {group_id} was deleted" for group_id in sorted(gone))
    outcome = Outcome.PARTLY_UNDONE if left else Outcome.UNDONE
    return RunResult(outcome, progress.failure, tuple(left))


def _undo(worker: Worker, progress: Progress, step: int, planned: Planned) -> str:
    """Take one change back; return why it could not be, which is never forced."""
    inverse = planned.change.inverse()
    if inverse is None:
        return "only a restore builds it again"
    inverse = renamed(inverse, progress.made)
    state, how = observe(worker.cloud, inverse)
    if state is State.DIVERGED:
        return f"the world has moved: {how}"
    if state is State.AFTER or state is State.GONE:
        progress.undone(step)
        return ""
    refused = attempt(worker, progress, {step: inverse}, is_undo=True, is_vital=True)
    return refused.get(step, "")
