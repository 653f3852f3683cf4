"""What commands print: lines that fit the terminal, JSON documents, and decisions in full."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

import click

from sgguard.render import text
from sgguard.render.wording import columns, one_line

_WIDTH = 100
_WIDTH_MIN = 40
_LAST_MIN = 20


def terminal_width() -> int | None:
    """Return the columns of the terminal or of ``COLUMNS``; None for a pipe or a file."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if is_terminal or os.environ.get("COLUMNS"):
        return max(shutil.get_terminal_size().columns, _WIDTH_MIN)
    return None


def line(text: str, indent: int = 0) -> str:
    """Return the text on one line that fits the terminal, or 100 columns of a file.

    Two spaces separate columns. Only the last column is cut.
    """
    return _fitted(" " * indent + text, terminal_width() or _WIDTH)


def _fitted(text: str, width: int) -> str:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    *columns_before, last = text.strip(" ").split("  ")
    head = indent + "".join(f"{one_line(one, width)}  " for one in columns_before)
    if columns(head) > width - _LAST_MIN and columns_before:
        return indent + one_line(text, width - len(indent))
    return head + one_line(last, width - columns(head))


def print_json(document: Any) -> None:
    """Write a document and nothing else to standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_decision(document: dict[str, Any], particulars: Mapping[str, str] | None = None) -> None:
    """Write a decision's document as text, with further facts below its headline."""
    click.echo(text.full(document, particulars, width=terminal_width()))


def print_outcome(document: dict[str, Any]) -> None:
    """Write what became of a decision, and then the decision as text."""
    click.echo(f"{document['outcome']}: decision {document['decision_id']}")
    if document["note"]:
        click.echo(document["note"])  # not wrapped: it may contain a command to copy
    click.echo()
    print_decision(document)
