"""What a bind adds to the JSON document of its decision: counts, and a row for each holder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sgguard.model.bind import Row, RowCode, Status
from sgguard.model.request import Action
from sgguard.model.sentence import Sentence, listed, said
from sgguard.render.language.sentence import in_english
from sgguard.render.said import sentence_json, sentence_of
from sgguard.render.values import Json
from sgguard.render.wording import MESSAGE_MAX, count, one_line

STATUSES: tuple[Status, ...] = ("planned", "done", "nothing", "refused", "open")


HOLDERS_MAX = 20
"""Holders that a text lists; the document has all of them."""


def bind_json(action: Action, group: str, rows: Sequence[Row], undoes: str = "") -> Json:
    """Return the part ``bind`` of the document; ``group`` is the address of the group."""
    return {
        "action": action,
        "group": group,
        "undoes": undoes,
        "counts": counts_of(rows),
        "rows": [row_json(one) for one in rows],
    }


def counts_of(rows: Iterable[Row]) -> Json:
    """Return how many holders have each status, and how many there are."""
    found = Counter(one.status for one in rows)
    return {"holders": found.total(), **{one: found[one] for one in STATUSES}}


def row_json(row: Row) -> Json:
    """Return one row."""
    return {
        "holder": row.holder_id,
        "kind": row.kind,
        "name": row.name,
        "status": row.status,
        "code": row.code.value,
        "message": row.message,
        "group_ids": list(row.group_ids),
        "cloud_code": row.cloud_code,
        "request_id": row.request_id,
        **({"sentence": sentence_json(row.sentence)} if row.sentence else {}),
    }


def row_of(found: Json) -> Row:
    """Return the row that :func:`row_json` wrote."""
    return Row(
        holder_id=found["holder"],
        status=found["status"],
        code=RowCode(found["code"]),
        message=found["message"],
        kind=found["kind"],
        name=found["name"],
        group_ids=tuple(found["group_ids"]),
        cloud_code=found["cloud_code"],
        request_id=found["request_id"],
        sentence=sentence_of(found.get("sentence")),
    )


def plan_of(action: Action, group_id: str, rows: Sequence[Row]) -> Sentence:
    """Return how many holders a plan changes, and the first of them."""
    planned = [one.holder_id for one in rows if one.status == "planned"]
    return said(
        "plan.bind-many" if action == "bind" else "plan.unbind-many",
        group=group_id,
        planned=len(planned),
        n=len(rows),
        holders=listed(planned),
    )


def summary_of(action: Action, group_id: str, rows: Sequence[Row]) -> str:
    """Return the same in English, on one line."""
    return in_english(plan_of(action, group_id, rows))


def batch_words(change: Json) -> str:
    """Return a line of a bind's journal in words."""
    holders = change["holders"]
    shown = ", ".join(holders[:3]) + (", …" if len(holders) > 3 else "")  # noqa: PLR2004 - a line
    return f"{change['action']} {change['group_id']}: {count(len(holders), 'holder')}: {shown}"


def batch_note(note: str) -> str:
    """Return the note of such a line in words: the cloud's request, and how many did not change."""
    try:
        found: Json = json.loads(note)
    except ValueError:
        return one_line(note, MESSAGE_MAX)
    request_id = found.get("request_id", "")
    again, others = len(found.get("again", ())), len(found.get("results", {}))
    words = [f"request {request_id}" if request_id else ""]
    words += [
        f"{others} not changed" if others else "",
        f"{again} to be sent again" if again else "",
    ]
    return one_line(", ".join(filter(None, words)), MESSAGE_MAX)


def holder_lines(part: Json | None, most: int | None) -> Iterator[str]:
    """Yield a line for each holder that is not simply changed or to be changed, at most so many."""
    if part is None:
        return
    good = ("done", "planned")
    rows = [one for one in part["rows"] if one["status"] not in good or one["code"] == "busy"]
    for one in rows[:most]:
        words = " ".join(filter(None, [one["cloud_code"], one["message"]]))
        yield f"{one['holder']}  {one['status']}  {one['code']}  {words}".rstrip()
    if most is not None and len(rows) > most:
        yield f"… and {len(rows) - most} more: the JSON document lists them"
