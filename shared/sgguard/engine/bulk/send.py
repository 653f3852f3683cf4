"""Sending sets of holders: intended, read once more, sent side by side, and noted.

Calls begin before earlier ones have ended, so that the next ones are read and signed while those
before them wait for their turn: at a rate of ten a second a pause between waves costs a third.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.engine.bulk import line as lines
from sgguard.engine.bulk.line import DONE, result
from sgguard.engine.bulk.look import settle
from sgguard.engine.bulk.pool import Hunt, Pool
from sgguard.engine.bulk.refusal import Refused, after_refusal
from sgguard.engine.bulk.run import AT_ONCE, FIRST_LOOK_S, BulkRun, Line, UnderWay, over, wait
from sgguard.errors import DeadlineError, SgguardError
from sgguard.model.bind import Batch, HolderState, RowCode, Sent
from sgguard.model.sentence import as_sentence, said
from sgguard.store import codec
from sgguard.store.rows import Entry
from sgguard.wire.parallel import Begun
from sgguard.wire.workers import TakenBackError

_REACHED = result("nothing", RowCode.REACHED, said("row.reached-meanwhile"))

Set = tuple[Pool, Hunt | None, tuple[str, ...]]
"""The holders of one call, their pool, and the hunt that they belong to."""


def next_sets(run: BulkRun) -> list[Set]:
    """Return the sets of the next calls, as many as may begin now."""
    most = (1 if run.is_filling else AT_ONCE) - sum(one.is_set for one in run.under_way)
    found: list[Set] = []
    for pool in run.pools.values():
        for hunt in [one for one in pool.hunts if not one.is_sent]:
            if not hunt.next():
                pool.hunts.remove(hunt)
                if not hunt.suspects:
                    continue  # the last one was taken, when it was tried by itself
                after_refusal(run, Refused(pool, None, hunt.suspects, hunt.why))
            elif len(found) < most:
                hunt.is_sent = True
                found.append((pool, hunt, hunt.tried))
        while len(found) < most and (batch := pool.fresh()):
            found.append((pool, None, batch))
    return found


def begin(run: BulkRun, sets: Sequence[Set]) -> None:
    """Intend the sets, and begin to send them side by side.

    Raises:
        DeadlineError: this worker was paused; nothing of them was sent.
        HaltedError, StoreError: they could not be intended.
    """
    worker = run.worker
    # 1. All lines in one transaction: what is not written is not sent.
    entries = []
    for _, _, holders in sets:
        change = codec.dump(Batch(run.plan.action, run.plan.group_id, holders))
        entries.append(Entry(worker.claim.decision_id, run.number, run.number, change))
        run.number += 1
    begun_s = worker.now()
    worker.store.intend(worker.claim, tuple(entries), worker.lease_s)
    if worker.now() - begun_s >= worker.lease_s:
        raise DeadlineError("this worker was paused for longer than its lease: nothing was sent")
    # 2. The calls.
    for one, entry in zip(sets, entries, strict=True):
        call, written = Begun(partial(_try, run, one[1], one[2])), replace(entry, at_s=begun_s)
        run.under_way.append(UnderWay(call.is_over, partial(_ended, run, one, written, call)))


def take(run: BulkRun) -> None:
    """Note what came of the calls that are over; where none is, wait for the one sent first.

    A look is waited for only where no set is under way: others may begin meanwhile.

    Raises:
        SgguardError: what ends the run for now.
    """
    ended = [one for one in run.under_way if one.is_over()]
    if not ended:
        ended = [next((one for one in run.under_way if one.is_set), run.under_way[0])]
    for one in ended:
        one.note()
        run.under_way.remove(one)
    settle(run)


def take_all(run: BulkRun) -> None:
    """Wait for every call that was begun, and note what came of each, as far as it can be noted."""
    run.is_ending = True
    while run.under_way:
        # A call that this thread made itself, and that was interrupted, is left as intended.
        with suppress(SgguardError, TakenBackError):
            run.under_way[0].note()
        run.under_way.pop(0)
    with suppress(SgguardError):
        settle(run)


class _Try(msgspec.Struct, frozen=True):
    """What came of one set: who was sent, who was not and what was seen of them, and the answer.

    ``how`` is None where nobody was left to be sent.
    """

    sent: tuple[str, ...]
    left_out: Mapping[str, HolderState | None]
    how: Sent | SgguardError | None


def _ended(run: BulkRun, one: Set, entry: Entry, call: Begun[_Try]) -> None:
    """Note what came of the call of a set."""
    pool, hunt, holders = one
    done = call.result()
    line = Line(entry, set(holders), entry.at_s, due_s=run.clock() + FIRST_LOOK_S)
    _note(run, pool, hunt, line, done)
    (run.lines if line.pending else run.over).append(line)


def _try(run: BulkRun, hunt: Hunt | None, holders: tuple[str, ...]) -> _Try:
    """Read a set once more and send those of it that are still to be changed."""
    left_out: dict[str, HolderState | None] = {}
    try:
        if hunt is None and not run.worker.bulk.looks_first:
            seen = run.worker.bulk.read(holders).value
            # One that could not be read is sent: the call itself tells.
            left_out = {
                one: seen[one] for one in holders if one in seen and not _is_due(run, seen[one])
            }
        kept = tuple(one for one in holders if one not in left_out)
        if not kept:
            return _Try((), left_out, None)
        some = [run.targets[one] for one in kept]
        return _Try(kept, left_out, run.worker.bulk.send(run.plan.action, run.plan.group_id, some))
    except SgguardError as error:
        return _Try(tuple(one for one in holders if one not in left_out), left_out, error)


def _is_due(run: BulkRun, state: HolderState | None) -> bool:
    """Whether a holder is to be changed now."""
    if state is None or state.refusal or state.is_reached(run.plan.action, run.plan.group_id):
        return False
    return run.plan.action == "bind" or not _is_last(run, state)


def _is_last(run: BulkRun, state: HolderState) -> bool:
    return any(part.group_ids == (run.plan.group_id,) for part in state.parts)


def _note(run: BulkRun, pool: Pool, hunt: Hunt | None, line: Line, one: _Try) -> None:
    """Note what came of one set, holder by holder."""
    for holder_id, state in one.left_out.items():
        _left_out(run, line, holder_id, state)
    if one.how is None:
        return
    if isinstance(one.how, DeadlineError):
        _unsent(run, pool, hunt, line, one)
        return
    pool.calls += 1
    if isinstance(one.how, Sent):
        _accepted(run, line, one.how)
        pool.accepted += len(one.sent)
        run.denied = 0
        if hunt is not None:
            hunt.accepted()
    elif after_refusal(run, Refused(pool, hunt, one.sent, one.how)):
        line.again |= {each for each in one.sent if each not in run.results}
        line.results |= {each: run.results[each] for each in one.sent if each in run.results}
        line.is_refused = run.worker.bulk.meaning(one.how) in ("holder", "later", "denied")
        line.pending.clear()
    else:
        line.is_lost = True


def _unsent(run: BulkRun, pool: Pool, hunt: Hunt | None, line: Line, one: _Try) -> None:
    """Note that there was no time left to send a set: whoever goes on need not look for it."""
    run.is_late = True
    line.again |= set(one.sent)
    line.pending.clear()
    if hunt is not None:
        hunt.is_sent = False
    else:
        pool.put_back(one.sent)


def _left_out(run: BulkRun, line: Line, holder_id: str, state: HolderState | None) -> None:
    """Note why a holder was not sent."""
    if state is None:
        gone = result("refused", RowCode.HOLDER_NOT_FOUND, said("row.not-found"))
        over(run, line, holder_id, gone)
    elif state.is_reached(run.plan.action, run.plan.group_id):
        over(run, line, holder_id, _REACHED)
    elif run.plan.action == "unbind" and _is_last(run, state):
        last = result("refused", RowCode.LAST_GROUP, said("row.last-since"))
        over(run, line, holder_id, last)
    else:
        code = RowCode.BUSY if state.is_passing else RowCode.HOLDER_REFUSES
        line.pending.discard(holder_id)
        line.again.add(holder_id)
        wait(run, holder_id, result("refused", code, as_sentence(state.refusal)), state)


def _accepted(run: BulkRun, line: Line, sent: Sent) -> None:
    """Note the results that a call has at once; the others are looked at."""
    line.request_id = sent.request_id
    for one, error in sent.results.items():
        if one in sent.reached:
            over(run, line, one, _REACHED)
        elif error is None:
            over(run, line, one, DONE)
        elif (meaning := run.worker.bulk.meaning(error)) in ("later", "throttled"):
            wait(run, one, lines.refused(error, RowCode.BUSY), None)
            line.again.add(one)
            line.pending.discard(one)
        elif meaning != "unknown":
            over(run, line, one, lines.refused(error))
