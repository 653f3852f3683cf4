"""The steps of a decision, each one transaction: what belongs together is written together.

A decision's record, run, claim, question and order mark change together or not at all. Every step
holds the decision first (:mod:`~sgguard.store.fence`) and goes where the table of
:mod:`~sgguard.store.transitions` says. ``intend``, ``settle`` and ``turn`` are the
:class:`~sgguard.store.journal.Journal`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from sgguard.store import approvals, audit, claims, fence, journal, locks, transitions
from sgguard.store.claims import require_own
from sgguard.store.database import Session, Tables, transaction
from sgguard.store.rows import Approval, ApprovalState, Claim, Marks, Record, Run, RunState

_ASKED = """
INSERT INTO sgguard_runs (decision_id, source, event_id, plan_json, snapshot_json, keys_json,
    shared_json, state, direction, fence, holder, lease_until_s, lease_s, note, begun_at_s)
VALUES (:decision_id, :source, :event_id, '', '', '[]', '[]', 'asked', 'forward', :fence, '',
    :now, 0, '', :now)
ON CONFLICT (decision_id) DO UPDATE SET begun_at_s = excluded.begun_at_s
WHERE sgguard_runs.state = 'asked' AND sgguard_runs.fence = excluded.fence
"""
_REFUSE = """
UPDATE sgguard_runs SET state = 'refused', ended_at_s = :now, fence = fence + 1, holder = ''
WHERE decision_id = :decision_id AND state = 'asked'
"""
_STATE = "SELECT state FROM sgguard_runs WHERE decision_id = :decision_id FOR UPDATE"


class Answer(msgspec.Struct, frozen=True):
    """What a step keeps of its decision: the record, and what the event is answered with."""

    record: Record
    text: str


class Steps(Tables):
    """Steps of decisions."""

    @transaction
    def ask_for(
        self,
        session: Session,
        claim: Claim,
        approval: Approval,
        answer: Answer,
        marks: Marks | None = None,
    ) -> None:
        """Ask for an approval, keep the decision as pending, and answer the event.

        Raises:
            LateError: a newer event about the same was decided before.
        """
        held = fence.hold(session, claim)
        fence.move(session, claim, "ask", held.status)
        written = session.send(
            _ASKED,
            decision_id=claim.decision_id,
            source=claim.source,
            event_id=claim.event_id,
            fence=claim.run_fence,
        )
        require_answered = _answer(session, claim, answer, marks)
        if not written.count():
            raise fence.lost(claim)
        require_answered()
        audit.keep(session, answer.record)
        approvals.put(session, approval)
        fence.let_go(session, claim)

    @transaction
    def begin_run(
        self,
        session: Session,
        claim: Claim,
        run: Run,
        record: Record | None = None,
        *,
        approval_id: str = "",
        by: str = "",
        marks: Marks | None = None,
    ) -> bool:
        """Begin a run before its first change: lock its keys, keep the decision as unfinished.

        Its keys are locked (again): from here on they stay so until the run is resolved. A second
        time changes nothing. With ``approval_id`` its request becomes approved; False, and nothing
        is begun, where it was resolved otherwise meanwhile.

        Raises:
            BusyError: another decision has one of the keys, or had it since they were locked.
            LateError: a newer event about the same was decided before.
        """
        require_own(claim, run.decision_id)
        held = fence.hold(session, claim)
        audit.note(session, marks)()
        if approval_id and not approvals.settle(session, approval_id, "approved", by):
            found = approvals.read(session, approval_id)
            if found is None or found.state != "approved":
                return False
        if not approval_id and held.status == transitions.ASKED:
            approvals.supersede(session, claim.decision_id)  # nobody needs to say yes any more
        if record is not None:
            require_own(claim, record.decision_id)
            transitions.after("begin", held.status)
            audit.keep(session, record)
            # What was judged under locks is begun only if none of them ended since.
            locks.require(session, claim.decision_id, run.keys, run.shared)
        journal.begin(session, claim, run, held)
        return True

    @transaction
    def end(
        self,
        session: Session,
        claim: Claim,
        answer: Answer,
        *,
        run_state: RunState | None = None,
        note: str = "",
        marks: Marks | None = None,
        resolved: Iterable[tuple[str, ApprovalState, str]] = (),
    ) -> None:
        """End a decision, and its run where it has one: keep the decision and answer the event.

        ``resolved`` are requests that are settled with it: id, state and by whom.

        Raises:
            LateError: a newer event about the same was decided before.
        """
        hold = fence.hold_answering(session, claim)
        require_answered = _answer(session, claim, answer, marks)
        held = hold()
        require_answered()
        is_new = held.status.state is None and not claim.is_again
        audit.keep(session, answer.record, is_new=is_new)
        for approval_id, state, by in resolved:
            approvals.settle(session, approval_id, state, by)
        if run_state is None:
            fence.move(session, claim, "decide", held.status)
        else:
            journal.close(session, claim, held.status, run_state, note)
        if run_state is None:
            claims.free_unless_unresolved(session, claim, held.status.state)
        if held.status.state is not None:
            fence.let_go(session, claim)

    @transaction
    def refuse(
        self, session: Session, approval_id: str, state: ApprovalState, by: str, record: Record
    ) -> bool:
        """Settle a request as denied or expired, and its decision with it.

        It needs no claim: a denial that comes while a worker still reads the world wins, for that
        worker loses the decision. False, and nothing is written, where the request is settled
        already or its plan was begun.
        """
        run = session.rows(_STATE, decision_id=record.decision_id)
        if run and run[0][0] != "asked":
            return False
        if not approvals.settle(session, approval_id, state, by):
            return False
        _close_asked(session, record)
        return True

    @transaction
    def tell(
        self,
        session: Session,
        claim: Claim,
        text: str,
        *,
        expired: Iterable[str] = (),
        reminded: Iterable[str] = (),
    ) -> None:
        """Answer an event that lists approval requests, and note that they were told."""
        fence.hold(session, claim)
        claims.require_answered(claim, claims.send_answer(session, claim, text))
        approvals.note_told(session, expired, reminded)

    @transaction
    def lapse(self, session: Session, approval_id: str, record: Record) -> bool:
        """End a decision whose request was settled and whose plan was not begun.

        False, and nothing is written, where it was begun or is pending.
        """
        run = session.rows(_STATE, decision_id=record.decision_id)
        found = approvals.read(session, approval_id)
        if (run and run[0][0] != "asked") or found is None or found.state == "pending":
            return False
        _close_asked(session, record)
        return True


def _close_asked(session: Session, record: Record) -> None:
    """Close a decision that is only asked about; whoever has it loses it, and its locks."""
    if session.count(_REFUSE, decision_id=record.decision_id):
        locks.free(session, record.decision_id)
    audit.keep(session, record)


def _answer(
    session: Session, claim: Claim, answer: Answer, marks: Marks | None
) -> Callable[[], None]:
    """Answer an event that is the newest; what is called insists that it is so."""
    require_own(claim, answer.record.decision_id)
    answered = claims.send_answer(session, claim, answer.text)
    require_newest = audit.note(session, marks)

    def require() -> None:
        claims.require_answered(claim, answered)
        require_newest()

    return require
