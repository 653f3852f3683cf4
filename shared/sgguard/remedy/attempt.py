"""Making changes of a plan: intend, look, apply, settle.

1. *Intend*: a line in the journal, before the call is sent. A worker that dies from here on leaves
   a line that says what may have happened.
2. *Look*, before a group is deleted: nothing but the call comes after that. Where the look is
   against it, the line is settled as not sent.
3. *Apply*: one writing call per change, several side by side.
4. *Settle*: a success is written down at once. A refusal is too, where the error proves that
   nothing was changed. Everything else, a lost response above all, is settled by observing the
   world; only a change that was not made is sent again.

Changes that are made side by side, a wave, have a line each. All lines of a wave are intended in
one transaction, and those of its successes are settled in one: a slow store is waited for twice,
however many changes there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from sgguard import hiding
from sgguard.errors import (
    DeadlineError,
    SgguardError,
)
from sgguard.model.change import Change
from sgguard.model.failure import failure_of
from sgguard.model.sending import UnsentError
from sgguard.model.sentence import Sentence, Text, said
from sgguard.providers.base import Cloud
from sgguard.remedy.progress import Progress
from sgguard.remedy.settle import Failure, seen_of, settle, settle_failed, write
from sgguard.remedy.snapshot import Snapshot
from sgguard.remedy.world import apply_all
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry
from sgguard.wire.clock import Deadline, EpochClock

TRIES = 3
"""How often one change is sent: again only when the world shows that it was not made."""

RESERVE_S = 1.0
"""A change is not begun with less time than this: it is left to the next delivery."""

_NO_TIME = "the time for this event was used up before the plan was finished"


@hiding("now", "sleep")
class Worker(msgspec.Struct, frozen=True):
    """What one worker needs to carry out a plan.

    ``remaining_blockers`` reads everything about the groups to be deleted once more and returns
    what still blocks them; it is called before the first of them is deleted. ``snapshot``
    is what was kept of them when the plan was made. ``second_look`` is called where an earlier
    worker began the plan and changed nothing: it returns why the plan must not go on.
    """

    cloud: Cloud
    store: Store
    claim: Claim
    deadline: Deadline
    remaining_blockers: Callable[[tuple[str, ...]], tuple[Sentence, ...]]
    snapshot: Snapshot
    lease_s: float = 60.0
    now: EpochClock = time.time
    sleep: Callable[[float], None] = time.sleep
    second_look: Callable[[], Text | None] | None = None


def attempt(
    worker: Worker,
    progress: Progress,
    changes: Mapping[int, Change],
    *,
    is_vital: bool,
    is_undo: bool = False,
    paired: Collection[int] = (),
    freeing: Collection[int] = (),
    last_look: Callable[[], Text] | None = None,
) -> dict[int, Text]:
    """Make changes side by side, by the steps they carry out or undo.

    ``paired`` steps mean something only together: of a rewrite the new rule must not stay where
    another user removed the old one. ``freeing`` ones let a group go (see ``world.is_let_go``).
    ``last_look`` returns why nothing must be sent; that is noted as ``progress.against``.

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
        failed, is_late = _make(worker, progress, pending, last_look, is_undo=is_undo)
        if progress.against:
            return dict.fromkeys(pending, progress.against)
        # 2. Settle those that did not, each by what its error proves and the world shows; those of
        #    which it could not be seen come last, for they end the attempt.
        with _written(worker, progress, is_late=is_late):
            failures = _failures(worker, progress, pending, failed, (paired, freeing))
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


def _failures(
    worker: Worker,
    progress: Progress,
    pending: Mapping[int, Change],
    failed: Mapping[int, tuple[Entry, SgguardError]],
    marked: tuple[Collection[int], Collection[int]],
) -> dict[int, Failure]:
    """Settle the changes that failed; ``marked`` are the steps that are paired, and freeing."""
    paired, freeing = marked
    seen = seen_of(worker, {step: (pending[step], error) for step, (_, error) in failed.items()})
    last = sorted(failed.items(), key=lambda one: isinstance(seen.get(one[0]), SgguardError))
    return {
        step: settle_failed(
            *(worker, progress, entry, pending[step], error),
            seen=seen.get(step),
            is_paired=step in paired,
            is_freeing=step in freeing,
        )
        for step, (entry, error) in last
    }


def _raise_lasting(errors: Sequence[SgguardError]) -> None:
    """Raise the first error after which the same may be possible later, if there is one."""
    for error in errors:
        if error.is_retryable:
            raise error


def _pause(worker: Worker, number: int, errors: Sequence[SgguardError]) -> None:
    wait_s = max(one.retry_after_s or 0.5 * number for one in errors)
    worker.sleep(min(wait_s, worker.deadline.remaining_s()))


def _make(
    worker: Worker,
    progress: Progress,
    changes: Mapping[int, Change],
    last_look: Callable[[], Text] | None = None,
    *,
    is_undo: bool,
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
    # 2. What is seen after that is at most as old as the calls need.
    if last_look and _is_against(worker, progress, entries.values(), last_look):
        return {}, False
    # 3. The calls, side by side; each only while the lease is good.
    sent = [(change, _token(worker, step, is_undo=is_undo)) for step, change in changes.items()]
    ended = apply_all(worker.cloud, sent, partial(_may_send, worker, begun_s))
    # 4. What succeeded, in one transaction, before anything else is asked.
    failed: dict[int, tuple[Entry, SgguardError]] = {}
    is_late = False
    for (step, entry), made in zip(entries.items(), ended, strict=True):
        if isinstance(made, str):
            settle(progress, entry, is_done=True, made=made)
        elif isinstance(made, UnsentError) and made.is_late:
            is_late = True
            settle(progress, entry, is_done=False, note=failure_of(made))
        else:
            failed[step] = (entry, made)
    write(worker, progress)
    return failed, is_late


def _is_against(
    worker: Worker,
    progress: Progress,
    entries: Iterable[Entry],
    last_look: Callable[[], Text],
) -> bool:
    """Look before anything is sent; where that is against it, or fails, nothing was sent."""
    try:
        progress.against = last_look()
        if not progress.against:
            require_time(worker)
    except SgguardError as error:
        _settle_unsent(worker, progress, entries, failure_of(error))
        raise
    if progress.against:
        _settle_unsent(worker, progress, entries, progress.against)
    return bool(progress.against)


def _settle_unsent(worker: Worker, progress: Progress, entries: Iterable[Entry], why: Text) -> None:
    """Note that nothing was sent; where a process dies before, that is observed later."""
    for entry in entries:
        settle(progress, entry, is_done=False, note=said("unsent.because", why=why))
    write(worker, progress)


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


def _token(worker: Worker, step: int, *, is_undo: bool) -> str:
    """Return the idempotency token of a change: the same for it after a crash, too."""
    return f"{worker.claim.decision_id}-{step}-{int(is_undo)}"


def require_time(worker: Worker) -> None:
    """Raise DeadlineError where there is not the time for another change."""
    if worker.deadline.remaining_s() < RESERVE_S:
        raise DeadlineError(_NO_TIME)
