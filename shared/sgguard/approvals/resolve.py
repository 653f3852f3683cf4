"""What an approval or a denial does: checked, compared with the world, carried out once.

An approval is processed in these steps:

1. May this person approve it, and still at the begin? (``engine/approver.py``, ``standing.py``)
2. Claim it (source ``approval``, the approval's id): of two approvals at the same moment one is
   processed, and after a crash the next one, or ``sgguard resume``, continues it.
3. Read the world again and make the plan anew; compare facts and plan with those of the request.
4. The same: lock the groups, compare again, approve the request and begin its plan in one step.
   Different: supersede it and request approval for the new plan. A denial needs no claim.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard import lazy
from sgguard.approvals.reminders import close, end_settled, expire
from sgguard.approvals.standing import end_withdrawn, successor_of, too_late_now
from sgguard.engine.approver import (
    is_expired,
    known,
    require_listed,
    require_other,
    too_late,
    withdrawn,
)
from sgguard.engine.concern import judge_again
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.engine.execute import APPROVAL_SOURCE, Executor, plan_of
from sgguard.engine.waiting import CHANGED
from sgguard.errors import (
    BusyError,
    DeadlineError,
    HaltedError,
    LeaseLostError,
    SgguardError,
    StoreError,
    UnavailableError,
)
from sgguard.model.codes import Mode, Outcome, ReasonCode
from sgguard.model.failure import explained
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.sentence import said
from sgguard.remedy.covered import covered
from sgguard.remedy.prepare import Prepared
from sgguard.render import document
from sgguard.render.language.refusal import refusal
from sgguard.render.language.sentence import message_of
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.rows import Answered, Approval, Busy, Claim, Record
from sgguard.telemetry import logs

bind_approval = lazy("sgguard.engine.bind_approval")  # most approvals are of no bind
Json = dict[str, Any]
_CHANGED = "the facts have changed since the approval request: nothing was done"


def approve(approval_id: str, by: str, context: Context) -> Json:
    """Carry out the plan of an approval request, if its facts still hold; return the decision.

    Where they do not, nothing is done: the decision's ``approval`` is then another one, a request
    for the new plan, or None when there is nothing left to approve.

    Raises:
        EventError: 403 they may not approve it; 404 there is none; 409 it is resolved; 410 expired.
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
    if not close(executor, approval, "denied", by):
        now = known(executor.store, approval_id)
        end_settled(executor, now)
        raise too_late_now(executor, now)
    _log("denied", approval, by)
    record = executor.store.decision(approval.decision_id)
    if record is None:
        raise StoreError(f"decision {approval.decision_id} is not in the store")
    return dict(json.loads(record.document_json))


class _ClaimedApproval(msgspec.Struct, frozen=True):
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
        raise too_late_now(executor, known(executor.store, approval.approval_id))
    if not isinstance(claim, Claim):
        raise StoreError(f"approval {approval.approval_id} was claimed for other facts")
    try:
        return _resume_or_compare(executor, claim, by)
    except SgguardError as error:
        executor.release(claim, keeps_locks=isinstance(error, DeadlineError))
        # A denial that comes while the world is read takes the decision away.
        if isinstance(error, LeaseLostError):
            now = known(executor.store, approval.approval_id)
            if now.state in ("denied", "expired"):
                raise too_late_now(executor, now) from None
        raise


def _busy(executor: Executor, approval: Approval, retry_after_s: float) -> BusyError:
    now = known(executor.store, approval.approval_id)
    by = now.resolved_by
    why = said("approval.busy-by", name=by) if by else said("approval.busy")
    busy = refusal(BusyError, why)
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
        raise too_late_now(executor, approval)
    if approval.state != "pending" and successor_of(executor, approval):
        raise too_late_now(executor, approval)
    if is_expired(approval, executor.store.now_s()):
        expire(executor, approval)
        raise too_late(replace(approval, state="expired"))
    # 4. Open, or approved by a worker that died before it began: compare it with the world.
    if halted := executor.halted():
        raise refusal(HaltedError, said("approval.stays-open", why=halted))
    record = executor.store.decision(claim.decision_id)
    if record is None:
        raise StoreError(f"decision {claim.decision_id} is not in the store")
    # 5. Whoever approved it must still be one who may.
    if why := withdrawn(approval, by, executor.context.policy.approval):
        return end_withdrawn(executor, claim, approval, record, why)
    compare = bind_approval.approved if record.guard == "bind" else _compare
    return compare(_ClaimedApproval(executor, claim, approval, by, record))


