"""A decision as plain text: on one line for a list, or in full for one person to read."""

from __future__ import annotations

from sgguard.render.text.full import EVIDENCE_LINES, full
from sgguard.render.text.line import WIDTH, line

__all__ = ["EVIDENCE_LINES", "WIDTH", "full", "line"]
