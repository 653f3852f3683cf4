"""A decision that was kept, in full, for one person to read: asked, seen, decided, done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sgguard.render.wording import columns, count, one_line

Json = dict[str, Any]

_LINES_MAX = 30
_LAST_MIN = 20


def kept(document: Json, particulars: Mapping[str, str], *, width: int) -> str:
    """Return a decision's document as text, each line of at most ``width`` columns.

    ``particulars`` are put below the headline, by name; empty ones are left out.
    """
    title = f"{document['verdict'].upper()}  {document['guard']} {', '.join(document['target'])}"
    lines = [
        title,
        *(f"  {name:<9} {value}" for name, value in particulars.items() if value),
        *_section("Seen", _seen(document["facts"])),
        *_section("Not seen", _unseen(document["facts"])),
        *_section("Why", _reasons(document["reasons"])),
        *_section("Plan", (one["summary"] for one in document["plan"])),
        *_section("Done", _done(document)),
    ]
    return "\n".join(fitting(one, width) for one in lines)


def fitting(text: str, width: int) -> str:
    """Return the text on one line of at most so many columns.

    Its indent stays, and so do columns: what two spaces separate. Only the last one is cut.
    """
    indent = " " * (len(text) - len(text.lstrip(" ")))
    *columns_before, last = text.strip(" ").split("  ")
    head = indent + "".join(f"{one_line(one, width)}  " for one in columns_before)
    if columns(head) > width - _LAST_MIN and columns_before:
        return indent + one_line(text, width - len(indent))
    return head + one_line(last, width - columns(head))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield ""
        yield title
        yield from (f"  {text}" for text in body[:_LINES_MAX])
        if len(body) > _LINES_MAX:
            yield f"  and {len(body) - _LINES_MAX} more (--json has all)"


def _seen(facts: Json) -> Iterator[str]:
    numbers = (
        count(len(facts["groups"]), "group"),
        count(len(facts["references"]), "reference"),
        count(len(facts["bindings"]), "binding"),
    )
    yield f"{', '.join(numbers)}; {'complete' if facts['complete'] else 'not complete'}"
    for one in facts["references"]:
        rule = one["rule"]
        words = f"{rule['rule_id']} {rule['direction']} {rule['protocol']} {rule['ports']}"
        named = f"{one['group_id']} names {one['target'].rsplit(':', 1)[-1]}"
        yield f"{named}: {words if rule else 'a rule that could not be read'}"
    for one in facts["bindings"]:
        yield f"{one['kind']} {one['holder_id'] or one['count']} carries {one['target']}"


def _unseen(facts: Json) -> Iterator[str]:
    yield from (f"{one['target']}: {one['what']}: {one['why']}" for one in facts["unseen"])


def _reasons(reasons: list[Json]) -> Iterator[str]:
    yield from (f"{one['effect']:<5}  {one['code']}: {one['message']}" for one in reasons)


def _done(document: Json) -> Iterator[str]:
    note = f": {document['note']}" if document["note"] else ""
    yield f"{document['outcome']}{note}"
    for one in document["journal"]:
        change = one["change"]
        what = f"{'take back ' if one['is_undo'] else ''}{change['kind']} {change['group_id']}"
        note = f": {one['note']}" if one["note"] else ""
        yield f"{one['at']}  {one['state']:<8}  {what}{note}"
