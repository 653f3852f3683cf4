"""The table of ratios in RESULTS.md: ``python -m tests.bench --write`` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import HEADER

RESULTS = Path(__file__).with_name("RESULTS.md")
MARK = "<!-- bench -->\n"


def rows_of(text: str) -> list[str]:
    """Return the rows of the table in a document, without the header."""
    table = text.partition(MARK)[2].strip("\n").partition("\n\n")[0]
    return table.splitlines()[2:]


def with_rows(text: str, rows: Sequence[str], *, is_whole: bool) -> str:
    """Return the document with these rows: alone, or each in the place of the one it replaces.

    Raises:
        ValueError: the document has no table where the mark is.
    """
    head, mark, rest = text.partition(MARK)
    if not mark or not rest.strip("\n").startswith("| measured"):
        raise ValueError("the document has no table of the bench")
    before, fresh = rows_of(text), {_what(row): row for row in rows}
    known = {_what(row) for row in before}
    kept = [] if is_whole else [fresh.get(_what(row), row) for row in before]
    added = [row for what, row in fresh.items() if is_whole or what not in known]
    _, gap, behind = rest.strip("\n").partition("\n\n")
    return f"{head}{mark}\n" + "\n".join([HEADER, *kept, *added]) + f"{gap}{behind}".rstrip() + "\n"


def figures(calls: str) -> str:
    """Return the few figures that the README shows, as a list.

    ``calls`` is the table of the calls of one check; the rest comes from the table of ratios.
    """
    counts = [int(cell) for row in calls.splitlines()[2:] for cell in row.strip("|").split("|")[1:]]
    calls_span = f"{min(counts)} to {max(counts)}"
    start = _span("start to first decision | empty")
    return f"""\
- One check of a delete makes {calls_span} API calls, however large the account is.
- Its longest chain of calls in sequence has {_span("round trips of")} round trips.
- A start with its first decision uses {start} times the CPU time of an empty function.
- A decision uses {_span("CPU of")} times the CPU time of its bare HTTP calls.
- 100 deletes in one request make {_span("calls for 100")} times the calls of separate reads."""


def _span(what: str) -> str:
    """Return the smallest and the largest ratio of the rows that begin so."""
    rows = rows_of(RESULTS.read_text(encoding="utf-8"))
    values = [float(row.split(" | ")[2]) for row in rows if row.startswith(f"| {what}")]
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _what(row: str) -> tuple[str, ...]:
    """Return what a row measured against what."""
    return tuple(row.split(" | ")[:2])
