"""What time does to questions: some are over, some are worth a reminder.

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
from sgguard.approvals.approver import is_over
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
"""What the function ``approval`` is told by a cron trigger, and what it answers."""

_NOTES = {
    "denied": "denied: nothing was done",
    "expired": "nobody answered in time: nothing was done",
    "approved": "approved, but not begun in time: nothing was done",
}


def request(data: object) -> Json:
    """Return what an event says (``schemas/approval.schema.json``), which is next to nothing.

    Raises:
        EventError: it says something else.
    """
    if problems := schemas.problems(KIND.name, data):
        words = "the event's data cannot be read"
        raise EventError(words, status=400, problems=tuple(problems))
    return {}


def handle(asked: Sequence[tuple[Json, Event]], context: Context) -> list[Json | Exception]:
    """Handle the events of one delivery, each by itself, in order."""
    return [_handled(event, context) for _, event in asked]


def _handled(event: Event, context: Context) -> Json | Exception:
    try:
        return once("approvals_due", event, context, partial(_look, context=context))
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return error


def _look(executor: Executor, context: Context) -> Json:
    """Close what is over, and note and return what is worth a reminder."""
    expired = expire_all(executor)
    now_s = executor.store.now_s()
    due = [one for one in executor.store.approvals("pending") if _is_due(one, now_s, context)]
    for one in due:
        executor.store.reminded(one.approval_id)
    return {
        "at": _time(now_s),
        "expired": [_told(one) for one in expired],
        "due": [_told(one) for one in due],
    }


def _is_due(approval: Approval, now_s: float, context: Context) -> bool:
    last_s = max(approval.asked_at_s, approval.reminded_at_s or 0.0)
    return now_s - last_s >= context.policy.approval.remind_s


def _told(approval: Approval) -> Json:
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
    """Close every pending question whose time is over; return those closed now."""
    now_s = executor.store.now_s()
    over = [one for one in executor.store.approvals("pending") if is_over(one, now_s)]
    return tuple(one for one in over if expire(executor, one))


def expire(executor: Executor, approval: Approval) -> bool:
    """Close a question whose time is over; False when it was not pending any more."""
    is_closed = executor.store.resolve(approval.approval_id, "expired", "")
    if is_closed:
        logs.log(logging.INFO, "expired", decision_id=approval.decision_id)
    note_refusal(executor, approval.approval_id)
    return is_closed


def note_refusal(executor: Executor, approval_id: str) -> Record | None:
    """Write into a decision that its question was not answered with yes, if it was not.

    Nor was it where somebody said yes too long ago and nothing was begun. Returns the decision.
    """
    approval = executor.store.approval(approval_id)
    record = None if approval is None else executor.store.decision(approval.decision_id)
    if approval is None or record is None:
        return None
    found = json.loads(record.document_json)
    is_its = (found["approval"] or {}).get("approval_id") == approval_id
    is_lapsed = approval.state == "approved" and is_over(approval, executor.store.now_s())
    if record.outcome != "pending" or not is_its:
        return record
    if approval.state not in ("denied", "expired") and not is_lapsed:
        return record
    told = with_outcome(found, Outcome.REFUSED, _NOTES[approval.state], approval=approval)
    refused = replace(
        record,
        outcome=told["outcome"],
        document_json=json.dumps(told, ensure_ascii=False),
        approver=approval.resolved_by,
    )
    executor.store.keep(refused)
    return refused
