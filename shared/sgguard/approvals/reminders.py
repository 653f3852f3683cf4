"""Approval requests that expire, and those that are due for a reminder.

A cron trigger's event (``sgguard.approvals.due.v1``) sets it off; nothing here waits or sleeps.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.engine.approver import is_expired
from sgguard.engine.context import Context
from sgguard.engine.execute import APPROVAL_SOURCE, Executor
from sgguard.engine.handle import once
from sgguard.events.base import Kind
from sgguard.events.request import checked
from sgguard.model.codes import Outcome
from sgguard.model.event import Event
from sgguard.model.sentence import said
from sgguard.render.outcome import plan_asked, with_outcome
from sgguard.render.said import sentences_json
from sgguard.render.values import time_json
from sgguard.store.rows import Approval, ApprovalState, Claim, Query, Record
from sgguard.telemetry import logs

Json = dict[str, Any]

KIND = Kind("approval", "sgguard.approvals.due.v1", "sgguard.approvals.reminders.v1")
"""The event of a cron trigger for the function ``approval``, and the type of its response."""

_RECORDS_MAX = 10_000

_NOTES = {
    "denied": said("note.denied"),
    "expired": said("note.expired"),
    "approved": said("note.lapsed"),
}


def request(data: object) -> Json:
    """Check an event's data (``schemas/approval.schema.json``), which has no fields that matter.

    Raises:
        EventError: it has a field that is not allowed.
    """
    checked(KIND.name, data)
    return {}


def handle(asked: Sequence[tuple[Json, Event]], context: Context) -> list[Json | Exception]:
    """Handle the events of one delivery, each by itself, in order."""
    return [_handled(event, context) for _, event in asked]


def _handled(event: Event, context: Context) -> Json | Exception:
    try:
        return once(
            "approvals_due", event, context, partial(_close_and_list, context=context), _tell
        )
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return error


def _close_and_list(executor: Executor, context: Context) -> Json:
    """Close what has expired; return what was not told yet, and what is due for a reminder."""
    expire_all(executor)
    # Whatever closed them: a worker that died before it told it, or a click that came too late.
    expired = [one for one in executor.store.approvals("expired") if one.told_at_s is None]
    now_s = executor.store.now_s()
    expired += [one for one in executor.store.approvals("approved") if _is_lapsed(executor, one)]
    due = [one for one in executor.store.approvals("pending") if _is_due(one, now_s, context)]
    return {
        "type": KIND.answer_type,
        "at": _time(now_s),
        "expired": [_summary(executor, one) for one in expired],
        "due": [_summary(executor, one) for one in due],
    }


def _tell(executor: Executor, claim: Claim, told: Json) -> None:
    executor.store.tell(
        claim,
        json.dumps(told, ensure_ascii=False),
        expired=[one["approval_id"] for one in told["expired"]],
        reminded=[one["approval_id"] for one in told["due"]],
    )


def _is_lapsed(executor: Executor, approval: Approval) -> bool:
    """Whether an approved plan was not begun in time, and nobody was told."""
    if approval.told_at_s is not None or not is_expired(approval, executor.store.now_s()):
        return False
    record = executor.store.decision(approval.decision_id)
    return record is not None and record.outcome == Outcome.REFUSED


def _is_due(approval: Approval, now_s: float, context: Context) -> bool:
    last_s = max(approval.asked_at_s, approval.reminded_at_s or 0.0)
    return now_s - last_s >= context.policy.approval.remind_s


def _summary(executor: Executor, approval: Approval) -> Json:
    record = executor.store.decision(approval.decision_id)
    return {
        "approval_id": approval.approval_id,
        "decision_id": approval.decision_id,
        "target": list(approval.target),
        "requester": approval.requester,
        "summary": approval.summary,
        "asked_at": _time(approval.asked_at_s),
        "expires_at": _time(approval.expires_at_s),
        **sentences_json(summary=plan_asked(record, approval)),
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))


def expire_all(executor: Executor) -> tuple[Approval, ...]:
    """Close every request that has expired, approved ones whose plan was not begun among them.

    Returns those closed now. What a process that died left unsaid is written into its decision.
    """
    store, now_s = executor.store, executor.store.now_s()
    waiting = [one for one in store.approvals("pending") if is_expired(one, now_s)]
    # Decisions that an older sgguard left waiting for a request that is settled.
    for record in store.decisions(Query(outcome=Outcome.PENDING, limit=_RECORDS_MAX)):
        settled = store.approval(_asked(record))
        if settled is not None and settled.state in ("denied", "expired"):
            end_settled(executor, settled)
    approved = [one for one in store.approvals("approved") if is_expired(one, now_s)]
    waiting += [one for one in approved if is_unbegun(executor, one)]
    return tuple(one for one in waiting if expire(executor, one))


def is_unbegun(executor: Executor, approval: Approval) -> bool:
    """Whether a decision waits for a plan that was approved and that no worker has begun."""
    record = executor.store.decision(approval.decision_id)
    if record is None or record.outcome not in (Outcome.PENDING, Outcome.UNFINISHED):
        return False
    if _asked(record) != approval.approval_id or executor.store.run(approval.decision_id):
        return False
    return not any(
        one.is_held and (one.source, one.event_id) == (APPROVAL_SOURCE, approval.approval_id)
        for one in executor.store.open_claims()
    )


def _asked(record: Record) -> str:
    """Return the id of the approval request that a decision waits for."""
    current = json.loads(record.document_json)["approval"] or {}
    return str(current.get("approval_id", ""))


def expire(executor: Executor, approval: Approval) -> bool:
    """Close a request that has expired; False when it was not pending any more.

    One that was approved has expired as well where the plan was not started in time.
    """
    if approval.state == "approved":
        return end_settled(executor, approval)
    is_closed = close(executor, approval, "expired", "")
    if is_closed:
        logs.log(logging.INFO, "expired", decision_id=approval.decision_id)
    return is_closed


def close(executor: Executor, approval: Approval, state: ApprovalState, by: str) -> bool:
    """Settle a request as denied or expired, and its decision with it, in one step.

    False where the request was settled before, or its plan was begun.
    """
    now_s = executor.store.now_s()
    settled = replace(approval, state=state, resolved_by=by, resolved_at_s=now_s)
    record, refused = _refused(executor, settled)
    if record is None:
        return executor.store.resolve(approval.approval_id, state, by)
    return executor.store.refuse(approval.approval_id, state, by, refused or record)


def end_settled(executor: Executor, approval: Approval) -> bool:
    """End the decision of a request that was settled and not begun; False where there is none.

    An older sgguard settled a request first and ended its decision later.
    """
    if approval.state not in _NOTES:
        return False
    _, refused = _refused(executor, approval)
    return refused is not None and executor.store.lapse(approval.approval_id, refused)


def _refused(executor: Executor, approval: Approval) -> tuple[Record | None, Record | None]:
    """Return the decision of a request, and the decision with its refusal written into it.

    The second is None where another request took the place of this one, or it was begun.
    """
    record = executor.store.decision(approval.decision_id)
    if record is None:
        return None, None
    found = json.loads(record.document_json)
    is_current = _asked(record) == approval.approval_id
    is_waiting = record.outcome in (Outcome.PENDING, Outcome.UNFINISHED)
    if not (is_waiting and is_current):
        return record, None
    document = with_outcome(found, Outcome.REFUSED, _NOTES[approval.state], approval=approval)
    refused = replace(
        record,
        outcome=document["outcome"],
        document_json=json.dumps(document, ensure_ascii=False),
        approver=approval.resolved_by,
    )
    return record, executor.told(refused, document)
