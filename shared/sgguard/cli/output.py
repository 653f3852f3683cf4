"""What commands print: lines that fit the terminal, JSON documents, and decisions in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sgguard.cli import terminal
from sgguard.model.codes import Outcome, Verdict
from sgguard.render import text
from sgguard.render.evidence import answered
from sgguard.render.stream import blocks, pieces
from sgguard.render.wording import columns, one_line

_LAST_MIN = 20
WORST_FIRST = (Verdict.BLOCK, Verdict.REMEDIATE, Verdict.ALLOW)


def line(text: str, indent: int = 0) -> str:
    """Return the text on one line that fits the terminal; for a pipe or a file it is whole.

    Two spaces separate columns. Only the last column is cut.
    """
    width = terminal.width()
    if width is None or terminal.is_verbose():
        width = 2 * len(text) + indent
    return _fitted(" " * indent + text, width)


def _fitted(text: str, width: int) -> str:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    *columns_before, last = text.strip(" ").split("  ")
    head = indent + "".join(f"{one_line(one, width)}  " for one in columns_before)
    if columns(head) > width - _LAST_MIN and columns_before:
        return indent + one_line(text, width - len(indent))
    return head + one_line(last, width - columns(head))


def print_json(document: Any) -> None:
    """Write a document and nothing else to standard output."""
    terminal.say_json(blocks(pieces(document, 2)))


def print_document(document: dict[str, Any], **more: Any) -> None:
    """Write the document of a decision within the bounds of an answer, or whole with --verbose."""
    print_json({**bounded(document), **more})


def bounded(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as it is answered: with --verbose no list of it is cut."""
    return document if terminal.is_verbose() else answered(document)


def print_set(documents: Sequence[dict[str, Any]], errors: Sequence[dict[str, Any]] = ()) -> None:
    """Write the document of decisions that were asked for together; of one it has the same shape.

    ``verdict`` is the worst of them, null where one could not be judged.
    """
    verdicts = [Verdict(one["verdict"]) for one in documents]
    worst = None if errors or not verdicts else min(verdicts, key=WORST_FIRST.index)
    decisions = [bounded(one) for one in documents]
    print_json({"verdict": worst, "decisions": decisions, "errors": list(errors)})


def print_decision(
    document: dict[str, Any],
    particulars: Mapping[str, str] | None = None,
    *,
    is_whole: bool = False,
    is_paged: bool = False,
) -> None:
    """Write a decision's document as text, with further facts below its headline.

    With ``is_whole``, or ``--verbose``, no list is cut. With ``is_paged`` it is shown a screen at
    a time where it does not fit a terminal.
    """
    is_whole = is_whole or terminal.is_verbose()
    shown = text.full(document, particulars, width=terminal.width(), is_whole=is_whole)
    verdict = document["verdict"]
    head = (verdict.upper(), verdict)
    if is_paged:
        terminal.page(shown.split("\n"), head=head)
    else:
        terminal.say(shown, head=head)


def print_outcome(document: dict[str, Any], *, is_shown: bool = False) -> None:
    """Write what became of a decision, and then the decision as text unless it was shown before."""
    terminal.say(f"{document['outcome']}: decision {document['decision_id']}")
    if document["note"]:
        # On one line and not wrapped: it may contain a command to copy.
        terminal.say(one_line(document["note"], 2 * len(document["note"])))
    if is_shown:
        if document["outcome"] == Outcome.REMEDIATED:
            terminal.say(f"To bring it back: sgguard restore {document['decision_id']}")
        return
    terminal.say()
    print_decision(document)
