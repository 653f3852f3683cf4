"""What somebody's yes or no does: checked, compared with the world as it is now, carried out once.

A yes is worked on under a claim of its own (source ``approval``, the approval's id), so that of
two clicks one works, and a crash is gone on with by the next click or ``sgguard resume``. A no
needs no claim: the store settles a question exactly once, and a no that comes while a yes still
reads the world wins.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Any

from sgguard import logs
from sgguard.approvals.approver import is_over, known, require_listed, require_other, too_late
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
    """Carry out what a question is about, if all is as it was asked; return the decision.

    Where it is not, nothing is done: the decision's ``approval`` is then another one, a question
    about the fresh plan, or none when there is nothing left to ask.

    Raises:
        EventError: 403 they may not approve it; 404 there is no such question; 409 somebody
            answered it; 410 its time is over.
        BusyError: another click, or another decision about the same groups, is being worked on.
        HaltedError: all changes are stopped, or the mode is ``observe`` now.
        SgguardError: the world could not be read whole, or the plan not carried out to its end;
            the next click goes on.
    """
    executor = Executor.of(context)
    require_listed(by, context.policy.approval)
    approval = known(executor.store, approval_id)
    require_other(by, approval, context.policy.approval)
    return _claimed(executor, approval, by)


def finish(approval_id: str, context: Context) -> Json:
    """Go on with what somebody approved and nobody carried out: their process died.

    Raises:
        SgguardError: as :func:`approve`.
    """
    executor = Executor.of(context)
    approval = known(executor.store, approval_id)
    if approval.state != "approved":
        raise too_late(approval)
    return _claimed(executor, approval, approval.resolved_by)


def deny(approval_id: str, by: str, context: Context) -> Json:
    """Refuse what a question is about; return the decision. Nothing is changed.

    Raises:
        EventError: 403 they may not answer it; 404 there is no such question; 409 somebody
            answered it; 410 its time is over.
    """
    executor = Executor.of(context)
    require_listed(by, context.policy.approval)
    approval = known(executor.store, approval_id)
    if approval.state == "pending" and is_over(approval, executor.store.now_s()):
        expire(executor, approval)
    if not executor.store.resolve(approval_id, "denied", by):
        # Whoever denied it may have died before the decision said so.
        note_refusal(executor, approval_id)
        raise _too_late(executor, known(executor.store, approval_id))
    _log("denied", approval, by)
    record = note_refusal(executor, approval_id)
    if record is None:
        raise StoreError(f"nothing is kept of decision {approval.decision_id}")
    found: Json = json.loads(record.document_json)
    return found


@dataclass(frozen=True, slots=True)
class _Click:
    """One yes, as far as it came: its claim, the question under that claim, and the decision."""

    executor: Executor
    claim: Claim
    approval: Approval
    by: str
    record: Record


def _claimed(executor: Executor, approval: Approval, by: str) -> Json:
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
        return _answered(executor, claim, by)
    except SgguardError:
        executor.release(claim)
        raise


def _busy(executor: Executor, approval: Approval, retry_after_s: float) -> BusyError:
    now = known(executor.store, approval.approval_id)
    who = f"{now.resolved_by} approved this already, and it" if now.resolved_by else "this"
    busy = BusyError(f"{who} is being worked on: look again in a moment")
    busy.retry_after_s = max(1.0, retry_after_s)
    return busy


def _answered(executor: Executor, claim: Claim, by: str) -> Json:
    approval = known(executor.store, claim.event_id)
    run = executor.store.run(claim.decision_id)
    if run is not None and (run.source, run.event_id) == (claim.source, claim.event_id):
        return executor.resume(claim)
    if run is not None or approval.state in ("denied", "expired"):
        raise _too_late(executor, approval)
    if approval.state != "pending" and _successor(executor, approval):
        raise _too_late(executor, approval)
    if is_over(approval, executor.store.now_s()):
        expire(executor, approval)
        raise too_late(replace(approval, state="expired"))
    if stopped := executor.stopped():
        raise HaltedError(f"{stopped}; the question stays open")
    record = executor.store.decision(claim.decision_id)
    if record is None:
        raise StoreError(f"nothing is kept of decision {claim.decision_id}")
    return _compared(_Click(executor, claim, approval, by, record))


def _compared(click: _Click) -> Json:
    request, decided = _settled(click)
    found = document.to_json(decided.decision)
    _require_whole(decided)
    is_current = click.approval.state in ("pending", "approved")
    if decided.prepared is None or not (is_current and _is_same(click, decided, found)):
        return _superseded(click, request, decided, found)
    if decided.decision.mode is Mode.OBSERVE:
        raise HaltedError("the mode is observe now: nothing is changed, the question stays open")
    return _carried_out(click, decided, decided.prepared, found)


def _settled(click: _Click) -> tuple[DeleteRequest | LaunchRequest, Decided]:
    """Ask once more what was asked then, of the world and the policy as they are now."""
    text, context, ids = (
        click.approval.request_json,
        click.executor.context,
        [click.claim.decision_id],
    )
    settled: Decided | Exception
    request: DeleteRequest | LaunchRequest
    if click.record.guard == "delete":
        request = codec.load(DeleteRequest, text)
        (settled,) = decide.judge_deletes([(request, _event_id(click))], context, ids)
    else:
        request = codec.load(LaunchRequest, text)
        (settled,) = decide.judge_launches([(request, _event_id(click))], context, ids)
    if isinstance(settled, Exception):
        raise settled
    return request, settled


def _event_id(click: _Click) -> str:
    """Return the event's id as its sender knows it; the claim's may have more."""
    return str(json.loads(click.record.document_json)["event_id"])


def _require_whole(decided: Decided) -> None:
    """Refuse to compare with what was not seen: it may be what was asked about, or not."""
    for reason in decided.decision.judgement.reasons:
        if (reason.code, reason.effect) == (ReasonCode.FACTS_INCOMPLETE, "block"):
            provider = decided.cloud.capabilities.provider
            code, words = "FactsIncomplete", f"{reason.message} The question stays open."
            raise UnavailableError(provider, "facts", code=code, detail=words)


def _is_same(click: _Click, decided: Decided, found: Json) -> bool:
    """Say whether everything is as it was when the question was asked, and seen as well as then."""
    unseen_then = json.loads(click.record.document_json)["facts"]["unseen"]
    return fingerprint(
        decided.decision.facts, decided.prepared
    ) == click.approval.facts_hash and all(one in unseen_then for one in found["facts"]["unseen"])


def _superseded(
    click: _Click, request: DeleteRequest | LaunchRequest, decided: Decided, found: Json
) -> Json:
    """Do nothing; put the fresh plan before a person where there is one."""
    executor, approval = click.executor, click.approval
    is_resolved = executor.store.resolve(approval.approval_id, "superseded", click.by)
    now = known(executor.store, approval.approval_id)
    if not is_resolved and now.state in ("denied", "expired"):
        raise _too_late(executor, now)
    if decided.prepared is None or decided.decision.mode is Mode.OBSERVE:
        document_now = with_outcome(found, Outcome.SUPERSEDED, _CHANGED, approval=now)
    else:
        asked = executor.ask(click.claim, request, decided, found)
        document_now = {**asked, "note": f"{_CHANGED}; the fresh plan {asked['note']}"}
    _log("superseded", approval, click.by)
    return executor.end(click.claim, document_now, click.record.requester)


_CHANGED = "what was asked about has changed since: nothing was done"


def _carried_out(click: _Click, decided: Decided, prepared: Prepared, found: Json) -> Json:
    executor, approval = click.executor, click.approval
    # Before the question is settled: while others work on the groups it can wait.
    executor.store.lock(click.claim, prepared.plan.keys(), executor.lease_s)
    if executor.store.resolve(approval.approval_id, "approved", click.by):
        _log("approved", approval, click.by)
    approved = known(executor.store, approval.approval_id)
    if approved.state != "approved":
        raise _too_late(executor, approved)
    found = with_outcome(found, Outcome.UNFINISHED, approval=approved)
    requester = click.record.requester
    done = executor.enforce(click.claim, decided.cloud, prepared, found, requester)
    return executor.end(click.claim, done, requester)


def _successor(executor: Executor, approval: Approval) -> str:
    """Return the id of the question that was asked in place of this one, if there is one."""
    later = [
        one
        for one in executor.store.approvals()
        if one.decision_id == approval.decision_id and one.asked_at_s > approval.asked_at_s
    ]
    return later[-1].approval_id if later else ""


def _too_late(executor: Executor, approval: Approval) -> EventError:
    record = executor.store.decision(approval.decision_id)
    successor = _successor(executor, approval)
    is_told = record is not None and approval.state == "approved" and not successor
    return too_late(approval, record.outcome if record and is_told else "", successor)


def _log(msg: str, approval: Approval, by: str) -> None:
    logs.log(logging.INFO, msg, decision_id=approval.decision_id, detail=f"{msg} by {by}")
