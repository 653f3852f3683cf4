"""Who carries out a bind, by mode: kept before the first change, ended with a row for each holder.

The way is that of every decision (:mod:`sgguard.engine.execute`). What is different: no holder's
refusal undoes the others, and the plan is carried out in batches (:mod:`sgguard.engine.bulk`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard import providers
from sgguard.engine import bind_rest, bind_target, bind_untouched, bulk
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.bulk import BulkWorker
from sgguard.engine.context import connect
from sgguard.engine.keeper import Keeper
from sgguard.engine.waiting import waiting
from sgguard.errors import DeadlineError, EventError, SgguardError
from sgguard.model.bind import BindPlan
from sgguard.model.codes import Mode, Outcome
from sgguard.model.request import BindRequest
from sgguard.model.sentence import Sentence, said
from sgguard.providers import Bulk
from sgguard.render import bind as render
from sgguard.render.kept import to_keep
from sgguard.render.language.refusal import refusal
from sgguard.render.outcome import notes_of, with_outcome
from sgguard.store import codec
from sgguard.store.rows import Approval, Claim, Run
from sgguard.telemetry import logs

Json = dict[str, Any]
Report = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """Report to nobody."""


class Binder(Keeper, frozen=True, kw_only=True):
    """Carries out binds, as one worker of the store; ``report`` gets how many holders are over.

    With ``hands_on`` a run does not wait for whoever began it: see :mod:`sgguard.engine.bind_rest`.
    """

    report: Report = silent
    hands_on: bool = False

    # -- a fresh decision --------------------------------------------------------------------

    def act(
        self,
        claim: Claim,
        request: BindRequest,
        decided: BindDecided,
        again: Callable[[], BindDecided],
        require: Callable[[BindDecided], None],
    ) -> Json:
        """Do what mode and policy say about a decision, keep it, and return its document.

        ``require`` raises where a plan is not the one that is wanted, right before it is begun.

        Raises:
            SgguardError: it could not be done, or not to its end; the claim is released.
        """
        try:
            require(decided)
            if decided.may_begin and not self.stopped():
                # What is carried out is judged on facts that were read under its locks.
                locked = self.locked(claim)
                decided = self.look(claim, decided, lambda one: one.plan, again, locked)
                require(decided)
            return self._act(claim, request, decided)
        except SgguardError as error:
            # Out of time under the locks: the next delivery goes on from there.
            is_late = isinstance(error, DeadlineError)
            self.release(claim, keeps_locks=is_late)
            if is_late and self.hands_on and (found := bind_rest.hand_on(self, claim)):
                return found
            raise
        except KeyboardInterrupt:
            if self.store.run(claim.decision_id) is None:
                self.release(claim)
            raise

    def _act(self, claim: Claim, request: BindRequest, decided: BindDecided) -> Json:
        document, by = decided.document, request.requested_by
        if decided.plan is None or decided.mode is Mode.OBSERVE:
            return self.end(claim, document, by)
        if halted := self.halted():
            return self.end(claim, with_outcome(document, Outcome.HALTED, halted), by)
        if decided.mode is Mode.APPROVE:
            return self.ask(claim, request, decided)
        return self.enforce(claim, decided, by)

    def ask(
        self,
        claim: Claim,
        request: BindRequest,
        decided: BindDecided,
        *,
        requester: str = "",
        is_changed: bool = False,
    ) -> Json:
        """Open an approval request that shows the counts and lists every holder."""
        requester = requester or request.requested_by
        approval = Approval(
            approval_id=self.context.new_id(),
            decision_id=claim.decision_id,
            target=(str(request.address),),
            requester=request.requested_by,
            facts_hash=decided.covered,
            request_json=codec.stamped(request),
            summary=render.summary_of(request.action, request.group_id, decided.rows),
            expires_at_s=self.store.now_s() + self.context.policy.approval.expires_s,
        )
        note = waiting(approval.approval_id, is_changed=is_changed)
        pending = with_outcome(decided.document, Outcome.PENDING, note, approval=approval)
        self.store.ask_for(claim, approval, self.answer(claim, pending, requester), None)
        return pending

    def enforce(
        self,
        claim: Claim,
        decided: BindDecided,
        requester: str,
        *,
        approved: tuple[str, str] = ("", ""),
        document: Json | None = None,
    ) -> Json:
        """Carry a plan out from its beginning to its end; its keys are locked.

        Raises:
            BusyError: another decision is being carried out on the group or a holder.
            EventError: the approval request was resolved otherwise meanwhile.
            SgguardError: as :func:`~sgguard.engine.bulk.carry_out`; the run stays open.
        """
        plan = decided.plan
        if plan is None:
            raise AssertionError("there is a plan to carry out")
        run = Run(
            decision_id=claim.decision_id,
            source=claim.source,
            event_id=claim.event_id,
            plan_json=codec.stamped(plan),
            snapshot_json=bind_untouched.kept_yes("" if approved[0] else decided.covered),
            keys=plan.keys(),
            shared=plan.pointed_to(),
        )
        begun = with_outcome(document or decided.document, Outcome.UNFINISHED)
        record = self.answer(claim, begun, requester).record
        if self.hands_on:
            missed = bind_rest.notice(claim.decision_id, self.lease_s)
            told = replace(record.telling, notices=(*record.telling.notices, missed))
            record = replace(record, telling=told)
        approval_id, by = approved
        if not self.store.begin_run(claim, run, record, approval_id=approval_id, by=by):
            raise refusal(EventError, said("approval.meanwhile"), status=409)
        return self.carry_out(claim, plan, decided.bulk, (begun, requester))

    # -- a decision that was begun -------------------------------------------------------------

    def resume(self, claim: Claim, run: Run, document: Json, requester: str) -> Json:
        """Go on with a run where its journal ends, and end it.

        One that has changed nothing is looked at first (:mod:`sgguard.engine.bind_untouched`).

        Raises:
            SgguardError: it could not be done to its end.
        """
        plan = codec.load(BindPlan, run.plan_json)
        many = providers.bulk(connect(plan.scope, replace(self.context, is_bulk=True)))
        again = partial(bind_untouched.against, self, run, plan)
        try:
            return self.carry_out(claim, plan, many, (document, requester), again)
        except bulk.AgainstError as error:
            document = {**document, "bind": bind_rest.with_results(document, error.results)}
            ended = with_outcome(document, Outcome.UNCHANGED, error.why)
            return self._end_run(claim, ended, requester)

    def carry_out(
        self,
        claim: Claim,
        plan: BindPlan,
        many: Bulk,
        kept: tuple[Json, str],
        second_look: Callable[[], Sentence | None] | None = None,
    ) -> Json:
        """Carry the plan out from where it is; end run and decision with a row for each holder."""
        document, requester = kept
        worker = BulkWorker(
            many,
            self.store,
            claim,
            self.context.deadline,
            lease_s=self.lease_s,
            **self._told_and_left(claim, plan),
            now=self.context.now,
            sleep=self.context.retry.sleep,
            second_look=second_look,
        )
        try:
            results = bulk.carry_out(worker, plan)
        except bulk.StoppedError:
            self.release(claim)  # whoever resumes it need not wait for a lease
            raise
        part = bind_rest.with_results(document, results)
        done = part["counts"]["done"]
        note = _note(plan, part)
        document = with_outcome(
            {**document, "bind": part},
            Outcome.REMEDIATED if done else Outcome.UNCHANGED,
            note,
            journal=self.store.entries(claim.decision_id),
        )
        logs.log(
            logging.INFO,
            "carried out",
            event_id=claim.event_id,
            decision_id=claim.decision_id,
            outcome=document["outcome"],
            detail=document["note"],
        )
        return self._end_run(claim, document, requester)

    def _end_run(self, claim: Claim, document: Json, requester: str) -> Json:
        ended = self.end(
            claim, document, requester, run_state="finished", note=to_keep(*notes_of(document))
        )
        bind_rest.ended(self, claim.decision_id)
        return ended

    def _told_and_left(self, claim: Claim, plan: BindPlan) -> dict[str, Any]:
        """Return whom a run tells how far it is, and how much time it leaves."""
        if not self.hands_on:
            return {"report": self.report}
        target, group = bind_target.of_context(self.context), f"{plan.scope}:{plan.group_id}"
        progress = bind_target.Progress(self.context, claim.decision_id, group, target, self.report)
        return {"report": progress, "reserve_s": bind_rest.RESERVE_S}


def _note(plan: BindPlan, part: Json) -> Sentence:
    counts = part["counts"]
    return said(
        "note.bound" if plan.action == "bind" else "note.unbound",
        done=counts["done"],
        holders=counts["holders"],
        nothing=counts["nothing"],
        refused=counts["refused"],
    )


def of_keeper(keeper: Keeper, report: Report = silent, *, hands_on: bool = False) -> Binder:
    """Return who carries binds out as the same worker of the store."""
    own = (keeper.context, keeper.store, keeper.owner, keeper.lease_s)
    return Binder(*own, report=report, hands_on=hands_on)
