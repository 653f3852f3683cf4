"""What becomes of a decision: kept, put before an approver, carried out, resumed.

The way of a decision that changes something: :meth:`Executor.act` (or an approval) →
:meth:`Executor.enforce`: lock what the plan touches, keep the decision as unfinished, begin the
run → carry the plan out → :meth:`Executor.end`: keep the final document, then finish the claim.
A process may die between any two of these. The claim ends last, so that the next delivery finds
the run and :meth:`Executor.resume` continues it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sgguard import logs
from sgguard.engine.context import Context, connect
from sgguard.engine.decide import Decided
from sgguard.engine.recheck import remaining_blockers
from sgguard.engine.retention import tidy
from sgguard.errors import HaltedError, SettingsError, SgguardError, StoreError
from sgguard.model.codes import Mode, Outcome
from sgguard.model.decision import Decision
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.providers.base import Cloud
from sgguard.remedy.apply import RunResult, carry_out
from sgguard.remedy.attempt import Worker
from sgguard.remedy.plan import Plan
from sgguard.remedy.prepare import Prepared, fingerprint
from sgguard.render.document import to_json
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Approval, Claim, Claimed, Record, Run, RunState

Json = dict[str, Any]

APPROVAL_SOURCE = "approval"
"""The source of the claims under which approved plans are carried out; the id is the approval's."""

LEASE_S = 60.0
"""The shortest lease: a worker writes to its journal more often than this, or it is gone."""

