"""Changing many holders with few calls: in batches, each journalled, followed to its end.

1. *Pick*: the next sets of holders, up to :data:`AT_ONCE`, from the pool of each kind. They are
   read once more: what is as wanted, gone or busy meanwhile is not sent.
2. *Intend*: a line for each set, all in one transaction under the decision's fence.
3. *Send* the calls side by side; the lanes of the wire keep them to the documented rate.
4. A refused set changed nothing: by what its error means (:data:`~sgguard.model.bind.Refusal`) it
   is searched, comes later, or ends all.
5. *Look* at what was accepted until each holder is changed or has failed, without waiting for it
   before the next sets go out; settle the lines that are over in one transaction.

So the journal alone tells how far a run is. A line that is still ``intended`` when a worker begins
is settled by looking: nothing is sent again before the holder was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.engine.bulk import line as lines
from sgguard.engine.bulk.line import DONE, Result
from sgguard.engine.bulk.look import look, settle
from sgguard.engine.bulk.pool import Hunt, Pool
from sgguard.engine.bulk.refusal import Refused, after_refusal
from sgguard.engine.bulk.run import (
    AT_ONCE,
    RESERVE_S,
    BulkRun,
    BulkWorker,
    Line,
    end,
    over,
    pool_of,
    wait,
)
from sgguard.errors import DeadlineError, SgguardError
from sgguard.model.bind import Batch, BindPlan, RowCode, Sent
from sgguard.store import codec
from sgguard.store.rows import Entry
from sgguard.wire.parallel import parallel

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 8.0


def carry_out(worker: BulkWorker, plan: BindPlan) -> dict[str, Result]:
    """Change every holder of the plan, from where its journal ends; return what became of each.

    Raises:
        DeadlineError: the time is used up; the run stays open and is continued next time.
        HaltedError: an operator stopped all changes; the run stays open.
        LeaseLostError: another worker took over.
        CloudError: the cloud could not be asked what became of a change.
        StoreError: the journal cannot be written.
    """
    run = _begun(worker, plan)
    wait_s, is_idle = _FIRST_WAIT_S, False
    while True:
        _require_time(run)
        is_sent = _send(run, _wave(run))
        is_moved = look(run, is_idle=is_idle and not is_sent) or is_sent
        wait_s = _FIRST_WAIT_S if is_moved else min(2 * wait_s, _LONGEST_WAIT_S)
        is_idle = False
        if run.pause_s:
            _sleep(run, run.pause_s)
            run.pause_s = 0.0
        elif is_sent or any(pool.waiting or pool.hunts for pool in run.pools.values()):
            continue
        elif run.lines:
            _sleep(run, wait_s)
            is_idle = True
        elif run.later:
            _sleep(run, min(_LONGEST_WAIT_S, 2.0 ** max(run.laters[one] for one in run.later) / 2))
            back, run.later = run.later, []
            for one in back:
                pool_of(run, one).add([one])
        else:
            return run.results


def _begun(worker: BulkWorker, plan: BindPlan) -> BulkRun:
    """Return the run as its journal has it."""
    targets = {one.holder_id: one for one in plan.targets}
    run = BulkRun(worker, plan, targets)
    entries = worker.store.entries(worker.claim.decision_id)
    run.results = lines.results_in(entries)
    run.number = max((one.number + 1 for one in entries), default=0)
    for entry in entries:
        if entry.state == "intended":
            run.lines.append(Line(entry, set(lines.batch_of(entry).holders), is_lost=True))
    begun = {one for line in run.lines for one in line.pending}
    for one in targets:
        if one not in run.results and one not in begun:
            pool_of(run, one).add([one])
    for kind, pool in run.pools.items():
        pool.total = sum(one.kind == kind for one in plan.targets)
    run.report()
    return run


# -- sending -------------------------------------------------------------------------------------


def _wave(run: BulkRun) -> list[tuple[Pool, Hunt | None, tuple[str, ...]]]:
    """Return the sets of the next calls, each with the hunt that it belongs to."""
    most = 1 if run.is_filling else AT_ONCE
    wave: list[tuple[Pool, Hunt | None, tuple[str, ...]]] = []
    for pool in run.pools.values():
        for hunt in list(pool.hunts):
            if not hunt.next():
                pool.hunts.remove(hunt)
                after_refusal(run, Refused(pool, None, hunt.suspects, hunt.why))
            elif len(wave) < most:
                hunt.is_sent = True
                wave.append((pool, hunt, hunt.tried))
        while len(wave) < most and (batch := pool.fresh()):
            if still := _still(run, batch):
                wave.append((pool, None, still))
    return wave


def _still(run: BulkRun, batch: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a batch that are to be sent, by what the cloud shows right now."""
    if run.worker.bulk.looks_first:
        return batch
    found = run.worker.bulk.read(batch).value
    kept = []
    for one in batch:
        state = found.get(one)
        if one not in found:
            kept.append(one)  # it could not be read: the call itself tells
        elif state is None:
            words = "the cloud shows no such holder any more"
            end(run, one, Result("refused", RowCode.HOLDER_NOT_FOUND, words))
        elif state.is_reached(run.plan.action, run.plan.group_id):
            end(run, one, Result("nothing", RowCode.REACHED, "it was as wanted meanwhile"))
        elif run.plan.action == "unbind" and len(state.group_ids) == 1:
            words = "it carries no other group any more"
            end(run, one, Result("refused", RowCode.LAST_GROUP, words))
        elif state.refusal:
            code = RowCode.BUSY if state.is_passing else RowCode.HOLDER_REFUSES
            wait(run, one, Result("refused", code, state.refusal), state)
        else:
            kept.append(one)
    return tuple(kept)


