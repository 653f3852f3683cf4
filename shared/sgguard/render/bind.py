"""What a bind adds to the JSON document of its decision: counts, and a row for each holder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sgguard.model.bind import Row, RowCode, Status
from sgguard.model.request import Action
from sgguard.render.values import Json

STATUSES: tuple[Status, ...] = ("planned", "done", "nothing", "refused", "open")


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
    )


def summary_of(action: Action, group_id: str, rows: Sequence[Row]) -> str:
    """Return in one line how many holders a plan changes, and the first of them."""
    planned = [one.holder_id for one in rows if one.status == "planned"]
    verb, where = ("bind", "to") if action == "bind" else ("unbind", "from")
    shown = ", ".join(planned[:5]) + (", …" if len(planned) > 5 else "")  # noqa: PLR2004 - a line
    return f"{verb} {group_id} {where} {len(planned)} of {len(rows)} holders: {shown}"
