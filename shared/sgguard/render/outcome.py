"""What became of a decision, added to its JSON document: outcome, note, journal, approval."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from sgguard.model.codes import Outcome
from sgguard.render.values import Json, time_json
from sgguard.store.rows import Approval, Entry


def with_outcome(
    document: Json,
    outcome: Outcome,
    note: str = "",
    *,
    journal: Iterable[Entry] = (),
    approval: Approval | None = None,
) -> Json:
    """Return a decision's document with its outcome.

    ``note`` describes the state of the cloud now; ``journal`` holds what was done, line by line.
    Without an ``approval`` the document keeps the one it has.
    """
    return {
        **document,
        "outcome": outcome.value,
        "note": note,
        "journal": [_line(one) for one in journal],
        "approval": document.get("approval") if approval is None else _approval(approval),
    }


def _line(entry: Entry) -> Json:
    return {
        "number": entry.number,
        "step": entry.step,
        "change": json.loads(entry.change_json),
        "is_undo": entry.is_undo,
        "state": entry.state,
        "made": entry.made_id,
        "note": entry.note,
        "at": _time(entry.at_s),
    }


def _approval(approval: Approval) -> Json:
    return {
        "approval_id": approval.approval_id,
        "state": approval.state,
        "facts_hash": approval.facts_hash,
        "expires_at": _time(approval.expires_at_s),
        "resolved_by": approval.resolved_by,
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))
