"""Claims: one event is one piece of work, and whoever has it answers it.

How a claim keeps two workers apart:

1. ``_CLAIM`` makes the claim with fence 1, or takes it over and adds 1 to the fence. It takes
   over only what was released, whose lease has ended, or that is resumed; never while another
   worker holds the decision (:mod:`~sgguard.store.fence`).
2. Every write for a claim names owner *and* fence. A worker that slept while another one took
   over finds no such row: its claim is lost, and its transaction writes nothing.
3. The rows are held in one order: the run, the claim, what the event concerns, its questions, then
   locks of groups and holders in the order of their names.

What another transaction may change meanwhile is read by a statement of its own *after* the row
was locked: PostgreSQL shows each statement what was committed before it began, not before it
waited. SQLite's writing transactions have the whole file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgguard.errors import StoreError
from sgguard.store import fence, locks, schema
from sgguard.store.database import Reply, Session, Tables, Value, autocommit, transaction
from sgguard.store.fence import HELD, MINE, alive
from sgguard.store.rows import (
    Answered,
    Busy,
    Claim,
    Claimed,
    OtherPayload,
    RunState,
)

# Makes a claim, or takes one over. It is taken over only where all of these hold; otherwise no
# row comes back:
# - its content is the same as the first time, where both hashes are known (a resume has none);
# - it was released, or its lease has ended, or this is a resume and it was answered while its run
#   is unresolved;
# - no other worker holds the decision.
# The decision id is never updated: that of the first holder stays.
_CLAIM = f"""
INSERT INTO sgguard_claims (source, event_id, owner, fence, decision_id, payload_hash, state,
    lease_until_s, lease_s, first_at_s)
VALUES (:source, :event_id, :owner, 1, :decision_id, :payload_hash, 'working',
    :now + :lease_s, :lease_s, :now)
ON CONFLICT (source, event_id) DO UPDATE SET
    owner = excluded.owner,
    fence = sgguard_claims.fence + 1,
    payload_hash = COALESCE(sgguard_claims.payload_hash, excluded.payload_hash),
    state = 'working',
    lease_until_s = excluded.lease_until_s,
    lease_s = excluded.lease_s
