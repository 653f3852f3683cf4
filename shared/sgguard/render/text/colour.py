"""The one thing that may be coloured: the verdict."""

from __future__ import annotations

from sgguard.model.decision import Verdict

_COLOURS = {Verdict.ALLOW: "32", Verdict.BLOCK: "31", Verdict.REMEDIATE: "33"}


def paint(text: str, verdict: Verdict, *, colour: bool) -> str:
    """Return the text in the verdict's colour, or as it is where no colour is wanted."""
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour else text
