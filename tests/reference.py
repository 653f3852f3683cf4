"""Where the reference documents and recorded answers are: beside the checkout, or nowhere."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
SEEDS = SHARED / "seeds"
FIXTURES = SHARED / "fixtures"
