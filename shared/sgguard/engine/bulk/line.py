"""What became of a holder, and how a line of the journal keeps it.

A line has the holders of one call. Its note names those that were not changed, and why, so that a
line of a hundred good ones is short: who is not named was changed, by this line. An undo rests on
that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from sgguard.errors import CloudError, SgguardError
from sgguard.model.bind import Batch, BindPlan, Row, RowCode, Status
from sgguard.model.failure import failure_of
from sgguard.model.sentence import Sentence
from sgguard.render.language.sentence import in_english
from sgguard.render.said import sentence_json, sentence_of
from sgguard.render.wording import MESSAGE_MAX, one_line
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Entry, EntryState, Run


class Result(msgspec.Struct, frozen=True):
    """What became of one holder, with the cloud's own code where it answered.

    ``message`` is the sentence in English, of an error its whole text.
    """

    status: Status
    code: RowCode
    message: str = ""
    cloud_code: str = ""
    request_id: str = ""
    sentence: Sentence | None = None


DONE = Result("done", RowCode.DONE)


def result(
    status: Status,
    code: RowCode,
    sentence: Sentence,
    *,
    cloud_code: str = "",
    request_id: str = "",
) -> Result:
    """Return the result of a holder of which a sentence tells what became."""
    return Result(status, code, in_english(sentence), cloud_code, request_id, sentence)


def refused(error: SgguardError, code: RowCode = RowCode.REFUSED_BY_CLOUD) -> Result:
    """Return the result of a holder that a cloud's error is about."""
    own = error if isinstance(error, CloudError) else None
    return Result(
        "refused",
        code,
        one_line(str(error), MESSAGE_MAX),
        own.code if own else "",
        own.request_id if own else "",
        failure_of(error),
    )


def note_of(
    results: Mapping[str, Result],
    again: Iterable[str],
    request_id: str = "",
    *,
    busy: Iterable[str] = (),
    lost: Iterable[str] = (),
    is_refused: bool = False,
) -> str:
    """Return the note of a line: the results that are not ``done``, and who is sent again.

    Of these, ``busy`` ones come later, and of ``lost`` ones the change was never seen: what is
    counted of a holder counts in the next delivery as well. ``is_refused``: because of one of them.
    """
    told = {
        one: [how.status, how.code.value, how.message, how.cloud_code, how.request_id]
        for one, how in results.items()
        if how.status != "done"
    }
    sentences = {
        one: sentence_json(how.sentence)
        for one, how in results.items()
        if how.status != "done" and how.sentence
    }
    found = {
        "request_id": request_id,
        "again": sorted(again),
        "busy": sorted(busy),
        "lost": sorted(lost),
        "refused": is_refused,
        "results": told,
        "sentences": sentences,
    }
    return json.dumps({key: value for key, value in found.items() if value}, ensure_ascii=False)


def state_of(results: Mapping[str, Result]) -> EntryState:
    """Return the state of a line: done where any of its holders was changed."""
    return "done" if any(how.status == "done" for how in results.values()) else "not-done"


def batch_of(entry: Entry) -> Batch:
    """Return the holders of a line.

    Raises:
        StoreError: another sgguard wrote it.
    """
    return codec.load(Batch, entry.change_json)


def results_of(entry: Entry) -> dict[str, Result]:
    """Return what a line says became of its holders; nothing of one that is not settled."""
    if entry.state == "intended":
        return {}
    found: dict[str, Any] = json.loads(entry.note or "{}")
    sentences = found.get("sentences", {})  # earlier versions wrote none
    told = {
        one: replace(
            Result(how[0], RowCode(how[1]), *how[2:]), sentence=sentence_of(sentences.get(one))
        )
        for one, how in found.get("results", {}).items()
    }
    again, request_id = set(found.get("again", ())), found.get("request_id", "")
    done = {} if entry.state != "done" else _changed_by(batch_of(entry), again, told, request_id)
    return {**done, **told}


def _changed_by(
    batch: Batch, again: set[str], told: Mapping[str, Result], request_id: str
) -> dict[str, Result]:
    """Return the holders of a line that it changed: those that its note does not name."""
    how = replace(DONE, request_id=request_id)
    return {one: how for one in batch.holders if one not in again and one not in told}


def times_in(entries: Iterable[Entry], key: Literal["busy", "lost"]) -> Counter[str]:
    """Return how often each holder was busy, or its change lost, by a journal."""
    notes = [json.loads(one.note or "{}") for one in entries if one.state != "intended"]
    return Counter(each for note in notes for each in note.get(key, ()))


def refused_sets(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """Return the holders of each call that was refused because of one of them, in order."""
    found = [one for one in entries if one.state != "intended" and "refused" in (one.note or "")]
    return [batch_of(one).holders for one in found if json.loads(one.note).get("refused") is True]


def results_in(entries: Iterable[Entry]) -> dict[str, Result]:
    """Return what a journal says became of each holder; a later line counts."""
    found: dict[str, Result] = {}
    for entry in entries:
        found |= results_of(entry)
    return found


def with_result(row: Row, how: Result | None) -> Row:
    """Return the row of a holder with what became of it; None: it is not at its end."""
    if row.status != "planned":
        return row
    if how is None:
        return replace(row, status="open", code=RowCode.UNFINISHED)
    return replace(
        row,
        status=how.status,
        code=how.code,
        message=how.message or row.message,
        sentence=how.sentence if how.message else row.sentence,
        cloud_code=how.cloud_code,
        request_id=how.request_id,
    )


def is_bind(run: Run) -> bool:
    """Whether a run changes many holders: its plan is a :class:`BindPlan`."""
    return run.plan_json.startswith("{") and json.loads(run.plan_json).get("guard") == "bind"


def progress_of(store: Store, run: Run) -> tuple[int, int]:
    """Return how many holders of a run are over, by its journal, and how many there are."""
    plan = codec.load(BindPlan, run.plan_json)
    return len(results_in(store.entries(run.decision_id))), len(plan.targets)
