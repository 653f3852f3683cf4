"""What may become of a decision's run, step by step: the one table, and the store keeps to it.

A run's status is its state and its direction. Every step is one transaction; it holds the run's
row, finds here whether the step may be taken from where the run is, and changes the row only where
it still is there. The constraints of the table refuse what no row here leads to.

::

    (none) ─ask→ asked ─begin→ open, forward ─end→ finished
       └────────begin───────────┘    │turn
                            open, undoing ─end→ undone, or stuck (which is tried again)

``asked`` becomes ``refused`` where nothing is done. ``accept`` ends whatever is open or stuck.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sgguard.errors import StoreError
from sgguard.store.rows import Direction, RunState

Step = Literal["decide", "ask", "refuse", "begin", "intend", "settle", "turn", "end", "accept"]


class Status(msgspec.Struct, frozen=True):
    """Where a decision is; without a state it has no run."""

    state: RunState | None = None
    direction: Direction = "forward"

    def __str__(self) -> str:
        """Return it in words."""
        if self.state is None:
            return "without a run"
        return f"{self.state}, {self.direction}" if self.state == "open" else self.state


NONE = Status()
ASKED = Status("asked")
REFUSED = Status("refused")
FORWARD = Status("open")
UNDOING = Status("open", "undoing")
STUCK = Status("stuck", "undoing")
FINISHED = Status("finished")
UNDONE = Status("undone", "undoing")
ACCEPTED = Status("accepted")
ACCEPTED_UNDOING = Status("accepted", "undoing")

TABLE: dict[Step, frozenset[tuple[Status, Status]]] = {
    # A verdict that nothing is done about, and what is told of a decision that has ended.
    "decide": frozenset(
        (one, one) for one in (NONE, ASKED, REFUSED, FINISHED, UNDONE, ACCEPTED, ACCEPTED_UNDOING)
    ),
    "ask": frozenset({(NONE, ASKED), (ASKED, ASKED)}),
    "refuse": frozenset({(ASKED, REFUSED)}),
    "begin": frozenset({(NONE, FORWARD), (ASKED, FORWARD)}),
    # Lines are written while the world is between before and after; in the run's direction only.
    "intend": frozenset((one, one) for one in (FORWARD, UNDOING, STUCK)),
    "settle": frozenset((one, one) for one in (FORWARD, UNDOING, STUCK)),
    # Before the first undo is sent; no step leads back.
    "turn": frozenset({(FORWARD, UNDOING)}),
    "end": frozenset(
        {
            (FORWARD, FINISHED),
            (UNDOING, UNDONE),
            (UNDOING, STUCK),
            (STUCK, UNDONE),
            (STUCK, STUCK),
        }
    ),
    "accept": frozenset(
        {(FORWARD, ACCEPTED), (UNDOING, ACCEPTED_UNDOING), (STUCK, ACCEPTED_UNDOING)}
    ),
}


def after(step: Step, before: Status, state: RunState | None = None) -> Status:
    """Return where a step leads; ``state`` is the one it is to lead to, where it has a choice.

    Raises:
        StoreError: the step may not be taken from here.
    """
    ways = [
        then
        for origin, then in TABLE[step]
        if origin == before and (state is None or then.state == state)
    ]
    if len(ways) != 1:
        to = f" to {state}" if state else ""
        raise StoreError(f"a decision that is {before} has no step {step!r}{to}")
    return ways[0]
