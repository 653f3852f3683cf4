"""What became of a decision, added to its JSON document: outcome, note, journal, approval."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sgguard.model.codes import Outcome
from sgguard.model.sentence import Sentence, Text, as_sentence, together
from sgguard.render.kept import english, joined, sentences_kept
from sgguard.render.language.sentence import WHOLE, in_words, knows
from sgguard.render.language.words import Words
from sgguard.render.said import sentence_json, sentence_of
from sgguard.render.values import Json, time_json
from sgguard.store.rows import Approval, Entry, Record


def with_outcome(
    document: Json,
    outcome: Outcome,
    note: Text | Sequence[Text] = "",
    *,
    journal: Iterable[Entry] = (),
    approval: Approval | None = None,
) -> Json:
    """Return a decision's document with its outcome.

    ``note`` describes the state of the cloud now, in one sentence or several; ``journal`` holds
    what was done, line by line.
    Without an ``approval`` the document keeps the one it has.
    """
    several = [note] if isinstance(note, str | Sentence) else note
    notes = [one for one in several if one]
    return {
        **document,
        "outcome": outcome.value,
        "note": joined(notes),
        "notes": [sentence_json(as_sentence(one)) for one in notes],
        "journal": [_line(one) for one in journal],
        "approval": document.get("approval") if approval is None else _approval(approval),
    }


def notes_of(document: Json) -> tuple[Text, ...]:
    """Return the sentences of a document's note; of one of an older version its English text."""
    found = [sentence_of(one) for one in document.get("notes", ())]
    known = tuple(one for one in found if one is not None)
    return known if known and len(known) == len(found) else (document["note"],)


def notes_in(document: Json, words: Words) -> list[str]:
    """Return the sentences of a document's note in a language, each on one line."""
    told = [
        in_words(one, words, WHOLE) if isinstance(one, Sentence) else one
        for one in notes_of(document)
        if isinstance(one, str) or knows(one, words)
    ]
    return [one for one in told if one] or [document["note"]]


def plan_asked(record: Record | None, approval: Approval) -> Text:
    """Return the steps that a request asks about, as one sentence.

    ``record`` is its decision's. Where the plan there is another request's by now, or of an older
    version, the English summary is all that is kept of it.
    """
    document = json.loads(record.document_json) if record else {}
    is_own = (document.get("approval") or {}).get("approval_id") == approval.approval_id
    found = [sentence_of(one.get("sentence")) for one in document.get("plan", ()) if is_own]
    steps = [one for one in found if one is not None]
    return together(steps) if steps and len(steps) == len(found) else approval.summary


def _line(entry: Entry) -> Json:
    return {
        "number": entry.number,
        "step": entry.step,
        "change": json.loads(entry.change_json),
        "is_undo": entry.is_undo,
        "state": entry.state,
        "made": entry.made_id,
        "note": english(entry.note),
        "at": _time(entry.at_s),
        **({"notes": notes} if (notes := sentences_kept(entry.note)) else {}),
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
