"""What becomes of a decision: kept, put before an approver, carried out, resumed.

The way of a decision that changes something: :meth:`Executor.act` (or an approval) →
:meth:`Executor.look`: lock what the plan touches, and judge once more → :meth:`Executor.enforce`:
keep the decision as unfinished and begin the run, carry the plan out, end the run with the final
document and the answer. A process may die between any two steps; each step is one transaction. The
next delivery, approval or resume finds the run, and :meth:`Executor.resume` continues it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sgguard import lazy
from sgguard.engine import concern, report
from sgguard.engine.concern import in_turn, plan_of
from sgguard.engine.context import connect
from sgguard.engine.decide import Decided
from sgguard.engine.keeper import APPROVAL_SOURCE, LEASE_S, Keeper
from sgguard.engine.retention import tidy
from sgguard.engine.waiting import waiting
from sgguard.errors import (
    DeadlineError,
    EventError,
    HaltedError,
    LateError,
    SgguardError,
    StoreError,
)
from sgguard.model.codes import Mode, Outcome
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.sentence import Sentence, Text, said, together
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan
from sgguard.render.document import to_json
from sgguard.render.kept import notes_kept, to_keep
from sgguard.render.language.refusal import refusal
from sgguard.render.outcome import notes_of, with_outcome
from sgguard.store import codec
from sgguard.store.rows import Approval, Claim, Marks, Record, Run, RunState

if TYPE_CHECKING:
    from sgguard.engine import binder, recheck, untouched
    from sgguard.remedy import apply, attempt, covered, prepare, snapshot
    from sgguard.remedy.prepare import Prepared
else:
    binder = lazy("sgguard.engine.binder")  # most plans are no binds
    # Most verdicts carry out nothing.
    recheck = lazy("sgguard.engine.recheck")
    untouched = lazy("sgguard.engine.untouched")
    apply = lazy("sgguard.remedy.apply")
    attempt = lazy("sgguard.remedy.attempt")
    covered = lazy("sgguard.remedy.covered")
    prepare = lazy("sgguard.remedy.prepare")
    snapshot = lazy("sgguard.remedy.snapshot")

Json = dict[str, Any]
Request = DeleteRequest | LaunchRequest
S = TypeVar("S")
Again: TypeAlias = "Callable[[Run, Record, Prepared], Sentence | None]"

__all__ = ["APPROVAL_SOURCE", "LEASE_S", "Executor", "in_turn", "plan_of"]

_OUTCOMES: dict[RunState, Outcome] = {
    "finished": Outcome.REMEDIATED,
    "undone": Outcome.UNDONE,
    "stuck": Outcome.PARTLY_UNDONE,
    "accepted": Outcome.ACCEPTED,
}


def _accept_any(decided: Decided) -> Decided:
    """Require nothing of a plan."""
    return decided


class Executor(Keeper, frozen=True):
    """Carries out the decisions of one delivery, as one worker (``owner``) of the store."""

    # -- a fresh decision ------------------------------------------------------------------

    def act(
        self,
        claim: Claim,
        request: Request,
        at_s: float | None,
        decided: Decided,
        *,
        require: Callable[[Decided], Decided] = _accept_any,
        locked: frozenset[str] = frozenset(),
    ) -> Json:
        """Do what mode and policy say about a decision, keep it, and return its document.

        ``require`` raises where a plan is not the one that is wanted, right before it is begun, or
        returns it with what a person was shown.
        ``locked`` are keys that the decision had locked before it was judged.

        Raises:
            SgguardError: it could not be done, or not to its end; the claim is released.
        """
        decision = decided.decision
        try:
            try:
                may_begin = decided.prepared and decision.mode is Mode.ENFORCE
                if may_begin and not self.stopped():
                    # What is carried out is judged on facts that were read under its locks.
                    ids = (decision.event_id, claim.decision_id)
                    again = partial(concern.judge_again, request, self.context, ids, decided)
                    decided = self.look(claim, decided, plan_of, again, locked)
                    decided = require(decided)
                return self._act(claim, request, concern.marks(request, at_s), decided)
            except LateError:
                late = with_outcome(to_json(decision), Outcome.SUPERSEDED, said("note.late"))
                return self.end(claim, late, request.requested_by)
        except SgguardError as error:
            # Out of time under the locks: the next delivery goes on from there.
            self.release(claim, keeps_locks=isinstance(error, DeadlineError))
            raise

    def _act(self, claim: Claim, request: Request, marks: Marks | None, decided: Decided) -> Json:
        document, requester = to_json(decided.decision), request.requested_by
        if decided.prepared is None or decided.decision.mode is Mode.OBSERVE:
            return self.end(claim, document, requester, marks=marks)
        if halted := self.halted():
            document = with_outcome(document, Outcome.HALTED, halted)
            return self.end(claim, document, requester, marks=marks)
        if decided.decision.mode is Mode.APPROVE:
            return self.ask(claim, request, decided, document, marks=marks)
        return self.enforce(
            claim, decided.cloud, decided.prepared, document, requester, marks=marks
        )

    def ask(
        self,
        claim: Claim,
        request: Request,
        decided: Decided,
        document: Json,
        *,
        requester: str = "",
        is_changed: bool = False,
        marks: Marks | None = None,
    ) -> Json:
        """Open an approval request for the plan, in place of an earlier one of the decision.

        The decision is kept with it and the event answered, in one step. ``requester`` is who
        asked first, where this is not the first request; ``is_changed`` says that the facts are
        others than those of the request before.
        """
        approval = Approval(
            approval_id=self.context.new_id(),
            decision_id=claim.decision_id,
            target=decided.decision.target,
            requester=request.requested_by,
            facts_hash=covered.covered(decided.cloud, decided.decision.facts, decided.prepared),
            request_json=codec.stamped(request),
            summary="; ".join(step.summary for step in decided.decision.judgement.plan),
            expires_at_s=self.store.now_s() + self.context.policy.approval.expires_s,
        )
        note = waiting(approval.approval_id, is_changed=is_changed)
        pending = with_outcome(document, Outcome.PENDING, note, approval=approval)
        answer = self.answer(claim, pending, requester or request.requested_by)
        self.store.ask_for(claim, approval, answer, marks)
        tidy(self.store, self.context)
        return pending

    def enforce(
        self,
        claim: Claim,
        cloud: Cloud,
        prepared: Prepared,
        document: Json,
        requester: str,
        *,
        approved: tuple[str, str] = ("", ""),
        notes: Sequence[Text] = (),
        marks: Marks | None = None,
    ) -> Json:
        """Carry a plan out from its beginning to its end; return the document that is kept.

        Its keys are locked by :meth:`look`. ``approved`` is the id of the approval request that is
        approved with it, and by whom. ``notes`` are kept with the decision until its end.

        Raises:
            BusyError: another decision is being carried out on a group or holder of the plan.
            EventError: the approval request was resolved otherwise meanwhile.
            SgguardError: as :func:`~sgguard.remedy.apply.carry_out`; the run stays open.
        """
        run = Run(
            decision_id=claim.decision_id,
            source=claim.source,
            event_id=claim.event_id,
            plan_json=codec.stamped(prepared.plan),
            snapshot_json=codec.stamped(prepared.snapshot),
            keys=prepared.plan.keys(),
            shared=prepared.plan.pointed_to(),
        )
        # 1. Decision, plan and snapshot are kept before the first change: a later worker needs
        #    them. The approval request is used up with it, or nothing is begun.
        document = with_outcome(document, Outcome.UNFINISHED, notes)
        approval_id, by = approved
        record = self.answer(claim, document, requester).record
        if not self.store.begin_run(
            claim, run, record, approval_id=approval_id, by=by, marks=marks
        ):
            raise refusal(EventError, said("approval.meanwhile"), status=409)
        # 2. Change the cloud, each change written to the journal before and after.
        return self._carry_out(claim, cloud, prepared, (document, requester))

    # -- a decision that was begun ---------------------------------------------------------

    def resume(
        self, claim: Claim, *, asked: Request | None = None, again: Again | None = None
    ) -> Json:
        """Finish or undo what an earlier worker began for this event; end the claim.

        What has changed nothing so far is looked at first: what is ``asked``, or kept of that, is
        judged again (:mod:`sgguard.engine.untouched`), or ``again`` says why it must not go on.

        Raises:
            SgguardError: it could not be done to its end; the claim is released.
        """
        run, record = self.store.run(claim.decision_id), self.store.decision(claim.decision_id)
        if run is None or record is None:
            raise StoreError(f"nothing is kept of decision {claim.decision_id}")
        document: Json = json.loads(record.document_json)
        try:
            if run.state not in ("open", "stuck"):
                ended = apply.RunResult(_OUTCOMES[run.state], left=notes_kept(run.note))
                return self._ended(claim, document, record.requester, ended, is_closed=True)
            if halted := self.halted():
                unfinished = said("decision.unfinished", why=halted, decision=claim.decision_id)
                raise refusal(HaltedError, unfinished)
            if document["guard"] == "bind":
                return binder.of_keeper(self).resume(claim, run, document, record.requester)
            plan, kept = run.plan_json, codec.load(snapshot.Snapshot, run.snapshot_json)
            prepared = prepare.Prepared(codec.load(Plan, plan), kept)
            cloud = connect(prepared.plan.scope, self.context)
            if again is None and document["guard"] != "restore":
                again = partial(untouched.against, self, asked=asked)
            begun = (run, partial(again, run, record, prepared) if again else None)
            return self._carry_out(claim, cloud, prepared, (document, record.requester), begun)
        except SgguardError:
            self.release(claim)
            raise

    def _carry_out(
        self,
        claim: Claim,
        cloud: Cloud,
        prepared: Prepared,
        kept: tuple[Json, str],
        begun: tuple[Run, Callable[[], Sentence | None] | None] | None = None,
    ) -> Json:
        """Carry the plan out, from where it is; end it. ``kept``: its document, and who asked.

        ``begun`` is what an earlier worker began: its run, and how it is looked at first.
        """
        run, second_look = begun or (None, None)
        worker = attempt.Worker(
            cloud,
            self.store,
            claim,
            self.context.deadline.also_on(self.context.now),
            partial(recheck.remaining_blockers, cloud, prepared, self.context),
            prepared.snapshot,
            lease_s=self.lease_s,
            now=self.context.now,
            sleep=self.context.retry.sleep,
            second_look=second_look,
        )
        is_undoing = run is not None and run.direction == "undoing"
        why = together(notes_kept(run.note)) if run is not None and run.state == "open" else ""
        ended = apply.carry_out(worker, prepared.plan, is_undoing=is_undoing, why=why)
        return self._ended(claim, *kept, ended)

    def _ended(
        self,
        claim: Claim,
        document: Json,
        requester: str,
        ended: apply.RunResult,
        *,
        is_closed: bool = False,
    ) -> Json:
        """End the run and the decision, in one step."""
        # What is to be said in any case was kept when it began.
        before = notes_of(document) if document["outcome"] == Outcome.UNFINISHED else ()
        document = with_outcome(
            document,
            ended.outcome,
            (ended.note, *ended.left, *before),
            journal=self.store.entries(claim.decision_id),
        )
        report.carried_out(claim, document, ended.outcome, document["note"])
        state = None if is_closed else ended.state
        return self.end(claim, document, requester, run_state=state, note=to_keep(*ended.notes))
