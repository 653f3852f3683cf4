"""A decision as plain text: one line for a list, the whole story for one person to read."""

from __future__ import annotations

from sgguard.render.text.full import EVIDENCE_LINES, full, reference_words
from sgguard.render.text.line import WIDTH, line

__all__ = ["EVIDENCE_LINES", "WIDTH", "full", "line", "reference_words"]
