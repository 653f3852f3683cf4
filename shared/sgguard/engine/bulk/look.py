"""Looking at what was sent until it is over, and writing that down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.engine.bulk import line as lines
from sgguard.engine.bulk.line import DONE, result
from sgguard.engine.bulk.run import (
    LINES_IN_A_LOOK,
    LONGEST_CHANGE_S,
    LONGEST_LOOK_S,
    LOOKS,
    LOOKS_FOR_LOST,
    SENDS,
    BulkRun,
    Line,
    UnderWay,
    over,
    pool_of,
)
from sgguard.model.bind import HolderState, RowCode
from sgguard.model.sentence import said
from sgguard.store.rows import Settled
from sgguard.wire.parallel import Begun

_ENDLESS = said("row.endless", minutes=round(LONGEST_CHANGE_S / 60))


def due_lines(run: BulkRun, *, is_idle: bool) -> list[Line]:
    """Return the lines to look at now; where nothing else is to be done, at least one.

    While others are sent they are few: a look must not keep the next sets waiting for their reads.
    """
    now_s = run.clock()
    due = sorted((one for one in run.lines if one.due_s <= now_s), key=lambda one: one.due_s)
    if is_idle:
        return due or list(run.lines)
    return due[:LINES_IN_A_LOOK]


def begin_look(run: BulkRun) -> None:
    """Begin to read the holders of the lines that are due, unless that is under way already."""
    due = due_lines(run, is_idle=False)
    if run.is_looking or not due:
        return
    run.is_looking = True
    call = Begun(partial(run.worker.bulk.read, _pending_in(due)))

    def note() -> None:
        run.is_looking = False
        _seen(run, due, call.result().value, is_idle=False)

    run.under_way.append(UnderWay(call.is_over, note, is_set=False))


def look(run: BulkRun) -> None:
    """Read the holders that are being changed, while nothing else is to be done."""
    due = due_lines(run, is_idle=True)
    _seen(run, due, run.worker.bulk.read(_pending_in(due)).value, is_idle=True)
    settle(run)


def _pending_in(due: Sequence[Line]) -> list[str]:
    return [one for line in due for one in sorted(line.pending)]


def _seen(
    run: BulkRun, due: Sequence[Line], seen: Mapping[str, HolderState | None], *, is_idle: bool
) -> None:
    """Note what was read of these lines' holders.

    Only looks that were waited for (``is_idle``) count as looks in vain.
    """
    for line in due:
        line.looks += is_idle
        line.wait_s = min(2 * line.wait_s, LONGEST_LOOK_S)
        line.due_s = run.clock() + line.wait_s
        for one in sorted(line.pending):
            if one in seen:
                _look_at(run, line, one, seen[one])
    run.over += [line for line in run.lines if not line.pending]
    run.lines = [line for line in run.lines if line.pending]


def _look_at(run: BulkRun, line: Line, holder_id: str, state: HolderState | None) -> None:
    """Note what a read says about one holder whose change was sent."""
    if state is None:
        gone = result("refused", RowCode.HOLDER_NOT_FOUND, said("row.not-found"))
        over(run, line, holder_id, gone)
    elif state.is_passing:
        if run.worker.now() - line.begun_s > LONGEST_CHANGE_S:
            over(run, line, holder_id, result("refused", RowCode.BUSY, _ENDLESS))
    elif state.is_reached(run.plan.action, run.plan.group_id):
        over(run, line, holder_id, replace(DONE, request_id=line.request_id))
    elif not line.is_lost and state.last_request_id in ("", line.request_id) and state.failure:
        failed = result(
            "refused",
            RowCode.REFUSED_BY_CLOUD,
            said("row.failed-later"),
            cloud_code=state.failure,
            request_id=line.request_id,
        )
        over(run, line, holder_id, failed)
    elif not line.is_lost and state.last_request_id == line.request_id != "":
        back = result("refused", RowCode.CHANGED_SINCE, said("row.changed-back"))
        over(run, line, holder_id, back)
    elif line.looks >= (LOOKS_FOR_LOST if line.is_lost else LOOKS):
        _again(run, line, holder_id)


def _again(run: BulkRun, line: Line, holder_id: str) -> None:
    """Send a holder once more whose change was lost or never showed."""
    run.sends[holder_id] = run.sends.get(holder_id, 0) + 1
    if run.sends[holder_id] >= SENDS:
        never = said("row.never-shown", times=SENDS)
        code = RowCode.REFUSED_BY_CLOUD
        over(run, line, holder_id, result("refused", code, never, request_id=line.request_id))
        return
    line.pending.discard(holder_id)
    line.again.add(holder_id)
    line.lost.add(holder_id)
    pool_of(run, holder_id).add([holder_id])


def settle(run: BulkRun) -> None:
    """Write what came of the lines that are over, in one transaction."""
    if not run.over:
        return
    settled = []
    for line in run.over:
        # Who became busy since the last of them; no line has those that were found by exclusion.
        busy, run.busy = run.busy, set()
        note = lines.note_of(
            line.results,
            line.again,
            line.request_id,
            busy=busy,
            lost=line.lost,
            is_refused=line.is_refused,
        )
        settled.append(Settled(line.entry, lines.state_of(line.results), note=note))
    run.worker.store.settle(run.worker.claim, tuple(settled))
    run.over = []
    run.report()
