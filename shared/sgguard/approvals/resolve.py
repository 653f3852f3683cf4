"""What an approval or a denial does: checked, compared with the world, carried out once.

An approval is processed in these steps:

1. May this person approve it? (:mod:`~sgguard.approvals.approver`)
2. Claim it (source ``approval``, the approval's id): of two approvals at the same moment one is
   processed, and after a crash the next one, or ``sgguard resume``, continues it.
3. Read the world again and make the plan anew; compare facts and plan with those of the request.
4. The same: lock the groups, resolve the request as approved, carry the plan out.
   Different: resolve it as superseded and request approval for the new plan.

A denial needs no claim: the store resolves a request exactly once, and a denial that comes while
an approval still reads the world wins.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Any

from sgguard import logs
from sgguard.approvals.approver import is_expired, known, require_listed, require_other, too_late
from sgguard.approvals.reminders import expire, note_refusal
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.engine.execute import APPROVAL_SOURCE, Executor
from sgguard.errors import (
    BusyError,
    EventError,
    HaltedError,
    SgguardError,
    StoreError,
    UnavailableError,
)
from sgguard.model.codes import Mode, Outcome, ReasonCode
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.remedy.prepare import Prepared, fingerprint
from sgguard.render import document
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.rows import Answered, Approval, Busy, Claim, Record

Json = dict[str, Any]


def approve(approval_id: str, by: str, context: Context) -> Json:
    """Carry out the plan of an approval request, if its facts still hold; return the decision.

    Where they do not, nothing is done: the decision's ``approval`` is then another one, a request
    for the new plan, or None when there is nothing left to approve.

    Raises:
        EventError: 403 they may not approve it; 404 there is no such request; 409 it is resolved
            already; 410 it has expired.
        BusyError: it is being processed, or another decision works on the same groups.
        HaltedError: all changes are stopped, or the mode is ``observe`` now.
        SgguardError: the world could not be read completely, or the plan not carried out to its
            end; approving it again continues.
    """
    executor = Executor.of(context)
    require_listed(by, context.policy.approval)
    approval = known(executor.store, approval_id)
    require_other(by, approval, context.policy.approval)
    return _process(executor, approval, by)


def finish(approval_id: str, context: Context) -> Json:
    """Continue a request that was approved and not carried out to its end: its process died.

    Raises:
        SgguardError: as :func:`approve`.
    """
    executor = Executor.of(context)
    approval = known(executor.store, approval_id)
    if approval.state != "approved":
        raise too_late(approval)
    return _process(executor, approval, approval.resolved_by)


def deny(approval_id: str, by: str, context: Context) -> Json:
    """Deny an approval request; return the decision. No group is changed.

    Raises:
        EventError: 403 they may not deny it; 404 there is no such request; 409 it is resolved
            already; 410 it has expired.
    """
    executor = Executor.of(context)
    require_listed(by, context.policy.approval)
    approval = known(executor.store, approval_id)
    if approval.state == "pending" and is_expired(approval, executor.store.now_s()):
        expire(executor, approval)
    if not executor.store.resolve(approval_id, "denied", by):
        # The process that denied it may have died before it wrote that into the decision.
        note_refusal(executor, approval_id)
        raise _too_late(executor, known(executor.store, approval_id))
    _log("denied", approval, by)
    record = note_refusal(executor, approval_id)
    if record is None:
        raise StoreError(f"decision {approval.decision_id} is not in the store")
    found: Json = json.loads(record.document_json)
    return found


@dataclass(frozen=True, slots=True)
class _ClaimedApproval:
    """An approval in process: its claim, the request as read under the claim, the decision."""

    executor: Executor
    claim: Claim
    approval: Approval
    by: str
    record: Record


def _process(executor: Executor, approval: Approval, by: str) -> Json:
    claim = executor.claim(
        APPROVAL_SOURCE, approval.approval_id, approval.decision_id, approval.facts_hash
    )
    if isinstance(claim, Busy):
        raise _busy(executor, approval, claim.retry_after_s)
    if isinstance(claim, Answered):
        raise _too_late(executor, known(executor.store, approval.approval_id))
    if not isinstance(claim, Claim):
        raise StoreError(f"approval {approval.approval_id} was claimed for other facts")
    try:
        return _resume_or_compare(executor, claim, by)
    except SgguardError:
        executor.release(claim)
        raise


def _busy(executor: Executor, approval: Approval, retry_after_s: float) -> BusyError:
    now = known(executor.store, approval.approval_id)
    who = f"{now.resolved_by} approved this already, and it" if now.resolved_by else "this"
    busy = BusyError(f"{who} is being worked on: try again in a moment")
    busy.retry_after_s = max(1.0, retry_after_s)
    return busy


def _resume_or_compare(executor: Executor, claim: Claim, by: str) -> Json:
    # 1. Read the request again: it may have been resolved before the claim was taken.
    approval = known(executor.store, claim.event_id)
    run = executor.store.run(claim.decision_id)
    # 2. An earlier worker began the plan under this claim: continue its run.
    if run is not None and (run.source, run.event_id) == (claim.source, claim.event_id):
        return executor.resume(claim)
    # 3. Resolved otherwise: by a denial, by time, by a newer request, or under another claim.
    if run is not None or approval.state in ("denied", "expired"):
        raise _too_late(executor, approval)
    if approval.state != "pending" and _successor(executor, approval):
        raise _too_late(executor, approval)
    if is_expired(approval, executor.store.now_s()):
        expire(executor, approval)
        raise too_late(replace(approval, state="expired"))
    # 4. Open, or approved by a worker that died before it began: compare it with the world.
    if stopped := executor.stopped():
        raise HaltedError(f"{stopped}; the approval request stays open")
    record = executor.store.decision(claim.decision_id)
    if record is None:
        raise StoreError(f"decision {claim.decision_id} is not in the store")
    return _compare(_ClaimedApproval(executor, claim, approval, by, record))


def _compare(claimed: _ClaimedApproval) -> Json:
    request, decided = _decide_again(claimed)
    found = document.to_json(decided.decision)
    _require_whole(decided)
    is_current = claimed.approval.state in ("pending", "approved")
    if decided.prepared is None or not (is_current and _is_same(claimed, decided, found)):
        return _supersede(claimed, request, decided, found)
    if decided.decision.mode is Mode.OBSERVE:
        raise HaltedError(
            "the mode is observe now: nothing is changed, the approval request stays open"
        )
    return _carry_out(claimed, decided, decided.prepared, found)


def _decide_again(claimed: _ClaimedApproval) -> tuple[DeleteRequest | LaunchRequest, Decided]:
    """Decide the stored request again, with the world and the policy as they are now."""
    text, context, ids = (
        claimed.approval.request_json,
        claimed.executor.context,
        [claimed.claim.decision_id],
    )
    decided: Decided | Exception
    request: DeleteRequest | LaunchRequest
    if claimed.record.guard == "delete":
        request = codec.load(DeleteRequest, text)
        (decided,) = decide.judge_deletes([(request, _event_id(claimed))], context, ids)
    else:
        request = codec.load(LaunchRequest, text)
        (decided,) = decide.judge_launches([(request, _event_id(claimed))], context, ids)
    if isinstance(decided, Exception):
        raise decided
    return request, decided


def _event_id(claimed: _ClaimedApproval) -> str:
    """Return the event's id as its sender knows it; the claim's may have more."""
    return str(json.loads(claimed.record.document_json)["event_id"])


def _require_whole(decided: Decided) -> None:
    """Refuse to compare facts that could not be read: they may be those of the request, or not."""
    for reason in decided.decision.judgement.reasons:
        if (reason.code, reason.effect) == (ReasonCode.FACTS_INCOMPLETE, "block"):
            provider = decided.cloud.capabilities.provider
            code, words = "FactsIncomplete", f"{reason.message} The approval request stays open."
            raise UnavailableError(provider, "facts", code=code, detail=words)


def _is_same(claimed: _ClaimedApproval, decided: Decided, found: Json) -> bool:
    """Whether facts and plan are those of the request, and nothing more is unseen than then."""
    unseen_then = json.loads(claimed.record.document_json)["facts"]["unseen"]
    return fingerprint(
        decided.decision.facts, decided.prepared
    ) == claimed.approval.facts_hash and all(one in unseen_then for one in found["facts"]["unseen"])


def _supersede(
    claimed: _ClaimedApproval, request: DeleteRequest | LaunchRequest, decided: Decided, found: Json
) -> Json:
    """Do nothing; request approval for the new plan where there is one."""
    executor, approval = claimed.executor, claimed.approval
    is_resolved = executor.store.resolve(approval.approval_id, "superseded", claimed.by)
    now = known(executor.store, approval.approval_id)
    if not is_resolved and now.state in ("denied", "expired"):
        raise _too_late(executor, now)
    if decided.prepared is None or decided.decision.mode is Mode.OBSERVE:
        document_now = with_outcome(found, Outcome.SUPERSEDED, _CHANGED, approval=now)
    else:
        asked = executor.ask(claimed.claim, request, decided, found)
        document_now = {**asked, "note": f"{_CHANGED}; the new plan {asked['note']}"}
    _log("superseded", approval, claimed.by)
    return executor.end(claimed.claim, document_now, claimed.record.requester)


_CHANGED = "the facts have changed since the approval request: nothing was done"


def _carry_out(
    claimed: _ClaimedApproval, decided: Decided, prepared: Prepared, found: Json
) -> Json:
    executor, approval = claimed.executor, claimed.approval
    # Locked before the request is resolved: while others work on the groups, it stays open.
    executor.store.lock(claimed.claim, prepared.plan.keys(), executor.lease_s)
    if executor.store.resolve(approval.approval_id, "approved", claimed.by):
        _log("approved", approval, claimed.by)
    approved = known(executor.store, approval.approval_id)
    if approved.state != "approved":
        raise _too_late(executor, approved)
    found = with_outcome(found, Outcome.UNFINISHED, approval=approved)
    requester = claimed.record.requester
    done = executor.enforce(claimed.claim, decided.cloud, prepared, found, requester)
    return executor.end(claimed.claim, done, requester)


def _successor(executor: Executor, approval: Approval) -> str:
    """Return the id of the request that took the place of this one; empty if there is none."""
    later = [
        one
        for one in executor.store.approvals()
        if one.decision_id == approval.decision_id and one.asked_at_s > approval.asked_at_s
    ]
    return later[-1].approval_id if later else ""


def _too_late(executor: Executor, approval: Approval) -> EventError:
    record = executor.store.decision(approval.decision_id)
    successor = _successor(executor, approval)
    has_outcome = record is not None and approval.state == "approved" and not successor
    return too_late(approval, record.outcome if record and has_outcome else "", successor)


def _log(msg: str, approval: Approval, by: str) -> None:
    logs.log(logging.INFO, msg, decision_id=approval.decision_id, detail=f"{msg} by {by}")
