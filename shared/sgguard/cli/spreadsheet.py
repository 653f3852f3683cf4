"""Decisions as CSV (RFC 4180, lines ended by LF), for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import tzinfo

from sgguard.cli.records import in_zone
from sgguard.render.wording import one_line
from sgguard.store.rows import Record

_NAMES = (
    *("decided_at", "verdict", "outcome", "guard", "target", "requested_by", "resolved_by"),
    *("mode", "decision_id", "event_id", "source", "note"),
)
_FORMULA = ("=", "+", "-", "@")


def csv_lines(records: Iterable[Record], zone: tzinfo | None) -> Iterator[str]:
    """Yield the line of names, and a line for each decision; times are in the zone."""
    yield _line(_NAMES)
    for one in records:
        yield _line(
            (
                in_zone(one.at_s, zone).isoformat(timespec="seconds"),
                *(one.verdict, one.outcome, one.guard, " ".join(one.target)),
                *(one.requester, one.approver, one.mode),
                *(one.decision_id, one.event_id, one.source),
                json.loads(one.document_json).get("note", ""),
            )
        )


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([_cell(one) for one in cells])
    return text.getvalue()


def _cell(text: str) -> str:
    """Return text of others on one line; none of it is a formula to a spreadsheet."""
    plain = one_line(text, 2 * len(text))
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
