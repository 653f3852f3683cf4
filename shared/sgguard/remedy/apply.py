"""Carrying a plan out so that nothing is lost, whatever fails and wherever the process dies.

Every change is written down before it is made and settled after it. A change whose answer was
lost is settled by looking at the world, never by making it again blindly. If a change is refused,
what was done before is taken back in reverse order, each step of that written down as well. So
the journal alone tells where to go on: :func:`carry_out` begins a run and continues one alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sgguard import codec
from sgguard.change import Change, renamed
from sgguard.decision import Outcome, Step
from sgguard.errors import (
    ConflictError,
    DeadlineError,
    NotFoundError,
    SgguardError,
    ThrottledError,
)
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.progress import Progress
from sgguard.remedy.world import Sight, look, perform
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry, RunState
from sgguard.wire.clock import Deadline

TRIES = 3
"""How often one change is sent: again only when looking showed that it had not been made."""

_STATES: Mapping[Outcome, RunState] = {
    Outcome.REMEDIATED: "finished",
    Outcome.UNDONE: "undone",
    Outcome.PARTLY_UNDONE: "stuck",
}

RESERVE_S = 1.0
"""A change is not begun with less time than this: it is left to the next delivery."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker's means to carry out a plan.

    ``objections`` reads everything about the groups that go once more and says what still stands
    in the way, in words; it is asked before the first of them is deleted.
    """

    cloud: Cloud
    store: Store
    claim: Claim
    deadline: Deadline
    objections: Callable[[tuple[str, ...]], tuple[str, ...]]
    lease_s: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: the outcome, why it did not finish, and what could not be taken back."""

    outcome: Outcome
    note: str = ""
    left: tuple[str, ...] = ()


def carry_out(worker: Worker, plan: Plan) -> Result:
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
    for entry in progress.unsettled():
        _settle_by_looking(worker, progress, entry)
    result = None if progress.is_undoing else _forward(worker, plan, progress)
    result = result or _back(worker, plan, progress)
    state = _STATES[result.outcome]
    worker.store.close_run(worker.claim, worker.claim.decision_id, state, _sentence(result))
    return result


def _sentence(result: Result) -> str:
    return "; ".join(part for part in (result.note, *result.left) if part)


def _forward(worker: Worker, plan: Plan, progress: Progress) -> Result | None:
    """Make every change that is not made yet; None when one was refused."""
    # Who refuses to delete a group that is in use need not be asked before each.
    is_guarded = worker.cloud.traits.on_delete_referenced == "refused"
    is_checked = False
    for step, planned in enumerate(plan.planned):
        if progress.is_done(step):
            continue
        if planned.change.kind == "delete-group" and not is_checked:
            is_checked = is_guarded
            if objections := _objections(worker, plan, progress):
                progress.failure = objections
                return None
        change = renamed(planned.change, progress.made)
        # After a group went there is no way back: what will pass is waited for.
        is_vital = bool(_gone(plan, progress))
        if failure := _attempt(worker, progress, step, change, is_vital=is_vital):
            progress.failure = f"{planned.step.summary}: {failure}"
            return None
    return Result(Outcome.REMEDIATED)


def _objections(worker: Worker, plan: Plan, progress: Progress) -> str:
    """Say what stands in the way of the groups that are still to go, read anew.

    What a cloud shows may lag behind what was just changed, so it is read more than once.
    """
    left = tuple(
        one.change.group_id
        for step, one in enumerate(plan.planned)
        if one.change.kind == "delete-group" and not progress.is_done(step)
    )
    for attempt in range(1, TRIES + 1):
        _require_time(worker)
        found = worker.objections(left)
        if not found or attempt == TRIES:
            return "; ".join(found)
        worker.sleep(min(0.5 * attempt, worker.deadline.remaining_s()))
    return ""


def _gone(plan: Plan, progress: Progress) -> frozenset[str]:
    """Return the groups that were deleted."""
    return frozenset(
        planned.change.group_id
        for step, planned in enumerate(plan.planned)
        if planned.change.kind == "delete-group" and progress.is_done(step)
    )


def _back(worker: Worker, plan: Plan, progress: Progress) -> Result:
    """Take back what was done, in reverse; what serves a group that is gone stays as it is.

    Of a step whose last change could not be taken back, the changes before it stay as well: a
    rule that was rewritten must not lose its new name where it cannot have its old one.
    """
    gone = _gone(plan, progress)
    left: list[str] = []
    kept: list[Step] = []
    for step, planned in reversed(list(enumerate(plan.planned))):
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
    return Result(outcome, progress.failure, tuple(left))


