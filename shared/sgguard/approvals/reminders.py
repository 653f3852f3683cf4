"""Approval requests that expire, and those that are due for a reminder.

A cron trigger's event (``sgguard.approvals.due.v1``) sets it off; nothing here waits or sleeps.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sgguard import logs, schemas
from sgguard.approvals.approver import is_expired
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.engine.handle import once
from sgguard.errors import EventError
from sgguard.events.base import Kind
from sgguard.model.codes import Outcome
from sgguard.model.event import Event
from sgguard.render.outcome import with_outcome
from sgguard.render.values import time_json
from sgguard.store.rows import Approval, Record

Json = dict[str, Any]

KIND = Kind("approval", "sgguard.approvals.due.v1", "sgguard.approvals.reminders.v1")
"""The event of a cron trigger for the function ``approval``, and the type of its response."""

_NOTES = {
    "denied": "denied: nothing was done",
    "expired": "not approved in time: nothing was done",
    "approved": "approved, but not started in time: nothing was done",
}


def request(data: object) -> Json:
    """Check an event's data (``schemas/approval.schema.json``), which has no fields that matter.

    Raises:
        EventError: it has a field that is not allowed.
    """
    if problems := schemas.problems(KIND.name, data):
        message = "the event's data cannot be read"
        raise EventError(message, status=400, problems=tuple(problems))
    return {}


def handle(asked: Sequence[tuple[Json, Event]], context: Context) -> list[Json | Exception]:
    """Handle the events of one delivery, each by itself, in order."""
    return [_handled(event, context) for _, event in asked]


def _handled(event: Event, context: Context) -> Json | Exception:
    try:
        return once("approvals_due", event, context, partial(_close_and_list, context=context))
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return error


def _close_and_list(executor: Executor, context: Context) -> Json:
    """Close what has expired; note and return what is due for a reminder."""
    expired = expire_all(executor)
    now_s = executor.store.now_s()
    due = [one for one in executor.store.approvals("pending") if _is_due(one, now_s, context)]
    for one in due:
        executor.store.reminded(one.approval_id)
    return {
        "at": _time(now_s),
        "expired": [_summary(one) for one in expired],
        "due": [_summary(one) for one in due],
    }


def _is_due(approval: Approval, now_s: float, context: Context) -> bool:
    last_s = max(approval.asked_at_s, approval.reminded_at_s or 0.0)
    return now_s - last_s >= context.policy.approval.remind_s


def _summary(approval: Approval) -> Json:
    return {
        "approval_id": approval.approval_id,
        "decision_id": approval.decision_id,
        "target": list(approval.target),
        "requester": approval.requester,
        "summary": approval.summary,
        "asked_at": _time(approval.asked_at_s),
        "expires_at": _time(approval.expires_at_s),
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))


def expire_all(executor: Executor) -> tuple[Approval, ...]:
    """Close every pending request that has expired; return those closed now."""
    now_s = executor.store.now_s()
    expired = [one for one in executor.store.approvals("pending") if is_expired(one, now_s)]
    return tuple(one for one in expired if expire(executor, one))


def expire(executor: Executor, approval: Approval) -> bool:
    """Close a request that has expired; False when it was not pending any more."""
    is_closed = executor.store.resolve(approval.approval_id, "expired", "")
    if is_closed:
        logs.log(logging.INFO, "expired", decision_id=approval.decision_id)
    note_refusal(executor, approval.approval_id)
    return is_closed


def note_refusal(executor: Executor, approval_id: str) -> Record | None:
    """Write into a decision that its request was denied or has expired, if so.

    One that was approved has expired as well where the plan was not started in time. Returns the
    decision.
    """
    approval = executor.store.approval(approval_id)
    record = None if approval is None else executor.store.decision(approval.decision_id)
    if approval is None or record is None:
        return None
    found = json.loads(record.document_json)
    is_current = (found["approval"] or {}).get("approval_id") == approval_id
    is_lapsed = approval.state == "approved" and is_expired(approval, executor.store.now_s())
    if record.outcome != "pending" or not is_current:
        return record
    if approval.state not in ("denied", "expired") and not is_lapsed:
        return record
    document = with_outcome(found, Outcome.REFUSED, _NOTES[approval.state], approval=approval)
    refused = replace(
        record,
        outcome=document["outcome"],
        document_json=json.dumps(document, ensure_ascii=False),
        approver=approval.resolved_by,
    )
    executor.store.keep(refused)
    return refused
