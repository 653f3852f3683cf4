"""The address that is told of a decision, as its request named it."""

from __future__ import annotations

from sgguard.store.database import Session, Tables, autocommit, transaction

_KEEP = """
INSERT INTO sgguard_callbacks (decision_id, url, kept_at_s) VALUES (:decision_id, :url, :now)
ON CONFLICT (decision_id) DO UPDATE SET url = excluded.url, kept_at_s = excluded.kept_at_s
"""
_ONE = """
SELECT url FROM sgguard_callbacks WHERE decision_id = :decision_id AND ended_at_s IS NULL
"""
_END = """
UPDATE sgguard_callbacks SET ended_at_s = :now
WHERE decision_id = :decision_id AND ended_at_s IS NULL
"""


class Callbacks(Tables):
    """Who is told of which decision. The address may hold a secret: nothing else has it."""

    @transaction
    def keep_callback(self, session: Session, decision_id: str, url: str) -> None:
        """Keep the address that is told of a decision, before anything is told."""
        session.count(_KEEP, decision_id=decision_id, url=url)

    @autocommit
    def callback(self, session: Session, decision_id: str) -> str | None:
        """Return the address that is told of a decision; None where there is none any more."""
        found = session.rows(_ONE, decision_id=decision_id)
        return str(found[0][0]) if found else None

    @transaction
    def end_callback(self, session: Session, decision_id: str) -> None:
        """Tell this decision's address nothing more: it said so itself (410)."""
        session.count(_END, decision_id=decision_id)
