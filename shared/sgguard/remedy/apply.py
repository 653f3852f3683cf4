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
from sgguard.decision import Outcome
from sgguard.errors import CloudError, DeadlineError, NotFoundError, ThrottledError
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
        CloudError: nobody could see what became of a change; the run stays open.
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
    is_checked = False
    for step, planned in enumerate(plan.planned):
        if progress.is_done(step):
            continue
        if planned.change.kind == "delete-group" and not is_checked:
            is_checked = True
            if objections := _objections(worker, plan, progress):
                progress.failure = objections
                return None
        change = renamed(planned.change, progress.made)
        if failure := _attempt(worker, progress, step, change, is_undo=False):
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


def _back(worker: Worker, plan: Plan, progress: Progress) -> Result:
    """Take back what was done, in reverse; what serves a group that is gone stays as it is."""
    gone = {
        planned.change.group_id
        for step, planned in enumerate(plan.planned)
        if planned.change.kind == "delete-group" and progress.is_done(step)
    }
    left: list[str] = []
    for step, planned in reversed(list(enumerate(plan.planned))):
        if not progress.is_done(step) or planned.target in gone:
            continue
        if refusal := _undo(worker, progress, step, planned):
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
    return _attempt(worker, progress, step, inverse, is_undo=True)


def _attempt(
    worker: Worker, progress: Progress, step: int, change: Change, *, is_undo: bool
) -> str:
    """Make one change; return why it was refused, or nothing when it is made."""
    for attempt in range(1, TRIES + 1):
        _require_time(worker)
        entry = progress.next_entry(worker.claim.decision_id, step, codec.dump(change), is_undo)
        worker.store.intend(worker.claim, entry, worker.lease_s)
        progress.intended(entry)
        try:
            made = perform(worker.cloud, change, _token(worker, step, is_undo=is_undo))
        except NotFoundError as error:
            # Somebody else may have done it: then that is what was wanted.
            is_done, why = _after_trouble(worker, progress, entry, change, error)
            is_final = True
        except (CloudError, DeadlineError) as error:
            if error.is_outcome_known:
                _settle(worker, progress, entry, is_done=False, note=str(error))
                is_done, why = False, str(error)
            else:
                is_done, why = _after_trouble(worker, progress, entry, change, error)
            is_final = error.is_outcome_known and not isinstance(error, ThrottledError)
            wait_s = error.retry_after_s or 0.5 * attempt
            if not (is_done or is_final) and attempt < TRIES:
                worker.sleep(min(wait_s, worker.deadline.remaining_s()))
        else:
            _settle(worker, progress, entry, is_done=True, made=made)
            return ""
        if is_done:
            return ""
        if is_final or attempt == TRIES:
            return why
    return ""


def _after_trouble(
    worker: Worker, progress: Progress, entry: Entry, change: Change, error: Exception
) -> tuple[bool, str]:
    """Look what became of a change; return whether it is made, and why not."""
    sight, how = look(worker.cloud, change)
    is_done = sight is Sight.AFTER
    note = f"{error} (looked: {how or sight.value})"
    made = how if is_done else ""
    _settle(worker, progress, entry, is_done=is_done, note=note, made=made)
    return is_done, note


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
