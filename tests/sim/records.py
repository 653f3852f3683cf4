"""What the records of a store said after each transaction, and what was written to tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sgguard.model.codes import Outcome
from tests.sim.rows import Rows

FINAL = frozenset(Outcome) - {Outcome.PENDING, Outcome.UNFINISHED, Outcome.PARTLY_UNDONE}
ENDED = FINAL | {Outcome.PARTLY_UNDONE}


def is_kept(document: Any) -> bool:
    """Whether an answer is of a decision that is kept: any other promises nothing."""
    return not document["note"].startswith("not kept")


@dataclass(frozen=True)
class Moved:
    """A record that was made or has another outcome; ``is_told``: a message of it was written."""

    decision_id: str
    before: str
    outcome: str
    is_told: bool

    def __str__(self) -> str:
        return f"{self.decision_id} from {self.before or 'nothing'} to {self.outcome}"


@dataclass(eq=False)
class Records:
    """The records of a store; ``first_s`` is when each was kept first, ``first`` as what."""

    rows: Rows
    outcomes: dict[str, str] = field(default_factory=dict)
    first_s: dict[str, float] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    _notices: dict[str, int] = field(default_factory=dict)
    _last: dict[str, str] | None = None

    def moved(self, now_s: float) -> Iterator[Moved]:
        """Give what has moved since this was asked."""
        notices, self._notices = self._notices, self.rows.notices()
        outcomes = self.rows.outcomes()
        if outcomes is self._last:  # no record was written since
            return
        self._last = outcomes
        for decision_id, outcome in outcomes.items():
            before = self.outcomes.get(decision_id, "")
            if before == outcome:
                continue
            self.outcomes[decision_id] = outcome
            self.first_s.setdefault(decision_id, now_s)
            self.first.setdefault(decision_id, outcome)
            is_told = notices.get(decision_id) != self._notices.get(decision_id)
            yield Moved(decision_id, before, outcome, is_told)
