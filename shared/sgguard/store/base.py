"""What is kept between deliveries, and between the processes that answer them.

Claims make one event one piece of work; locks keep two pieces of work off the same group; the
journal says what was about to be done and what came of it; decisions are the audit trail.

A claim has a *lease* (how long its holder may be silent) and a *fence* (a number that grows with
every new holder). Whatever is written for a claim is written only while it is still the newest:
a worker that slept through its lease cannot write over the one that took over.

A run that is open or stuck is *unresolved*: the world is between before and after. Its decision's
locks are held until it is finished or undone, however long that takes.

Times are seconds since 1970-01-01 UTC on the store's own clock (the database's, where there is
one, so that machines need not agree). A row's own times are the store's: what a caller wrote into
``begun_at_s``, ``asked_at_s`` or an entry's ``at_s`` is not looked at. No text has a NUL in it.
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
    newest of its event, or was finished or released, and then write nothing. A lease that merely
    ran out takes nothing away as long as nobody took over. A claim writes for its own decision
    only, anything else is a StoreError.
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
        over. ``payload_hash`` None takes whatever the event was (a resume), and also an event
        that was answered while its run is unresolved. Other content is said before anything else.
        """
        ...

    def renew(self, claim: Claim, lease_s: float) -> None:
        """Hold on to the claim and its locks for another lease from now."""
        ...

    def finish(self, claim: Claim, answer_json: str) -> None:
        """Keep the answer for whoever delivers the event again; free the event's locks.

        They stay while a run of it is unresolved. Finishing again alike does nothing.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Let the next delivery take the event at once; locks go unless its run is unresolved.

        A claim that was finished or released is left as it is.
        """
        ...

    def lock(self, claim: Claim, keys: Sequence[str], lease_s: float) -> None:
        """Keep everybody else off these keys, all of them or none.

        The lock belongs to the claim's decision, whoever works on it. It ends with
        :meth:`finish`, :meth:`release` and its lease, and never while a run of that decision is
        unresolved.

        Raises:
            BusyError: another decision has one of them; the message names key and decision.
        """
        ...

    def newest(self, keys: Sequence[str], at_s: float) -> float | None:
        """Note that an event of this time concerns the keys; return the newest time before this."""
        ...

    # -- the journal -----------------------------------------------------------------------

    def begin_run(self, claim: Claim, run: Run) -> None:
        """Keep a plan and its snapshot before its first change; a second time changes nothing.

        Its keys are locked (again): from here on they stay so until the run is resolved.

        Raises:
            BusyError: the claim's lock on one of them ended, and another decision has it.
        """
        ...

    def intend(self, claim: Claim, entry: Entry, lease_s: float) -> None:
        """Write a change down before it is made, and renew the claim and its locks.

        Writing the same entry again while it is ``intended`` does nothing. Another one of the
        same number, or one of a run that is not unresolved, is a StoreError.

        Raises:
            HaltedError: an operator stopped all changes; nothing was written, not even renewed.
        """
        ...

    def settle(
        self, claim: Claim, entry: Entry, state: EntryState, *, made_id: str = "", note: str = ""
    ) -> None:
        """Write down what came of a change; an empty text leaves what was written before."""
        ...

    def close_run(self, claim: Claim, decision_id: str, state: RunState, note: str = "") -> None:
        """Say how the run ended; ``finished`` and ``undone`` free its locks.

        Those two are final: saying the same again does nothing, another state is a StoreError.
        """
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
        """Keep a decision; a later one of the same id takes its place.

        Without a time of its own (0.0) it has that of its first keeping.
        """
        ...

    def decision(self, decision_id: str) -> Record | None:
        """Return one decision."""
        ...

    def decisions(self, query: Query) -> tuple[Record, ...]:
        """Return decisions, the newest first."""
        ...

    # -- people ----------------------------------------------------------------------------

    def ask(self, approval: Approval) -> None:
        """Keep a question to a person; a pending one of the same decision is superseded.

        It begins as ``pending``, whatever it says; asking again under its id changes nothing.
        """
        ...

    def approval(self, approval_id: str) -> Approval | None:
        """Return one approval, whatever its state."""
        ...

    def approvals(self, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Return approvals, the oldest first."""
        ...

    def resolve(self, approval_id: str, state: ApprovalState, by: str) -> bool:
        """Settle a pending approval exactly once; False when it is not pending (any more).

        Whether it has expired is the caller's to judge, by :meth:`now_s`.
        """
        ...

    def reminded(self, approval_id: str) -> None:
        """Note that somebody was reminded of it."""
        ...

    def halt(self, by: str, reason: str) -> None:
        """Stop all changes, of every process, from now on; the last to say so is named."""
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
        """Forget what ended before that time; nothing that is open, pending or stuck.

        Nor anything of a decision whose run is unresolved or whose approval is pending. An event
        ends with its answer, or with the lease of whoever left it; a decision with its last
        keeping. What is forgotten can be claimed as new.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
