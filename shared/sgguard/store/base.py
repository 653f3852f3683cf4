"""What is kept between deliveries, and between the processes that answer them.

Claims make one event one piece of work; locks keep two pieces of work off the same group; the
journal says what was about to be done and what came of it; decisions are the audit trail.

A claim has a *lease* (how long its holder may be silent) and a *fence* (a number that grows with
every new holder). Whatever is written for a claim is written only while it is still the newest:
a worker that slept through its lease cannot write over the one that took over.

Times are seconds since 1970-01-01 UTC on the store's own clock (the database's, where there is
one, so that machines need not agree).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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


class Store(Protocol):
    """What is kept. Every method is one transaction, safe with many threads and processes.

    All raise :class:`~sgguard.errors.StoreError` when the store cannot be read or written. Those
    that take a claim raise :class:`~sgguard.errors.LeaseLostError` when it is no longer the
    newest of its event, and then write nothing.
    """

    # -- once ------------------------------------------------------------------------------

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
        """Take an event for this worker, or say why not.

        An event whose holder was silent for longer than its lease, or that was released, is taken
        over. ``payload_hash`` None takes whatever the event was (a resume).
        """
        ...

    def renew(self, claim: Claim, lease_s: float) -> None:
        """Hold on to the claim and its locks for another lease from now."""
        ...

    def finish(self, claim: Claim, answer_json: str) -> None:
        """Keep the answer for whoever delivers the event again; free the event's locks."""
        ...

    def release(self, claim: Claim) -> None:
        """Let the next delivery take the event at once; locks go unless a run of it is open."""
        ...

    def lock(self, claim: Claim, keys: Sequence[str], lease_s: float) -> None:
        """Keep everybody else off these keys, all of them or none.

        The lock belongs to the claim's decision, whoever works on it. It ends with
        :meth:`finish`, with its lease, and never while a run of that decision is open.

        Raises:
            BusyError: another decision has one of them; the message names key and decision.
        """
        ...

    def newest(self, keys: Sequence[str], at_s: float) -> float | None:
        """Note that an event of this time concerns the keys; return the newest time before this."""
        ...

    # -- the journal -----------------------------------------------------------------------

    def begin_run(self, claim: Claim, run: Run) -> None:
        """Keep a plan and its snapshot before its first change; a second time changes nothing."""
        ...

    def intend(self, claim: Claim, entry: Entry, lease_s: float) -> None:
        """Write a change down before it is made, and renew the claim.

        Raises:
            HaltedError: an operator stopped all changes; nothing was written.
        """
        ...

    def settle(
        self, claim: Claim, entry: Entry, state: EntryState, *, request_id: str = "", note: str = ""
    ) -> None:
        """Write down what came of a change."""
        ...

    def close_run(self, claim: Claim, decision_id: str, state: RunState, note: str = "") -> None:
        """Say how the run ended; ``finished`` and ``undone`` free its locks."""
        ...

    def run(self, decision_id: str) -> Run | None:
        """Return one run."""
        ...

    def open_runs(self) -> tuple[Run, ...]:
        """Return the runs that are open or stuck, the oldest first."""
        ...

    def entries(self, decision_id: str) -> tuple[Entry, ...]:
        """Return a run's journal, in order."""
        ...

    # -- the audit trail -------------------------------------------------------------------

    def keep(self, record: Record) -> None:
        """Keep a decision; a later one of the same id takes its place."""
        ...

    def decision(self, decision_id: str) -> Record | None:
        """Return one decision."""
        ...

    def decisions(self, query: Query) -> tuple[Record, ...]:
        """Return decisions, the newest first."""
        ...

    # -- people ----------------------------------------------------------------------------

    def ask(self, approval: Approval) -> None:
        """Keep a question to a person; a pending one of the same decision is superseded."""
        ...

    def approval(self, approval_id: str) -> Approval | None:
        """Return one approval, whatever its state."""
        ...

    def approvals(self, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Return approvals, the oldest first."""
        ...

    def resolve(self, approval_id: str, state: ApprovalState, by: str) -> bool:
        """Settle a pending approval exactly once; False when it is not pending (any more)."""
        ...

    def reminded(self, approval_id: str) -> None:
        """Note that somebody was reminded of it."""
        ...

    def halt(self, by: str, reason: str) -> None:
        """Stop all changes, of every process, from now on."""
        ...

    def go_on(self) -> None:
        """Permit changes again."""
        ...

    def halted(self) -> Halt | None:
        """Return who stopped all changes, if somebody did."""
        ...

    # -- housekeeping ----------------------------------------------------------------------

    def now_s(self) -> float:
        """Return the time on the store's clock."""
        ...

    def purge(self, before_s: float) -> Purged:
        """Forget what ended before that time; nothing that is open, pending or stuck."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
