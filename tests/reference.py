"""The folder of reference documents and recorded responses, beside the checkout if present."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
SEEDS = SHARED / "seeds"
FIXTURES = SHARED / "fixtures"
