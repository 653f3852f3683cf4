"""The document of a run of which no decision is kept: what is known of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sgguard.operations.earlier import SOURCE as RESTORE_SOURCE
from sgguard.render.values import time_json
from sgguard.store.rows import Claim, Run

Json = dict[str, Any]


def without_record(claim: Claim, run: Run | None) -> Json:
    """Return a document for a run of which no decision is kept: what is known of it."""
    facts: Json = {
        "groups": [],
        "references": [],
        "bindings": [],
        "instance": None,
        "count": None,
        "limits": [],
        "complete": False,
        "visibility": "project",
        "unseen": [],
        "blind_spots": [],
        "hidden_groups": 0,
    }
    return {
        "decision_id": claim.decision_id,
        "event_id": claim.event_id,
        "guard": "restore" if claim.source == RESTORE_SOURCE else "delete",
        "verdict": "remediate",
        "outcome": "unfinished",
        "mode": "enforce",
        "target": list(run.keys if run else ()) or [claim.event_id],
        "reasons": [],
        "consequences": [],
        "facts": facts,
        "plan": [],
        "decided_at": _time(run.begun_at_s if run else 0.0),
        "took_ms": 0.0,
        "note": "",
        "journal": [],
        "approval": None,
        "caller": None,
        "bind": None,
        "callback": None,
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))[:19] + "Z"
