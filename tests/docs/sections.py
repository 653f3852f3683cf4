"""The documents and their marked sections.

A mark such as ``<!-- settings -->`` stands on the line before a code block, a table or a list, and
names it; each name stands in one document only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "shared" / "sgguard"
README = ROOT / "README.md"
DOCUMENTS = (
    README,
    *sorted((ROOT / "deploy").glob("*.md")),
    *sorted((ROOT / "tests").rglob("*.md")),
    *sorted((ROOT / "shared").rglob("*.md")),
)

_MARK = re.compile(r"^<!-- ([a-z-]+) -->$", re.MULTILINE)


def names(path: Path) -> list[str]:
    """The names of a document's marks, in order."""
    return _MARK.findall(path.read_text(encoding="utf-8"))


def home(name: str) -> Path:
    """The one document that has a mark of that name."""
    [path] = [path for path in DOCUMENTS for one in names(path) if one == name]
    return path


def section(name: str) -> str:
    """What follows a mark: the content of a code block, or else a table or list."""
    text = home(name).read_text(encoding="utf-8")
    start, end = _span(text, name)
    return text[start:end]


def replace_section(name: str, fresh: str) -> None:
    """Write a section into its document again."""
    path = home(name)
    text = path.read_text(encoding="utf-8")
    start, end = _span(text, name)
    path.write_text(f"{text[:start]}{fresh}{text[end:]}", encoding="utf-8")


def _span(text: str, name: str) -> tuple[int, int]:
    """Where a section begins and ends: without fences, and without the blank line before it."""
    mark = f"<!-- {name} -->\n"
    start = text.index(mark) + len(mark)
    if text.startswith("```", start):
        start = text.index("\n", start) + 1
        return start, text.index("\n```", start)
    start += text.startswith("\n", start)
    end = text.find("\n\n", start)
    return start, end if end >= 0 else len(text.rstrip("\n"))


def cells(row: str) -> list[str]:
    """The cells of one row of a table."""
    return [cell.strip() for cell in row.strip()[1:-1].split("|")]


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """A table; ``header`` has the names of its columns, separated by " | "."""
    columns = header.split(" | ")
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([f"| {header} |", "|" + "---|" * len(columns), *lines])


def keeping_last_column(name: str, header: str, rows: Iterable[Sequence[str]]) -> str:
    """A table whose last column is written by hand: each row keeps its own, by its first cell."""
    written = {found[0]: found[-1] for found in map(cells, section(name).splitlines())}
    return table(header, ([*row, written.get(row[0], "")] for row in rows))


CHINESE = ROOT / "README.zh-CN.md"
_BLOCK = re.compile(r"<!-- ([a-z-]+) -->\n(```.*?\n```\n)?", re.DOTALL)


def with_blocks(text: str) -> str:
    """The Chinese README with the code blocks of the English one behind the same marks."""
    english = {found[1]: found[0] for found in _BLOCK.finditer(README.read_text(encoding="utf-8"))}
    return _BLOCK.sub(lambda mark: english[mark[1]], text)