WHERE COALESCE(excluded.payload_hash, sgguard_claims.payload_hash, '')
        = COALESCE(sgguard_claims.payload_hash, excluded.payload_hash, '')
    AND (
        sgguard_claims.state = 'released'
        OR (sgguard_claims.state = 'working' AND NOT {alive("sgguard_claims")})
        OR (
            sgguard_claims.state = 'answered' AND excluded.payload_hash IS NULL
            AND EXISTS (
                SELECT 1 FROM sgguard_runs
                WHERE sgguard_runs.decision_id = sgguard_claims.decision_id
                    AND sgguard_runs.{locks.UNRESOLVED}
            )
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM sgguard_runs
        WHERE sgguard_runs.decision_id = sgguard_claims.decision_id
            AND sgguard_runs.holder <> '' AND {alive("sgguard_runs")}
    )
RETURNING fence, decision_id, ({schema.NEWEST}), (
    SELECT COUNT(*) FROM sgguard_runs WHERE sgguard_runs.decision_id = sgguard_claims.decision_id
)
"""  # noqa: S608 - put together from constants

_WHY_NOT = f"""
SELECT claim.state, claim.payload_hash, claim.first_at_s,
    CASE WHEN {alive("claim")} THEN claim.lease_until_s - :now ELSE 0 END,
    COALESCE(CASE WHEN run.holder <> '' AND {alive("run")} THEN run.lease_until_s - :now END, 0),
    claim.answer_json
FROM sgguard_claims AS claim
LEFT JOIN sgguard_runs AS run ON run.decision_id = claim.decision_id
WHERE claim.source = :source AND claim.event_id = :event_id
"""  # noqa: S608 - constants

_STATE = f"SELECT state, answer_json FROM sgguard_claims WHERE {MINE}"  # noqa: S608 - constants
_RENEW = f"""
UPDATE sgguard_claims SET lease_until_s = :now + :lease_s, lease_s = :lease_s WHERE {HELD}
"""  # noqa: S608 - constants
_FINISH = f"""
UPDATE sgguard_claims SET state = 'answered', answer_json = :answer_json, lease_until_s = :now
WHERE {HELD}
"""  # noqa: S608 - constants
_RELEASE = f"""
UPDATE sgguard_claims SET state = 'released', lease_until_s = :now WHERE {HELD}
"""  # noqa: S608 - constants

_RUN_STATE = "SELECT state FROM sgguard_runs WHERE decision_id = :decision_id"

_TRIES = 3


class Claims(Tables):
    """One event is one piece of work, and one group has one at a time."""

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
        """Take an event for this worker, or return why it cannot be taken.

        An event whose holder was silent for longer than its lease, or that was released, is taken
        over; nothing of a decision that another worker holds. ``payload_hash`` None takes
        whatever the event was (a resume), and also an event that was answered while its run is
        unresolved. Different content under the same id is reported before anything else.
        """
        # 1. The event.
        given: dict[str, Value] = {
            "owner": owner,
            "decision_id": decision_id,
            "lease_s": lease_s,
            "payload_hash": payload_hash,
        }
        claimed, has_run = self._claim(source, event_id, given)
        # 2. The decision: where it has a run, other events and clicks may be about it.
        if not (isinstance(claimed, Claim) and has_run):
            return claimed
        taken = self._take(claimed, lease_s)
        if isinstance(taken, Claim):
            return taken
        self.release(claimed)
        return Busy(max(taken, 0.0))

    @autocommit
    def _claim(
        self, session: Session, source: str, event_id: str, given: Mapping[str, Value]
    ) -> tuple[Claimed, bool]:
        """Take an event; return beside it whether its decision has a run."""
        payload_hash = given["payload_hash"]
        for _ in range(_TRIES):
            # 1. One statement inserts or takes over; of several workers only one gets a row back.
            taken = session.rows(_CLAIM, source=source, event_id=event_id, **given)
            if taken:
                # The decision is the first holder's: a retry continues it, never begins another.
                [(number, first_id, version, runs)] = taken
                schema.require_known(version)
                owner = str(given["owner"])
                is_again = number > 1
                made = Claim(source, event_id, owner, number, first_id, is_again, number)
                return made, bool(runs)
            # 2. Nothing was taken: read why.
            for state, first_hash, first_at_s, left_s, run_left_s, answer_json in session.rows(
                _WHY_NOT, source=source, event_id=event_id
            ):
                if payload_hash is not None and first_hash not in (None, payload_hash):
                    return OtherPayload(first_at_s), False
                if run_left_s > 0 and (state != "answered" or payload_hash is None):
                    return Busy(run_left_s), False
                if state == "answered":
                    return Answered(answer_json), False
                if state == "working" and left_s > 0:
                    return Busy(left_s), False
            # 3. Between the two statements it was released, ended or was purged: once more.
        return Busy(0.0), False

    @transaction
    def _take(self, session: Session, claim: Claim, lease_s: float) -> Claim | float:
        return fence.take(session, claim, lease_s)

    @transaction
    def renew(self, session: Session, claim: Claim, lease_s: float) -> None:
        """Extend the claim and its locks by another lease from now."""
        fence.hold(session, claim)
        extend(session, claim, lease_s)
        locks.renew(session, claim.decision_id, lease_s)

    @transaction
    def finish(self, session: Session, claim: Claim, answer_json: str) -> None:
        """Keep the answer for every later delivery of the event; free the event's locks.

        They stay while a run of it is unresolved. Finishing again alike does nothing.
        """
        state = session.send(_STATE, **fence.key(claim))
        hold = fence.hold_answering(session, claim)
        answered = send_answer(session, claim, answer_json)
        if state.rows() == [("answered", answer_json)]:
            return
        held = hold()
        require_answered(claim, answered)
        free_unless_unresolved(session, claim, held.status.state)
        if held.status.state is not None:
            fence.let_go(session, claim)

    @transaction
    def release(self, session: Session, claim: Claim, *, keeps_locks: bool = False) -> None:
        """Let the next delivery take the event at once; locks go unless its run is unresolved.

        With ``keeps_locks`` they stay until their leases end: the next delivery has them then. A
        claim that was finished or released is left as it is. A worker whose decision another
        one has frees nothing of it.
        """
        let_go = fence.let_go(session, claim)
        released = session.send(_RELEASE, **fence.key(claim))
        run = session.send(_RUN_STATE, decision_id=claim.decision_id)
        if released.count():
            state = run.rows()[0][0] if run.rows() else None
            if not keeps_locks and (let_go.count() or state is None):
                free_unless_unresolved(session, claim, state)
        elif not session.rows(_STATE, **fence.key(claim)):
            raise fence.lost(claim)

    @transaction
    def lock(
        self,
        session: Session,
        claim: Claim,
        keys: Sequence[str],
        lease_s: float,
        shared: Sequence[str] = (),
    ) -> None:
        """Keep all other decisions off these keys, all of them or none.

        Those that are ``shared`` may be shared by others, and had alone by none. A lock belongs to
        the claim's decision, whichever worker has the claim. It ends with :meth:`finish`,
        :meth:`release` and its lease, and never while a run of that decision is unresolved.

        Raises:
            BusyError: another decision has one of them; the message names key and decision.
        """
        held = fence.hold(session, claim)
        until_s = held.now_s + lease_s
        locks.take(session, claim.decision_id, keys, shared, until_s=until_s, lease_s=lease_s)

    @autocommit
    def locked(self, session: Session, claim: Claim) -> frozenset[str]:
        """Return the keys that the claim's decision has locked."""
        return locks.own(session, claim.decision_id)


def extend(session: Session, claim: Claim, lease_s: float) -> None:
    """Extend the lease on event and decision; the decision is held by now."""
    session.send(_RENEW, lease_s=lease_s, **fence.key(claim))
    fence.renew(session, claim, lease_s)


def send_answer(session: Session, claim: Claim, answer_json: str) -> Reply:
    """Keep the answer for every later delivery of the event; :func:`require_answered` is next."""
    return session.send(_FINISH, answer_json=answer_json, **fence.key(claim))


def require_answered(claim: Claim, answered: Reply) -> None:
    """Insist that the answer was kept.

    Raises:
        LeaseLostError: another worker has the event, or it was finished or released.
    """
    if not answered.count():
        raise fence.lost(claim)


def require_own(claim: Claim, decision_id: str) -> None:
    """Refuse to write for another decision than the claim's: an error of the caller.

    Raises:
        StoreError: it is another one.
    """
    if decision_id != claim.decision_id:
        raise StoreError(
            f"a claim for decision {claim.decision_id} writes nothing for {decision_id}"
        )


def free_unless_unresolved(session: Session, claim: Claim, state: RunState | None) -> None:
    """Free the locks of the claim's decision, unless its run is open or stuck.

    ``state`` is that of its run, which is held: None without one.
    """
    if state not in ("open", "stuck"):
        locks.free(session, claim.decision_id)
