"""What becomes of a decision whose approver may not approve any more, and what came after it.

Between a yes and the begin of its plan a process may die, and the policy may change. A yes counts
only while the policy lets its person approve: nothing is begun on the word of somebody who was
taken from the list (:func:`~sgguard.engine.approver.withdrawn`).
"""

from __future__ import annotations

import json
import logging
from typing import Any

from msgspec.structs import replace

from sgguard.engine.approver import too_late
from sgguard.engine.execute import Executor
from sgguard.errors import EventError
from sgguard.model.codes import Outcome
from sgguard.model.sentence import Sentence, said
from sgguard.render.language.refusal import refusal
from sgguard.render.outcome import with_outcome
from sgguard.store.rows import Approval, Claim, Record
from sgguard.telemetry import logs

Json = dict[str, Any]


def end_withdrawn(
    executor: Executor, claim: Claim, approval: Approval, record: Record, why: Sentence
) -> Json:
    """End a decision whose approver may not approve any more: nothing is begun.

    Raises:
        EventError: 409 it was begun or ended meanwhile.
    """
    found = with_outcome(json.loads(record.document_json), Outcome.REFUSED, why, approval=approval)
    text = json.dumps(found, ensure_ascii=False)
    refused = replace(record, outcome=found["outcome"], document_json=text)
    if not executor.store.lapse(approval.approval_id, executor.told(refused, found)):
        raise refusal(EventError, said("approval.meanwhile"), status=409)
    executor.release(claim)
    by = approval.resolved_by
    logs.log(
        logging.INFO, "withdrawn", decision_id=approval.decision_id, detail=f"approved by {by}"
    )
    return found


def successor_of(executor: Executor, approval: Approval) -> str:
    """Return the id of the request that took the place of this one; empty if there is none."""
    later = [
        one
        for one in executor.store.approvals()
        if one.decision_id == approval.decision_id and one.asked_at_s > approval.asked_at_s
    ]
    return later[-1].approval_id if later else ""


def too_late_now(executor: Executor, approval: Approval) -> EventError:
    """Return why a request cannot be decided any more, with what became of it."""
    record = executor.store.decision(approval.decision_id)
    later = successor_of(executor, approval)
    has_outcome = record is not None and approval.state == "approved" and not later
    return too_late(approval, record.outcome if record and has_outcome else "", later)
