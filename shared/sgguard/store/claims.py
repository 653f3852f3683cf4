"""Claims and locks: one event is one piece of work, and one group has one at a time.

How a claim keeps two workers apart:

1. ``_CLAIM`` makes the claim with fence 1, or takes it over and adds 1 to the fence. It takes
   over only what was released, whose lease has ended, or that is resumed.
2. Every write for a claim names owner *and* fence (``_MINE``). A worker that slept while another
   one took over finds no such row: its claim is lost, and its transaction writes nothing.
3. The claim's row is locked first (:func:`hold`, or an UPDATE of it) and stays so until the
   transaction ends. A takeover waits for that, so nothing is written for a claim after its fence
   has grown.
4. Locks of groups and holders come after it, in the order of their names.

What another transaction may change meanwhile is read by a statement of its own *after* the row
was locked: PostgreSQL shows each statement what was committed before it began, not before it
waited. SQLite's writing transactions have the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sgguard.errors import BusyError, LeaseLostError, StoreError
from sgguard.store.database import Session, Tables, autocommit, transaction
from sgguard.store.rows import Answered, Busy, Claim, Claimed, OtherPayload

_UNRESOLVED = "state IN ('open', 'stuck')"

# Makes a claim, or takes one over. It is taken over only where both of these hold; otherwise no
# row comes back:
# - its content is the same as the first time, where both hashes are known (a resume has none);
# - it was released, or its lease has ended, or this is a resume and it was answered while its run
#   is unresolved.
# The decision id is never updated: that of the first holder stays.
_CLAIM = f"""
INSERT INTO sgguard_claims
    (source, event_id, owner, fence, decision_id, payload_hash, state, lease_until_s, first_at_s)
VALUES
    (:source, :event_id, :owner, 1, :decision_id, :payload_hash, 'working', :now + :lease_s, :now)
ON CONFLICT (source, event_id) DO UPDATE SET
    owner = excluded.owner,
    fence = sgguard_claims.fence + 1,
    payload_hash = COALESCE(sgguard_claims.payload_hash, excluded.payload_hash),
    state = 'working',
    lease_until_s = excluded.lease_until_s
WHERE COALESCE(excluded.payload_hash, sgguard_claims.payload_hash, '')
        = COALESCE(sgguard_claims.payload_hash, excluded.payload_hash, '')
    AND (
        sgguard_claims.state = 'released'
        OR (sgguard_claims.state = 'working' AND sgguard_claims.lease_until_s <= :now)
        OR (
            sgguard_claims.state = 'answered' AND excluded.payload_hash IS NULL
            AND EXISTS (
                SELECT 1 FROM sgguard_runs
                WHERE sgguard_runs.decision_id = sgguard_claims.decision_id
                    AND sgguard_runs.{_UNRESOLVED}
            )
        )
    )
RETURNING fence, decision_id
"""  # noqa: S608 - put together from constants

_WHY_NOT = """
SELECT state, payload_hash, first_at_s, lease_until_s - :now, answer_json
FROM sgguard_claims WHERE source = :source AND event_id = :event_id
"""

# Owner and fence together prove that no other worker took over since this claim was made; the
# state that it was neither finished nor released. The lease is not compared: one that merely ran
# out is still held while no other worker wants it.
_MINE = "source = :source AND event_id = :event_id AND owner = :owner AND fence = :fence"
_HELD = f"{_MINE} AND state = 'working'"

_HOLD = f"SELECT lease_until_s, :now FROM sgguard_claims WHERE {_HELD} FOR UPDATE"  # noqa: S608 - constants
_STATE = f"SELECT state, answer_json FROM sgguard_claims WHERE {_MINE}"  # noqa: S608 - constants
_RENEW = f"UPDATE sgguard_claims SET lease_until_s = :now + :lease_s WHERE {_HELD}"  # noqa: S608 - constants
_RENEW_LOCKS = """
UPDATE sgguard_locks SET lease_until_s = :now + :lease_s WHERE decision_id = :decision_id
"""
_FINISH = f"""
UPDATE sgguard_claims SET state = 'answered', answer_json = :answer_json, lease_until_s = :now
WHERE {_HELD}
"""  # noqa: S608 - constants
_RELEASE = f"""
UPDATE sgguard_claims SET state = 'released', lease_until_s = :now WHERE {_HELD}
"""  # noqa: S608 - constants

# Writes where the lock is new or already this decision's; otherwise it changes nothing but locks
# the row. Either way the row that is there now comes back.
_LOCK = """
INSERT INTO sgguard_locks (name, decision_id, lease_until_s)
VALUES (:name, :decision_id, :until_s)
ON CONFLICT (name) DO UPDATE SET lease_until_s =
    CASE WHEN sgguard_locks.decision_id = excluded.decision_id
    THEN excluded.lease_until_s ELSE sgguard_locks.lease_until_s END
