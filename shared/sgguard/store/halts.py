"""The switch that stops all changes, of every process."""

from __future__ import annotations

from sgguard.store.database import Reply, Session, Tables, autocommit, transaction
from sgguard.store.rows import Halt

_HALT = """
INSERT INTO sgguard_halts (number, halted_by, reason, at_s) VALUES (1, :halted_by, :reason, :now)
ON CONFLICT (number) DO UPDATE SET
    halted_by = excluded.halted_by, reason = excluded.reason, at_s = excluded.at_s
"""


class Halts(Tables):
    """Who stopped all changes, and why."""

    @transaction
    def halt(self, session: Session, by: str, reason: str) -> None:
        """Stop all changes, of every process, from now on; the last caller is named."""
        session.count(_HALT, halted_by=by, reason=reason)

    @transaction
    def lift_halt(self, session: Session) -> None:
        """Permit changes again."""
        session.count("DELETE FROM sgguard_halts")

    @autocommit
    def halted(self, session: Session) -> Halt | None:
        """Return who stopped all changes; None when they are permitted."""
        return read(ask(session))


def ask(session: Session) -> Reply:
    """Ask who stopped all changes; :func:`read` reads the answer."""
    return session.send("SELECT halted_by, reason, at_s FROM sgguard_halts")


def read(reply: Reply) -> Halt | None:
    """Return who stopped all changes; None when they are permitted."""
    found = reply.rows()
    return Halt(*found[0]) if found else None
