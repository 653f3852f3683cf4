"""Making changes of a plan: intend, apply, settle.

1. *Intend*: a line in the journal, before the call is sent. A worker that dies from here on leaves
   a line that says what may have happened.
2. *Apply*: one writing call per change, several side by side.
3. *Settle*: a success is written down at once. A refusal is too, where the error proves that
   nothing was changed. Everything else, a lost response above all, is settled by observing the
   world; only a change that was not made is sent again.

Changes that are made side by side, a wave, have a line each. All lines of a wave are intended in
one transaction, and those of its successes are settled in one: a slow store is waited for twice,
however many changes there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from sgguard.errors import (
    ConflictError,
    DeadlineError,
    NotFoundError,
    SgguardError,
    ThrottledError,
)
from sgguard.model.change import Change
from sgguard.providers.base import Cloud
from sgguard.remedy.progress import UNSENT, Progress
from sgguard.remedy.snapshot import Snapshot
from sgguard.remedy.wave import AT_ONCE
from sgguard.remedy.world import State, apply_all, is_let_go, observe
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry, Settled
from sgguard.wire.clock import Deadline, EpochClock
from sgguard.wire.parallel import parallel

TRIES = 3
"""How often one change is sent: again only when the world shows that it was not made."""

RESERVE_S = 1.0
"""A change is not begun with less time than this: it is left to the next delivery."""

_NO_TIME = "the time for this event was used up before the plan was finished"


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker needs to carry out a plan.

    ``remaining_blockers`` reads everything about the groups to be deleted once more and returns
    what still blocks them, in words; it is called before the first of them is deleted. ``snapshot``
    is what was kept of them when the plan was made.
    """

    cloud: Cloud
    store: Store
    claim: Claim
    deadline: Deadline
    remaining_blockers: Callable[[tuple[str, ...]], tuple[str, ...]]
    snapshot: Snapshot
    lease_s: float = 60.0
    now: EpochClock = field(default=time.time, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


def attempt(
    worker: Worker,
    progress: Progress,
    changes: Mapping[int, Change],
    *,
    is_vital: bool,
    is_undo: bool = False,
    paired: Collection[int] = (),
    freeing: Collection[int] = (),
) -> dict[int, str]:
    """Make changes side by side, by the steps they carry out or undo.

    ``paired`` steps mean something only together: of a rewrite the new rule must not stay where
    another user removed the old one. ``freeing`` ones let a group go (see ``world.is_let_go``).

    Return, by step, why a change was refused; nothing when the world is as all of them want it.

    Raises:
        CloudError: a change ``is_vital`` and the cloud may make it later, or the outcome of one
            could not be observed: the run stays open.
        DeadlineError, HaltedError, StoreError: as :func:`~sgguard.remedy.apply.carry_out`.
    """
    pending = dict(changes)
    for number in range(1, TRIES + 1):
        require_time(worker)
        # 1. Intend and apply all; settle those that succeeded, and those that were not sent.
        failed, is_late = _make(worker, progress, pending, is_undo=is_undo)
        # 2. Settle those that did not, each by what its error proves and the world shows.
        with _written(worker, progress, is_late=is_late):
            failures = {
                step: _settle_failed(
                    *(worker, progress, entry, pending[step], error),
                    is_paired=step in paired,
                    is_freeing=step in freeing,
                )
                for step, (entry, error) in failed.items()
            }
        # 3. What is as wanted all the same is done. The rest is sent again, unless one is final.
        pending = {step: pending[step] for step, one in failures.items() if not one.is_met}
        if not pending or any(failures[step].is_final for step in pending):
            break
        # 4. After the last try a change that must be made is left to a later delivery.
        errors = [failed[step][1] for step in pending]
        if number == TRIES:
            _raise_lasting(errors if is_vital else ())
            break
        _pause(worker, number, errors)
    refused = [step for step in pending if failures[step].is_final] or pending
    return {step: failures[step].why for step in refused}


def _raise_lasting(errors: Sequence[SgguardError]) -> None:
    """Raise the first error after which the same may be possible later, if there is one."""
    for error in errors:
        if error.is_retryable:
            raise error


def _pause(worker: Worker, number: int, errors: Sequence[SgguardError]) -> None:
    wait_s = max(one.retry_after_s or 0.5 * number for one in errors)
    worker.sleep(min(wait_s, worker.deadline.remaining_s()))


def _make(
    worker: Worker, progress: Progress, changes: Mapping[int, Change], *, is_undo: bool
) -> tuple[dict[int, tuple[Entry, SgguardError]], bool]:
    """Intend changes, make them, settle those that succeeded; return the others' errors.

    Return too whether some were not sent, for it was too late: they are settled as not done.
    """
    # 1. All lines of the wave in one transaction: what is not written is not sent.
    entries: dict[int, Entry] = {}
    for step, change in changes.items():
        entry = progress.next_entry(worker.claim.decision_id, step, codec.dump(change), is_undo)
        progress.intended(entry)
        entries[step] = entry
    begun_s = worker.now()
    worker.store.intend(worker.claim, tuple(entries.values()), worker.lease_s)
    # 2. The calls, side by side; each only while the lease is good.
    sent = [(change, _token(worker, step, is_undo=is_undo)) for step, change in changes.items()]
    ended = apply_all(worker.cloud, sent, partial(_may_send, worker, begun_s))
    # 3. What succeeded, in one transaction, before anything else is asked.
    failed: dict[int, tuple[Entry, SgguardError]] = {}
    for (step, entry), made in zip(entries.items(), ended, strict=True):
        if isinstance(made, str):
            _settle(progress, entry, is_done=True, made=made)
        elif made is None:
            _settle(progress, entry, is_done=False, note=UNSENT)
        else:
            failed[step] = (entry, made)
    write(worker, progress)
    return failed, None in ended


def _may_send(worker: Worker, since_s: float) -> bool:
    """Return whether a change may be sent now, ``since_s`` its lease was renewed.

    A worker that was paused may have lost its lease: another one may be at it. Half of the lease
    is left for the call. The deadline's clock alone may stand still while a machine is paused.
    """
    is_present = worker.now() - since_s < worker.lease_s / 2
    return is_present and worker.deadline.remaining_s() > 0


@contextmanager
def _written(worker: Worker, progress: Progress, *, is_late: bool) -> Iterator[None]:
    """Write at the end what came of changes, also where one of them could not be observed.

    Raises:
        DeadlineError: it ``is_late``: some were not sent.
    """
    try:
        yield
    finally:
        write(worker, progress)
    if is_late:
        raise DeadlineError(_NO_TIME)


def write(worker: Worker, progress: Progress) -> None:
    """Write what came of changes into the journal, in one transaction."""
    if progress.unwritten:
        worker.store.settle(worker.claim, tuple(progress.unwritten))
        progress.unwritten.clear()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What an error means for a change.

    ``is_met``: the world is as wanted all the same. ``is_final``: sending it again cannot help.
    """

    why: str
    is_met: bool = False
    is_final: bool = False


def _settle_failed(
    worker: Worker,
    progress: Progress,
    entry: Entry,
    change: Change,
    error: SgguardError,
    *,
    is_paired: bool,
    is_freeing: bool,
) -> _Failure:
    """Settle a change that ended with an error, by the error or by observing the world."""
    # 1. The error proves that nothing was changed. NotFound and Conflict prove it too, but may
    #    mean that the world is as wanted already.
    if error.is_outcome_known and not isinstance(error, NotFoundError | ConflictError):
        _settle(progress, entry, is_done=False, note=str(error))
        return _Failure(str(error), is_final=not isinstance(error, ThrottledError))
    # 2. The response was lost, or 1. leaves it open: compare the world with the change.
    state, how = observe(worker.cloud, change)
    is_there = state is State.AFTER
    # 3. Was it this plan that made it? Not where the error proves that this call did nothing and
    #    there was no earlier call of the same change: then another user made it, and an undo must
    #    not touch it. A delete counts as the plan's in any case: no undo touches it.
    is_known = error.is_outcome_known and change.kind != "delete-group"
    is_ours = not is_known or progress.was_tried(entry)
    is_done = is_there and is_ours
    why = f"{error} (observed: {how or state.value})"
    # 4. What only lets a group go is met where the group was let go in another way.
    is_open = state is State.GONE or (state is State.DIVERGED and not is_ours)
    if is_freeing and is_open and is_let_go(worker.cloud, change):
        _settle(progress, entry, is_done=False, note=why)
        return _Failure(why, is_met=True)
    # 5. It may have been made, and another user changed the same thing: leave it unsettled.
    if state is State.DIVERGED and is_ours:
        _leave_indeterminate(progress, entry, how, why)
        return _Failure(why, is_final=True)
    _settle(progress, entry, is_done=is_done, note=why, made=how if is_done else "")
    # 6. Only a change that was not made is sent again. One that another user made is met, but not
    #    half of a rewrite: where they removed the old rule, the new one must not stay.
    is_final = state is not State.BEFORE or isinstance(error, NotFoundError)
    return _Failure(why, is_there and (is_ours or not is_paired), is_final)


def settle_by_observing(worker: Worker, progress: Progress, entries: Sequence[Entry]) -> None:
    """Settle what a worker intended that ended without settling it.

    No error is known here, so the world alone decides: AFTER is done, BEFORE and GONE are not,
    DIVERGED cannot be known and stays unsettled.
    """
    for begin in range(0, len(entries), AT_ONCE):
        some = entries[begin : begin + AT_ONCE]
        changes = [codec.load(Change, entry.change_json) for entry in some]
        observed = parallel([partial(observe, worker.cloud, change) for change in changes])
        for entry, (state, how) in zip(some, observed, strict=True):
            note = f"its outcome was not reported (observed: {how or state.value})"
            if state is State.DIVERGED:
                _leave_indeterminate(progress, entry, how, note)
                continue
            is_done = state is State.AFTER
            made = how if is_done else ""
            _settle(progress, entry, is_done=is_done, note=note, made=made)
        write(worker, progress)


def _leave_indeterminate(progress: Progress, entry: Entry, how: str, note: str) -> None:
    """Leave a change unsettled: it may have been made, and another user changed the same thing."""
    progress.indeterminate[entry.step] = how
    progress.failure = progress.failure or note
    progress.unwritten.append(Settled(entry, "intended", note=note))


def _settle(
    progress: Progress, entry: Entry, *, is_done: bool, note: str = "", made: str = ""
) -> None:
    state = progress.settled(entry, is_done=is_done, made=made)
    progress.unwritten.append(Settled(entry, state, made, note))


def _token(worker: Worker, step: int, *, is_undo: bool) -> str:
    """Return the idempotency token of a change: the same for it after a crash, too."""
    return f"{worker.claim.decision_id}-{step}-{int(is_undo)}"


def require_time(worker: Worker) -> None:
    """Raise DeadlineError where there is not the time for another change."""
    if worker.deadline.remaining_s() < RESERVE_S:
        raise DeadlineError(_NO_TIME)