def _compare(claimed: _ClaimedApproval) -> Json:
    locked = claimed.executor.locked(claimed.claim)
    request, decided = _decide_again(claimed)
    if _is_still_so(claimed, decided):
        # What is approved is compared once more, under the locks of its plan.
        decided = claimed.executor.look(
            claimed.claim, decided, plan_of, lambda: _decide_again(claimed, decided)[1], locked
        )
    found = document.to_json(decided.decision)
    if decided.prepared is None or not _is_still_so(claimed, decided):
        return _supersede(claimed, request, decided, found)
    if decided.decision.mode is Mode.OBSERVE:
        raise refusal(HaltedError, said("approval.observing"))
    return _carry_out(claimed, decided, decided.prepared, found)


def _is_still_so(claimed: _ClaimedApproval, decided: Decided) -> bool:
    """Whether the plan is the one that the request shows, which may still be approved."""
    _require_whole(decided)
    is_current = claimed.approval.state in ("pending", "approved")
    found = document.to_json(decided.decision)
    return is_current and decided.prepared is not None and _is_same(claimed, decided, found)


def _decide_again(
    claimed: _ClaimedApproval, earlier: Decided | None = None
) -> tuple[DeleteRequest | LaunchRequest, Decided]:
    """Decide the stored request again, with the world and the policy as they are now."""
    text = claimed.approval.request_json
    request: DeleteRequest | LaunchRequest
    if claimed.record.guard == "delete":
        request = codec.load(DeleteRequest, text)
    else:
        request = codec.load(LaunchRequest, text)
    ids = (_event_id(claimed), claimed.claim.decision_id)
    return request, judge_again(request, claimed.executor.context, ids, earlier)


def _event_id(claimed: _ClaimedApproval) -> str:
    """Return the event's id as its sender knows it; the claim's may have more."""
    return str(json.loads(claimed.record.document_json)["event_id"])


def _require_whole(decided: Decided) -> None:
    """Refuse to compare facts that could not be read: they may be those of the request, or not."""
    about, code = (decided.cloud.capabilities.provider, "facts"), "FactsIncomplete"
    for one in decided.decision.judgement.reasons:
        if (one.code, one.effect) == (ReasonCode.FACTS_INCOMPLETE, "block"):
            words = f"{message_of(one)} The approval request stays open."
            error = UnavailableError(*about, code=code, detail=words)
            raise explained(error, said("approval.incomplete", why=one.sentence))


def _is_same(claimed: _ClaimedApproval, decided: Decided, found: Json) -> bool:
    """Whether facts and plan are those of the request, and nothing more is unseen than then."""
    unseen_then = json.loads(claimed.record.document_json)["facts"]["unseen"]
    now = covered(decided.cloud, decided.decision.facts, decided.prepared)
    is_seen = all(one in unseen_then for one in found["facts"]["unseen"])
    return now == claimed.approval.facts_hash and is_seen


def _supersede(
    claimed: _ClaimedApproval, request: DeleteRequest | LaunchRequest, decided: Decided, found: Json
) -> Json:
    """Do nothing; request approval for the new plan where there is one."""
    executor, requester = claimed.executor, claimed.record.requester
    approval = claimed.approval
    if decided.prepared is None or decided.decision.mode is Mode.OBSERVE:
        now = replace(approval, state="superseded", resolved_by=claimed.by)
        ended = executor.end(
            claimed.claim,
            with_outcome(found, Outcome.SUPERSEDED, CHANGED, approval=now),
            requester,
            run_state="refused",
            resolved=[(approval.approval_id, "superseded", claimed.by)],
        )
    else:
        asked = (claimed.claim, request, decided, found)
        ended = executor.ask(*asked, requester=requester, is_changed=True)
    _log("superseded", approval, claimed.by)
    return ended


def _carry_out(
    claimed: _ClaimedApproval, decided: Decided, prepared: Prepared, found: Json
) -> Json:
    executor, approval, by = claimed.executor, claimed.approval, claimed.by
    approved = replace(approval, state="approved", resolved_by=approval.resolved_by or by)
    found = with_outcome(found, Outcome.UNFINISHED, approval=approved)
    # The request is approved with the begin of its plan: until then it stays open.
    done = executor.enforce(
        claimed.claim,
        decided.cloud,
        prepared,
        found,
        claimed.record.requester,
        approved=(approval.approval_id, by),
    )
    _log("approved", approval, by)
    return done


def _log(msg: str, approval: Approval, by: str) -> None:
    logs.log(logging.INFO, msg, decision_id=approval.decision_id, detail=f"{msg} by {by}")
