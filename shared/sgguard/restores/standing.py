"""What later decisions brought back of one that was carried out, and whether more can be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from sgguard.model.codes import Outcome
from sgguard.render.language.message import Message, State, of_document
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record

Json = dict[str, Any]

OFFERED = timedelta(days=7)
"""For how long after its end a decision's message offers a restore; the command has no end."""

_LATER_MAX = 100
_STATES: Mapping[str, State] = {
    Outcome.REMEDIATED: "restored",
    Outcome.UNFINISHED: "restoring",
    Outcome.PARTLY_UNDONE: "restore-stuck",
    Outcome.ACCEPTED: "restored-partly",
}
"""By the outcome of the newest restore; after any other one everything is as it was before it."""


def message_of(record: Record, store: Store) -> Message:
    """Return the message of a decision as things are now, also by what was restored since.

    Raises:
        StoreError: the store cannot be read.
    """
    document: Json = json.loads(record.document_json)
    return seen(of_document(document, record.requester), document, store)


def seen(message: Message, document: Json, store: Store) -> Message:
    """Return a message of a document with what became of it since, and what may be restored."""
    if not message.is_restorable:
        return message
    last = _last(document, store)
    if last is not None and (state := _STATES.get(last["outcome"])):
        is_part = state == "restored" and bool(last["note"])
        return replace(message, state="restored-partly" if is_part else state)
    run = store.run(message.decision_id)
    if run is None or run.state != "finished":
        return message  # what it would be restored from is not kept any more
    return replace(
        message,
        restore_hash=_hash(message.decision_id, last),
        restore_until=_ended_at(document) + OFFERED,
    )


def _last(document: Json, store: Store) -> Json | None:
    """Return the newest decision that restored this one, or undid it."""
    about = {f"{how} of {document['decision_id']}" for how in ("restore", "undo")}
    target = next(iter(document["target"]), "")
    for record in store.decisions(Query(target=target, limit=_LATER_MAX)):
        if record.guard == "restore":
            later: Json = json.loads(record.document_json)
            if later["event_id"] in about:
                return later
    return None


def _hash(decision_id: str, last: Json | None) -> str:
    """Return what a button or link is for: the restore that would be the next one."""
    after = f"{last['decision_id']}\n{last['outcome']}" if last else ""
    return hashlib.sha256(f"{decision_id}\n{after}".encode()).hexdigest()


def _ended_at(document: Json) -> datetime:
    moments = [document["decided_at"], *(line["at"] for line in document.get("journal", ()))]
    return max(map(datetime.fromisoformat, moments))
