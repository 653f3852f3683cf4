"""The store, in SQL that SQLite and PostgreSQL both understand."""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.store import approvals, audit, claims, journal, retention
from sgguard.store.database import Database
from sgguard.store.rows import (
    Approval,
    ApprovalState,
    Claim,
    Claimed,
    Entry,
    EntryState,
    Halt,
    Purged,
    Query,
    Record,
    Run,
    RunState,
)


class SqlStore:
    """A :class:`~sgguard.store.base.Store` in a database.

    What is one statement, or reads only, needs no transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        source: str,
        event_id: str,
        *,
        owner: str,
        decision_id: str,
        lease_s: float,
        payload_hash: str | None,
    ) -> Claimed:
        """Take an event for this worker, or say why not."""
        return self._database.alone(
            lambda session: claims.claim(
                session,
                source,
                event_id,
                owner=owner,
                decision_id=decision_id,
                lease_s=lease_s,
                payload_hash=payload_hash,
            )
        )

    def renew(self, claim: Claim, lease_s: float) -> None:
        """Hold on to the claim and its locks for another lease from now."""
        self._database.together(lambda session: claims.renew(session, claim, lease_s))

    def finish(self, claim: Claim, answer_json: str) -> None:
        """Keep the answer for whoever delivers the event again; free the event's locks."""
        self._database.together(lambda session: claims.finish(session, claim, answer_json))

    def release(self, claim: Claim) -> None:
        """Let the next delivery take the event at once; locks go unless a run of it is open."""
        self._database.together(lambda session: claims.release(session, claim))

    def lock(self, claim: Claim, keys: Sequence[str], lease_s: float) -> None:
        """Keep everybody else off these keys, all of them or none."""
        self._database.together(lambda session: claims.lock(session, claim, keys, lease_s))

    def newest(self, keys: Sequence[str], at_s: float) -> float | None:
        """Note that an event of this time concerns the keys; return the newest time before this."""
        return self._database.together(lambda session: audit.newest(session, keys, at_s))

    def begin_run(self, claim: Claim, run: Run) -> None:
        """Keep a plan and its snapshot before its first change; a second time changes nothing."""
        self._database.together(lambda session: journal.begin_run(session, claim, run))

    def intend(self, claim: Claim, entry: Entry, lease_s: float) -> None:
        """Write a change down before it is made, and renew the claim."""
        self._database.together(lambda session: journal.intend(session, claim, entry, lease_s))

    def settle(
        self, claim: Claim, entry: Entry, state: EntryState, *, made_id: str = "", note: str = ""
    ) -> None:
        """Write down what came of a change."""
        self._database.together(
            lambda session: journal.settle(session, claim, entry, state, made_id=made_id, note=note)
        )

    def close_run(self, claim: Claim, decision_id: str, state: RunState, note: str = "") -> None:
        """Say how the run ended; ``finished`` and ``undone`` free its locks."""
        self._database.together(
            lambda session: journal.close_run(session, claim, decision_id, state, note)
        )

    def run(self, decision_id: str) -> Run | None:
        """Return one run."""
        return self._database.alone(lambda session: journal.run(session, decision_id))

    def open_runs(self) -> tuple[Run, ...]:
        """Return the runs that are open or stuck, the oldest first."""
        return self._database.alone(journal.open_runs)

    def entries(self, decision_id: str) -> tuple[Entry, ...]:
        """Return a run's journal, in order."""
        return self._database.alone(lambda session: journal.entries(session, decision_id))

    def keep(self, record: Record) -> None:
        """Keep a decision; a later one of the same id takes its place."""
        self._database.together(lambda session: audit.keep(session, record))

    def decision(self, decision_id: str) -> Record | None:
        """Return one decision."""
        return self._database.alone(lambda session: audit.decision(session, decision_id))

    def decisions(self, query: Query) -> tuple[Record, ...]:
        """Return decisions, the newest first."""
        return self._database.alone(lambda session: audit.decisions(session, query))

    def ask(self, approval: Approval) -> None:
        """Keep a question to a person; a pending one of the same decision is superseded."""
        self._database.together(lambda session: approvals.ask(session, approval))

    def approval(self, approval_id: str) -> Approval | None:
        """Return one approval, whatever its state."""
        return self._database.alone(lambda session: approvals.approval(session, approval_id))

    def approvals(self, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Return approvals, the oldest first."""
        return self._database.alone(lambda session: approvals.approvals(session, state))

    def resolve(self, approval_id: str, state: ApprovalState, by: str) -> bool:
        """Settle a pending approval exactly once; False when it is not pending (any more)."""
        return self._database.together(
            lambda session: approvals.resolve(session, approval_id, state, by)
        )

    def reminded(self, approval_id: str) -> None:
        """Note that somebody was reminded of it."""
        self._database.together(lambda session: approvals.reminded(session, approval_id))

    def halt(self, by: str, reason: str) -> None:
        """Stop all changes, of every process, from now on."""
        self._database.together(lambda session: journal.halt(session, by, reason))

    def go_on(self) -> None:
        """Permit changes again."""
        self._database.together(journal.go_on)

    def halted(self) -> Halt | None:
        """Return who stopped all changes, if somebody did."""
        return self._database.alone(journal.halted)

    def now_s(self) -> float:
        """Return the time on the store's clock."""
        return self._database.alone(lambda session: float(session.rows("SELECT :now")[0][0]))

    def purge(self, before_s: float) -> Purged:
        """Forget what ended before that time; nothing that is open, pending or stuck."""
        return self._database.together(lambda session: retention.purge(session, before_s))

    def close(self) -> None:
        """Let go of files and connections."""
        self._database.close()
