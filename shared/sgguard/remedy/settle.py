"""Settling changes: writing down what came of each line of the journal.

A line whose change succeeded is done. One whose error proves that nothing was changed is not.
Everything else, a lost response above all, is settled by what the world shows of that very line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from sgguard.errors import (
    ConflictError,
    NotFoundError,
    SgguardError,
    ThrottledError,
)
from sgguard.model.change import Change
from sgguard.model.failure import failure_of
from sgguard.model.sending import UnsentError
from sgguard.model.sentence import Sentence, Text, said
from sgguard.providers.base import Cloud
from sgguard.remedy.observe import Observed, is_let_go, observe_all, seen_as
from sgguard.remedy.progress import Progress
from sgguard.remedy.wave import TOGETHER
from sgguard.remedy.world import State
from sgguard.render.kept import to_keep
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry, Settled


class Worker(Protocol):
    """What is needed of a worker to settle what it did."""

    @property
    def cloud(self) -> Cloud:
        """The cloud that it changes."""
        ...

    @property
    def store(self) -> Store:
        """Where its journal is."""
        ...

    @property
    def claim(self) -> Claim:
        """Its claim on the event."""
        ...


def write(worker: Worker, progress: Progress) -> None:
    """Write what came of changes into the journal, in one transaction."""
    if progress.unwritten:
        worker.store.settle(worker.claim, tuple(progress.unwritten))
        progress.unwritten.clear()


class Failure(msgspec.Struct, frozen=True):
    """What an error means for a change.

    ``is_met``: the world is as wanted all the same. ``is_final``: sending it again cannot help.
    """

    why: Sentence
    is_met: bool = False
    is_final: bool = False


def is_proof(error: SgguardError) -> bool:
    """Return whether an error proves that its change was not made, and the world not as wanted.

    NotFound and Conflict prove the first too, but may mean that the world is as wanted already.
    """
    return error.is_outcome_known and not isinstance(error, NotFoundError | ConflictError)


def seen_of(
    worker: Worker, failed: Mapping[int, tuple[Change, SgguardError]]
) -> dict[int, Observed | SgguardError]:
    """Observe the changes whose errors prove nothing, all of them with few reads."""
    asked = {step: change for step, (change, error) in failed.items() if not is_proof(error)}
    return dict(zip(asked, observe_all(worker.cloud, [*asked.values()]), strict=True))


def settle_failed(
    worker: Worker,
    progress: Progress,
    entry: Entry,
    change: Change,
    error: SgguardError,
    *,
    seen: Observed | SgguardError | None,
    is_paired: bool,
    is_freeing: bool,
) -> Failure:
    """Settle a change that ended with an error, by the error or by what was ``seen`` of it.

    Raises:
        CloudError, DeadlineError: that could not be seen.
    """
    # 1. The error proves that nothing was changed.
    if is_proof(error):
        refused = failure_of(error)
        settle(progress, entry, is_done=False, note=refused)
        return Failure(refused, is_final=not isinstance(error, ThrottledError | UnsentError))
    # 2. The response was lost, or 1. leaves it open: compare the world with the change.
    if seen is None or isinstance(seen, SgguardError):
        raise seen or error
    state, how = seen
    is_there = state is State.AFTER
    # 3. Was it this plan that made it? Not where the error proves that this call did nothing and
    #    there was no earlier call of the same change: then another user made it, and an undo must
    #    not touch it. A delete counts as the plan's in any case: no undo touches it.
    is_known = error.is_outcome_known and change.kind != "delete-group"
    is_ours = not is_known or progress.was_tried(entry)
    is_done = is_there and is_ours
    why = said("why.observed", error=failure_of(error), seen=seen_as(state, how))
    # 4. What only lets a group go is met where the group was let go in another way.
    is_open = state is State.GONE or (state is State.DIVERGED and not is_ours)
    if is_freeing and is_open and is_let_go(worker.cloud, change):
        settle(progress, entry, is_done=False, note=why)
        return Failure(why, is_met=True)
    # 5. It may have been made, and another user changed the same thing: leave it unsettled.
    if state is State.DIVERGED and is_ours:
        _leave_indeterminate(progress, entry, how, why)
        return Failure(why, is_final=True)
    settle(progress, entry, is_done=is_done, note=why, made=_made(how) if is_done else "")
    # 6. Only a change that was not made is sent again. One that another user made is met, but not
    #    half of a rewrite: where they removed the old rule, the new one must not stay.
    is_final = state is not State.BEFORE or isinstance(error, NotFoundError)
    return Failure(why, is_there and (is_ours or not is_paired), is_final)


def settle_by_observing(worker: Worker, progress: Progress, entries: Sequence[Entry]) -> None:
    """Settle what a worker intended that ended without settling it.

    No error is known here, so the world alone decides: AFTER is done, BEFORE and GONE are not,
    DIVERGED cannot be known and stays unsettled.

    Raises:
        CloudError, DeadlineError: one of them could not be observed.
    """
    for begin in range(0, len(entries), TOGETHER):
        some = entries[begin : begin + TOGETHER]
        changes = [codec.load(Change, entry.change_json) for entry in some]
        failures: list[SgguardError] = []
        for entry, seen in zip(some, observe_all(worker.cloud, changes), strict=True):
            if isinstance(seen, SgguardError):
                failures.append(seen)
                continue
            state, how = seen
            note = said("why.unreported", seen=seen_as(state, how))
            if state is State.DIVERGED:
                _leave_indeterminate(progress, entry, how, note)
                continue
            is_done = state is State.AFTER
            made = _made(how) if is_done else ""
            settle(progress, entry, is_done=is_done, note=note, made=made)
        # What was seen is written, also where another line of these could not be.
        write(worker, progress)
        if failures:
            raise failures[0]


def _made(how: Text) -> str:
    """Return the id of a group that was made, as it was observed."""
    return how if isinstance(how, str) else ""


def _leave_indeterminate(progress: Progress, entry: Entry, how: Text, note: Sentence) -> None:
    """Leave a change unsettled: it may have been made, and another user changed the same thing."""
    progress.indeterminate[entry.step] = how
    progress.failure = progress.failure or note
    progress.unwritten.append(Settled(entry, "intended", note=to_keep(note)))


def settle(
    progress: Progress, entry: Entry, *, is_done: bool, note: Text = "", made: str = ""
) -> None:
    """Note what came of a line: it is written with the next ones (:func:`write`)."""
    state = progress.settled(entry, is_done=is_done, made=made)
    progress.unwritten.append(Settled(entry, state, made, to_keep(note)))