def _undo(worker: Worker, progress: Progress, step: int, planned: Planned) -> str:
    """Take one change back; return why it could not be, which is never forced."""
    inverse = planned.change.inverse()
    if inverse is None:
        return "only a restore builds it again"
    inverse = renamed(inverse, progress.made)
    sight, how = look(worker.cloud, inverse)
    if sight is Sight.MOVED:
        return f"the world has moved: {how}"
    if sight is Sight.AFTER:
        progress.undone(step)
        return ""
    return _attempt(worker, progress, step, inverse, is_undo=True, is_vital=True)


def _attempt(
    worker: Worker,
    progress: Progress,
    step: int,
    change: Change,
    *,
    is_vital: bool,
    is_undo: bool = False,
) -> str:
    """Make one change; return why it was refused, or nothing when the world is as wanted.

    Raises:
        CloudError: the change ``is_vital`` and the cloud may make it later: the run stays open.
    """
    for attempt in range(1, TRIES + 1):
        _require_time(worker)
        entry = progress.next_entry(worker.claim.decision_id, step, codec.dump(change), is_undo)
        worker.store.intend(worker.claim, entry, worker.lease_s)
        progress.intended(entry)
        try:
            made = perform(worker.cloud, change, _token(worker, step, is_undo=is_undo))
        except SgguardError as error:
            trouble = _after_trouble(worker, progress, entry, change, error)
            if trouble.is_met:
                return ""
            if trouble.is_final:
                return trouble.why
            if attempt == TRIES:
                if is_vital and error.is_retryable:
                    raise
                return trouble.why
            wait_s = error.retry_after_s or 0.5 * attempt
            worker.sleep(min(wait_s, worker.deadline.remaining_s()))
        else:
            _settle(worker, progress, entry, is_done=True, made=made)
            return ""
    return ""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What an error means for a change: the world is as wanted all the same, or why it is not."""

    why: str
    is_met: bool = False
    is_final: bool = False


def _after_trouble(
    worker: Worker, progress: Progress, entry: Entry, change: Change, error: SgguardError
) -> _Trouble:
    """Settle a change that ended with an error, by looking where the error leaves it open."""
    if error.is_outcome_known and not isinstance(error, NotFoundError | ConflictError):
        _settle(worker, progress, entry, is_done=False, note=str(error))
        return _Trouble(str(error), is_final=not isinstance(error, ThrottledError))
    sight, how = look(worker.cloud, change)
    is_met = sight is Sight.AFTER
    # What somebody else did meanwhile is not ours to take back.
    is_ours = not error.is_outcome_known or change.kind == "delete-group"
    is_done = is_met and (is_ours or progress.was_tried(entry))
    why = f"{error} (looked: {how or sight.value})"
    _settle(worker, progress, entry, is_done=is_done, note=why, made=how if is_done else "")
    is_final = sight is Sight.MOVED or isinstance(error, NotFoundError)
    return _Trouble(why, is_met, is_final)


def _settle_by_looking(worker: Worker, progress: Progress, entry: Entry) -> None:
    """Settle what a worker intended that did not come back to say what came of it."""
    change = codec.load(Change, entry.change_json)
    sight, how = look(worker.cloud, change)
    note = f"nobody said what came of it (looked: {how or sight.value})"
    is_done = sight is Sight.AFTER
    _settle(worker, progress, entry, is_done=is_done, note=note, made=how if is_done else "")


def _settle(
    worker: Worker,
    progress: Progress,
    entry: Entry,
    *,
    is_done: bool,
    note: str = "",
    made: str = "",
) -> None:
    state = progress.settled(entry, is_done=is_done, made=made)
    worker.store.settle(worker.claim, entry, state, request_id=made, note=note)


def _token(worker: Worker, step: int, *, is_undo: bool) -> str:
    """The same for the same intended change, also after a crash."""
    return f"{worker.claim.decision_id}-{step}-{int(is_undo)}"


def _require_time(worker: Worker) -> None:
    if worker.deadline.remaining_s() < RESERVE_S:
        raise DeadlineError("the time for this event was used up before the plan was finished")
