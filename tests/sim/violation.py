"""What is written down of an invariant that does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One invariant that does not hold; ``code`` is the invariant and what kind of breach."""

    code: str
    text: str
    at_s: float

    def __str__(self) -> str:
        return f"{self.code} at {self.at_s:.3f} s: {self.text}"
