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


def _what(row: str) -> tuple[str, ...]:
    """Return what a row measured against what."""
    return tuple(row.split(" | ")[:2])
