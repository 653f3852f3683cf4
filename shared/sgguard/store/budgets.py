"""What callers did within the last minute, counted for all processes together.

Each row is a moment of a caller's minute. Who counts a decision first takes the row of the caller
that stands for no moment: so nobody decides with a sum that another one is about to change.
"""

from __future__ import annotations

from sgguard.store.database import Session, Tables, autocommit, transaction

MINUTE_S = 60.0

TABLES = (
    """
CREATE TABLE sgguard_budgets (
    caller TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_s DOUBLE PRECISION NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (caller, kind, at_s)
)""",
)

_HOLD = """
INSERT INTO sgguard_budgets (caller, kind, at_s, used) VALUES (:caller, '', 0, 0)
ON CONFLICT (caller, kind, at_s) DO UPDATE SET used = 0
"""
_FORGET = """
DELETE FROM sgguard_budgets
WHERE caller = :caller AND kind <> '' AND (at_s <= :now - 60 OR at_s > :now + 1)
"""
_USED = """
SELECT kind, at_s, used FROM sgguard_budgets WHERE caller = :caller AND kind <> '' ORDER BY at_s
"""
_ADD = """
INSERT INTO sgguard_budgets (caller, kind, at_s, used) VALUES (:caller, :kind, :at_s, :count)
ON CONFLICT (caller, kind, at_s) DO UPDATE SET used = sgguard_budgets.used + excluded.used
"""


class Budgets(Tables):
    """Decisions and cloud calls of callers, within the last minute."""

    @transaction
    def spend_decision(
        self, session: Session, caller: str, most: dict[str, int | None]
    ) -> tuple[str, float] | None:
        """Count one decision; or return what is used up, and in how many seconds there is room.

        ``most`` has the bounds of ``decisions`` and ``calls``, None for no bound. Where one is
        reached nothing is counted.
        """
        # 1. One after the other, for each caller.
        session.count(_HOLD, caller=caller)
        [(now_s,)] = session.rows("SELECT :now")
        # 2. What is older than a minute does not count any more, nor what a clock that was set
        #    back has in the future.
        session.count(_FORGET, caller=caller)
        found = session.rows(_USED, caller=caller)
        for kind, bound in most.items():
            moments = [(at_s, used) for one, at_s, used in found if one == kind]
            if bound is not None and sum(used for _, used in moments) >= bound:
                return kind, _room_at_s(moments, bound) - float(now_s)
        # 3. It counts for a minute from now on.
        session.count(_ADD, caller=caller, kind="decisions", at_s=float(now_s), count=1)
        return None

    @autocommit
    def spend_calls(self, session: Session, caller: str, count: int) -> None:
        """Count cloud calls that were sent for a caller."""
        [(now_s,)] = session.rows("SELECT :now")
        session.count(_ADD, caller=caller, kind="calls", at_s=float(now_s), count=count)


def _room_at_s(moments: list[tuple[float, int]], bound: int) -> float:
    """Return when so much is over that fewer than the bound remain."""
    left = sum(used for _, used in moments)
    for at_s, used in moments:
        left -= used
        if left < bound:
            return at_s + MINUTE_S
    return moments[-1][0] + MINUTE_S