RETURNING decision_id, lease_until_s - :now
"""
_TAKE_LOCK = """
UPDATE sgguard_locks SET decision_id = :decision_id, lease_until_s = :until_s WHERE name = :name
"""
_IS_UNRESOLVED = f"""
SELECT 1 FROM sgguard_runs WHERE decision_id = :decision_id AND {_UNRESOLVED}
"""  # noqa: S608 - constants
_FREE = "DELETE FROM sgguard_locks WHERE decision_id = :decision_id"

_TRIES = 3


class Claims(Tables):
    """One event is one piece of work, and one group has one at a time."""

    @autocommit
    def claim(
        self,
        session: Session,
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
        over. ``payload_hash`` None takes whatever the event was (a resume), and also an event
        that was answered while its run is unresolved. Different content under the same id is
        reported before anything else.
        """
        for _ in range(_TRIES):
            # 1. One statement inserts or takes over; of several workers only one gets a row back.
            taken = session.rows(
                _CLAIM,
                source=source,
                event_id=event_id,
                owner=owner,
                decision_id=decision_id,
                lease_s=lease_s,
                payload_hash=payload_hash,
            )
            if taken:
                # The decision is the first holder's: a retry continues it, never begins another.
                [(fence, first_decision_id)] = taken
                return Claim(source, event_id, owner, fence, first_decision_id, is_again=fence > 1)
            # 2. Nothing was taken: read why.
            for state, first_hash, first_at_s, left_s, answer_json in session.rows(
                _WHY_NOT, source=source, event_id=event_id
            ):
                if payload_hash is not None and first_hash not in (None, payload_hash):
                    return OtherPayload(first_at_s)
                if state == "answered":
                    return Answered(answer_json)
                if state == "working" and left_s > 0:
                    return Busy(left_s)
            # 3. Between the two statements it was released, ended or was purged: once more.
        return Busy(0.0)

    @transaction
    def renew(self, session: Session, claim: Claim, lease_s: float) -> None:
        """Extend the claim and its locks by another lease from now."""
        extend(session, claim, lease_s)

    @transaction
    def finish(self, session: Session, claim: Claim, answer_json: str) -> None:
        """Keep the answer for every later delivery of the event; free the event's locks.

        They stay while a run of it is unresolved. Finishing again alike does nothing.
        """
        if session.count(_FINISH, answer_json=answer_json, **_key(claim)):
            _free_unless_unresolved(session, claim)
        elif session.rows(_STATE, **_key(claim)) != [("answered", answer_json)]:
            raise _lost(claim)

    @transaction
    def release(self, session: Session, claim: Claim) -> None:
        """Let the next delivery take the event at once; locks go unless its run is unresolved.

        A claim that was finished or released is left as it is.
        """
        if session.count(_RELEASE, **_key(claim)):
            _free_unless_unresolved(session, claim)
        elif not session.rows(_STATE, **_key(claim)):
            raise _lost(claim)

    @transaction
    def lock(self, session: Session, claim: Claim, keys: Sequence[str], lease_s: float) -> None:
        """Keep all other decisions off these keys, all of them or none.

        The lock belongs to the claim's decision, whichever worker has the claim. It ends with
        :meth:`finish`, :meth:`release` and its lease, and never while a run of that decision is
        unresolved.

        Raises:
            BusyError: another decision has one of them; the message names key and decision.
        """
        _, now_s = hold(session, claim)
        take(session, claim.decision_id, keys, now_s + lease_s)


def hold(session: Session, claim: Claim) -> tuple[float, float]:
    """Keep others from taking the claim until the transaction ends.

    Returns the end of its lease and the time now.

    Raises:
        LeaseLostError: it is not the newest of its event, or has ended.
    """
    found = session.rows(_HOLD, **_key(claim))
    if not found:
        raise _lost(claim)
    [(lease_until_s, now_s)] = found
    return lease_until_s, now_s


def extend(session: Session, claim: Claim, lease_s: float) -> None:
    """Extend the claim, and the locks of its decision.

    Raises:
        LeaseLostError: as :func:`hold`; the claim's row is held as well.
    """
    if not session.count(_RENEW, lease_s=lease_s, **_key(claim)):
        raise _lost(claim)
    session.count(_RENEW_LOCKS, decision_id=claim.decision_id, lease_s=lease_s)


def take(session: Session, decision_id: str, keys: Iterable[str], until_s: float) -> None:
    """Lock all of the keys for the decision until then.

    Raises:
        BusyError: another decision has one of them; the caller's transaction is rolled back.
    """
    # One order for all transactions, so that two of them never wait for each other.
    for name in sorted(set(keys)):
        # 1. Insert the lock, or extend it where it is this decision's; either holds its row.
        [(holder, left_s)] = session.rows(
            _LOCK, name=name, decision_id=decision_id, until_s=until_s
        )
        if holder == decision_id:
            continue
        # 2. Another decision's lock ends with its lease, but never while its run is unresolved.
        #    The run is read by a statement of its own, after the row was waited for.
        if left_s > 0 or is_unresolved(session, holder):
            raise BusyError(f"{name} is being worked on by decision {holder}")
        # 3. It has ended, and its row is held: take it over.
        session.count(_TAKE_LOCK, name=name, decision_id=decision_id, until_s=until_s)


def free(session: Session, decision_id: str) -> None:
    """Free every lock of a decision."""
    session.count(_FREE, decision_id=decision_id)


def is_unresolved(session: Session, decision_id: str) -> bool:
    """Whether a run of the decision is open or stuck."""
    return bool(session.rows(_IS_UNRESOLVED, decision_id=decision_id))


def require_own(claim: Claim, decision_id: str) -> None:
    """Refuse to write for another decision than the claim's: an error of the caller.

    Raises:
        StoreError: it is another one.
    """
    if decision_id != claim.decision_id:
        raise StoreError(
            f"a claim for decision {claim.decision_id} writes nothing for {decision_id}"
        )


def _free_unless_unresolved(session: Session, claim: Claim) -> None:
    if not is_unresolved(session, claim.decision_id):
        free(session, claim.decision_id)


def _key(claim: Claim) -> dict[str, str | int]:
    return {
        "source": claim.source,
        "event_id": claim.event_id,
        "owner": claim.owner,
        "fence": claim.fence,
    }


def _lost(claim: Claim) -> LeaseLostError:
    return LeaseLostError(
        f"the claim on the event of decision {claim.decision_id} (fence {claim.fence}) has ended"
    )
