"""Changing many holders with few calls: in batches, each journalled, followed to its end.

1. *Pick*: the next sets of holders, until :data:`AT_ONCE` are under way, from each kind's pool.
2. *Intend*: a line for each set, all in one transaction under the decision's fence.
3. *Send* the calls side by side; the lanes of the wire keep them to the documented rate. Each set
   is read right before: what is as wanted, gone or busy meanwhile is not sent. The next set is
   picked when one has ended, so that some always wait for their turn.
4. A refused set changed nothing: by what its error means (:data:`~sgguard.model.bind.Refusal`) it
   is searched, comes later, or ends all.
5. *Look* at what was accepted until each holder is changed or has failed, without waiting for it
   before the next sets go out; settle the lines that are over in one transaction.

Whatever ends a run for now, the calls that have begun are waited for and noted first. So the
journal alone tells how far a run is. A line that is still ``intended`` when a worker begins
is settled by looking: nothing is sent again before the holder was read.
"""

from __future__ import annotations

from sgguard.engine.bulk.line import Result
from sgguard.engine.bulk.look import begin_look, look
from sgguard.engine.bulk.recall import recall
from sgguard.engine.bulk.run import AgainstError, BulkRun, BulkWorker, StoppedError, pool_of
from sgguard.engine.bulk.send import begin, next_sets, take, take_all
from sgguard.errors import DeadlineError, SgguardError
from sgguard.model.bind import BindPlan

_LATER_S = 8.0
"""The longest wait for holders that are busy."""


def carry_out(worker: BulkWorker, plan: BindPlan) -> dict[str, Result]:
    """Change every holder of the plan, from where its journal ends; return what became of each.

    Raises:
        DeadlineError: the time is used up; the run stays open and is continued next time.
        HaltedError: an operator stopped all changes; the run stays open.
        LeaseLostError: another worker took over.
        CloudError: the cloud could not be asked what became of a change.
        StoreError: the journal cannot be written.
        StoppedError: Ctrl-C was pressed; the run stays open.
        AgainstError: nothing was changed so far, and it must not go on; nothing is under way.
    """
    run = _begun(worker, plan)
    try:
        _look_first(run)
        while _goes_on(run):
            pass
    except SgguardError:
        take_all(run)
        raise
    except KeyboardInterrupt:
        take_all(run)
        raise StoppedError from None
    return run.results


def _look_first(run: BulkRun) -> None:
    """Look once more at what was begun before and has changed nothing so far.

    A worker may have died before the calls went out that it had intended. Whether they did is seen
    in the holders, and waited for only where the run must not go on otherwise.
    """
    if run.worker.second_look is None or _has_changed_any(run):
        return
    why = run.worker.second_look()
    while why and run.lines and not _has_changed_any(run):
        _require_time(run)
        _wait_and_look(run)
    if why and not _has_changed_any(run):
        raise AgainstError(why, run.results)


def _has_changed_any(run: BulkRun) -> bool:
    return any(one.status == "done" for one in run.results.values())


def _goes_on(run: BulkRun) -> bool:
    """Do what is next; False where nothing is left to be done."""
    _require_time(run)
    if not run.pause_s and (sets := next_sets(run)):
        begin(run, sets)
    begin_look(run)
    if run.under_way:
        take(run)
    elif run.pause_s:
        _sleep(run, run.pause_s)
        run.pause_s = 0.0
    elif run.lines:
        _wait_and_look(run)
    elif run.later:
        _sleep(run, min(_LATER_S, 2.0 ** max(run.laters[one] for one in run.later) / 2))
        back, run.later = run.later, []
        for one in back:
            pool_of(run, one).add([one])
    else:
        return any(pool.waiting or pool.hunts for pool in run.pools.values())
    return True


def _begun(worker: BulkWorker, plan: BindPlan) -> BulkRun:
    """Return the run as its journal has it."""
    run = BulkRun(worker, plan, {one.holder_id: one for one in plan.targets})
    recall(run, worker.store.entries(worker.claim.decision_id))
    run.report()
    return run


def _require_time(run: BulkRun) -> None:
    if run.is_late or run.worker.deadline.remaining_s() < run.worker.reserve_s:
        raise DeadlineError("the time for this event was used up before all holders were changed")


def _wait_and_look(run: BulkRun) -> None:
    _sleep(run, min(line.due_s for line in run.lines) - run.clock())
    look(run)


def _sleep(run: BulkRun, seconds: float) -> None:
    run.worker.sleep(
        max(0.0, min(seconds, run.worker.deadline.remaining_s() - run.worker.reserve_s))
    )