def _send(run: BulkRun, wave: Sequence[tuple[Pool, Hunt | None, tuple[str, ...]]]) -> bool:
    """Intend and send the sets side by side, and note what came of each; False: there are none."""
    worker = run.worker
    if not wave:
        return False
    # 1. All lines in one transaction: what is not written is not sent.
    entries = []
    for _, _, holders in wave:
        batch = Batch(run.plan.action, run.plan.group_id, holders)
        change = codec.dump(batch)
        entries.append(Entry(worker.claim.decision_id, run.number, run.number, change))
        run.number += 1
    begun_s = worker.now()
    worker.store.intend(worker.claim, tuple(entries), worker.lease_s)
    if worker.now() - begun_s >= worker.lease_s:
        raise DeadlineError("this worker was paused for longer than its lease: nothing was sent")
    # 2. The calls.
    sent = parallel([partial(_sent, run, holders) for _, _, holders in wave])
    # 3. What is known now.
    for (pool, hunt, holders), entry, how in zip(wave, entries, sent, strict=True):
        pool.calls += 1
        line = Line(entry, set(holders))
        if isinstance(how, Sent):
            _accepted(run, line, how)
            pool.accepted += len(holders)
            run.denied = 0
            if hunt is not None:
                hunt.accepted()
        elif after_refusal(run, Refused(pool, hunt, holders, how)):
            line.again = {one for one in holders if one not in run.results}
            line.results = {one: run.results[one] for one in holders if one in run.results}
            line.pending.clear()
        else:
            line.is_lost = True
        (run.lines if line.pending else run.over).append(line)
    settle(run)
    return True


def _sent(run: BulkRun, holders: Sequence[str]) -> Sent | SgguardError:
    some = [run.targets[one] for one in holders]
    try:
        return run.worker.bulk.send(run.plan.action, run.plan.group_id, some)
    except SgguardError as error:
        return error


def _accepted(run: BulkRun, line: Line, sent: Sent) -> None:
    """Note the results that a call has at once; the others are looked at."""
    line.request_id = sent.request_id
    for one, error in sent.results.items():
        if one in sent.reached:
            found = Result("nothing", RowCode.REACHED, "it was as wanted meanwhile")
            over(run, line, one, found)
        elif error is None:
            over(run, line, one, DONE)
        elif (meaning := run.worker.bulk.meaning(error)) in ("later", "throttled"):
            wait(run, one, lines.refused(error, RowCode.BUSY), None)
            line.again.add(one)
            line.pending.discard(one)
        elif meaning != "unknown":
            over(run, line, one, lines.refused(error))


def _require_time(run: BulkRun) -> None:
    if run.worker.deadline.remaining_s() < RESERVE_S:
        raise DeadlineError("the time for this event was used up before all holders were changed")


def _sleep(run: BulkRun, seconds: float) -> None:
    run.worker.sleep(max(0.0, min(seconds, run.worker.deadline.remaining_s() - RESERVE_S)))