_OUTCOMES: dict[RunState, Outcome] = {
    "finished": Outcome.REMEDIATED,
    "undone": Outcome.UNDONE,
    "stuck": Outcome.PARTLY_UNDONE,
}


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries out the decisions of one delivery, as one worker (``owner``) of the store."""

    context: Context
    store: Store
    owner: str
    lease_s: float = LEASE_S

    @classmethod
    def of(cls, context: Context) -> Executor:
        """Return an executor that is a worker of its own.

        Raises:
            SettingsError: there is no store.
        """
        if context.store is None:
            raise SettingsError("there is no store: set SGGUARD_STORE")
        lease_s = max(LEASE_S, 2 * context.settings.deadline_s)
        return cls(context, context.store, context.new_id(), lease_s)

    # -- claims ----------------------------------------------------------------------------

    def claim(
        self, source: str, event_id: str, decision_id: str, payload_hash: str | None
    ) -> Claimed:
        """Claim one event for this worker."""
        return self.store.claim(
            source,
            event_id,
            owner=self.owner,
            decision_id=decision_id,
            lease_s=self.lease_s,
            payload_hash=payload_hash,
        )

    def release(self, claim: Claim) -> None:
        """Leave the event to the next delivery; a store that fails now only costs a lease."""
        try:
            self.store.release(claim)
        except StoreError as error:
            logs.log(logging.WARNING, "store", event_id=claim.event_id, detail=str(error))

    def is_begun(self, claim: Claim) -> bool:
        """Return whether a worker began to carry out a plan for this event before."""
        return claim.is_again and self.store.run(claim.decision_id) is not None

    # -- a fresh decision ------------------------------------------------------------------

    def act(
        self,
        claim: Claim,
        request: DeleteRequest | LaunchRequest,
        at_s: float | None,
        decided: Decided,
    ) -> Json:
        """Do what mode and policy say about a decision, keep it, and return its document.

        Raises:
            SgguardError: it could not be done, or not to its end; the claim is released.
        """
        decision, prepared = decided.decision, decided.prepared
        document = to_json(decision)
        try:
            if self._is_late(decision, at_s):
                document = with_outcome(document, Outcome.SUPERSEDED, _LATE)
            elif prepared is not None and decision.mode is not Mode.OBSERVE:
                document = self._remedy(claim, request, decided, prepared, document)
            return self.end(claim, document, request.requested_by)
        except SgguardError:
            self.release(claim)
            raise

    def _is_late(self, decision: Decision, at_s: float | None) -> bool:
        if at_s is None:
            return False
        newest = self.store.newest(decision.target, at_s)
        return newest is not None and newest > at_s

    def _remedy(
        self,
        claim: Claim,
        request: DeleteRequest | LaunchRequest,
        decided: Decided,
        prepared: Prepared,
        document: Json,
    ) -> Json:
        if stopped := self.stopped():
            return with_outcome(document, Outcome.HALTED, stopped)
        if decided.decision.mode is Mode.APPROVE:
            return self.ask(claim, request, decided, document)
        return self.enforce(claim, decided.cloud, prepared, document, request.requested_by)

    def stopped(self) -> str:
        """Return who stopped all changes, and why; empty where nothing is stopped."""
        if self.context.policy.halt:
            return "the policy file stops all changes (halt = true)"
        halt = self.store.halted()
        return f"{halt.by} stopped all changes: {halt.reason}" if halt else ""

    def ask(
        self, claim: Claim, request: DeleteRequest | LaunchRequest, decided: Decided, document: Json
    ) -> Json:
        """Open an approval request for the plan, in place of an earlier one of the decision."""
        approval = Approval(
            approval_id=self.context.new_id(),
            decision_id=claim.decision_id,
            target=decided.decision.target,
            requester=request.requested_by,
            facts_hash=fingerprint(decided.decision.facts, decided.prepared),
            request_json=codec.dump(request),
            summary="; ".join(step.summary for step in decided.decision.judgement.plan),
            expires_at_s=self.store.now_s() + self.context.policy.approval.expires_s,
        )
        self.store.ask(approval)
        note = f"waits for an approval: sgguard approvals approve {approval.approval_id}"
        return with_outcome(document, Outcome.PENDING, note, approval=approval)

    def enforce(
        self, claim: Claim, cloud: Cloud, prepared: Prepared, document: Json, requester: str
    ) -> Json:
        """Carry a plan out from its beginning.

        Raises:
            BusyError: another decision is being carried out on a group or holder of the plan.
            SgguardError: as :func:`~sgguard.remedy.apply.carry_out`; the run stays open.
        """
        # 1. Lock every group and holder of the plan: no other decision changes them meanwhile.
        keys = prepared.plan.keys()
        self.store.lock(claim, keys, self.lease_s)
        run = Run(
            decision_id=claim.decision_id,
            source=claim.source,
            event_id=claim.event_id,
            plan_json=codec.dump(prepared.plan),
            snapshot_json=codec.dump(prepared.snapshot),
            keys=keys,
        )
        # 2. Keep decision, plan and snapshot before the first change: a later worker needs them.
        self._keep(claim, with_outcome(document, Outcome.UNFINISHED), requester)
        self.store.begin_run(claim, run)
        # 3. Change the cloud, each change written to the journal before and after.
        return self._carry_out(claim, cloud, prepared.plan, document)

    # -- a decision that was begun ---------------------------------------------------------

    def resume(self, claim: Claim) -> Json:
        """Finish or undo what an earlier worker began for this event; end the claim.

        Raises:
            SgguardError: it could not be done to its end; the claim is released.
        """
        run, record = self.store.run(claim.decision_id), self.store.decision(claim.decision_id)
        if run is None or record is None:
            raise StoreError(f"nothing is kept of decision {claim.decision_id}")
        document: Json = json.loads(record.document_json)
        try:
            if run.state in ("open", "stuck"):
                if stopped := self.stopped():
                    raise HaltedError(f"{stopped}; decision {claim.decision_id} is unfinished")
                plan = codec.load(Plan, run.plan_json)
                document = self._carry_out(claim, connect(plan.scope, self.context), plan, document)
            else:
                document = self._reported(
                    claim, document, RunResult(_OUTCOMES[run.state], run.note)
                )
            return self.end(claim, document, record.requester)
        except SgguardError:
            self.release(claim)
            raise

    def _carry_out(self, claim: Claim, cloud: Cloud, plan: Plan, document: Json) -> Json:
        worker = Worker(
            cloud,
            self.store,
            claim,
            self.context.deadline,
            partial(self._remaining_blockers, cloud, plan),
            lease_s=self.lease_s,
            sleep=self.context.retry.sleep,
        )
        return self._reported(claim, document, carry_out(worker, plan))

    def _reported(self, claim: Claim, document: Json, ended: RunResult) -> Json:
        note = "; ".join(part for part in (ended.note, *ended.left) if part)
        entries = self.store.entries(claim.decision_id)
        logs.log(
            logging.INFO,
            "carried out",
            event_id=claim.event_id,
            decision_id=claim.decision_id,
            outcome=ended.outcome,
            detail=note,
        )
        return with_outcome(document, ended.outcome, note, journal=entries)

    def _remaining_blockers(
        self, cloud: Cloud, plan: Plan, group_ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Return why the groups must not be deleted now."""
        return remaining_blockers(cloud, plan, group_ids, self.context)

    # -- keeping ---------------------------------------------------------------------------

    def end(self, claim: Claim, document: Json, requester: str) -> Json:
        """Keep the document and answer every later delivery of the event with it."""
        self._keep(claim, document, requester)
        self.store.finish(claim, json.dumps(document, ensure_ascii=False))
        tidy(self.store, self.context)
        return document

    def _keep(self, claim: Claim, document: Json, requester: str) -> None:
        # What is carried out on an approval remains the decision of the event that asked.
        first = self.store.decision(claim.decision_id) if claim.source == APPROVAL_SOURCE else None
        self.store.keep(
            Record(
                decision_id=claim.decision_id,
                source=first.source if first else claim.source,
                event_id=first.event_id if first else claim.event_id,
                guard=document["guard"],
                target=tuple(document["target"]),
                requester=requester,
                verdict=document["verdict"],
                mode=document["mode"],
                outcome=document["outcome"],
                document_json=json.dumps(document, ensure_ascii=False),
                approver=(document.get("approval") or {}).get("resolved_by", ""),
            )
        )


_LATE = "a newer event about the same came before this one; nothing was changed"
