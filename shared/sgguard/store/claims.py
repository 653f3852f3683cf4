"""Claims and locks: one event is one piece of work, and one group has one at a time.

A transaction that writes for a claim first takes hold of the claim's row (:func:`hold`), then of
locks in the order of their names. What another transaction may change meanwhile is read by a
statement of its own *after* the row was taken: PostgreSQL shows each statement what was committed
before it began, not before it waited.
"""

from __future__ import annotations

from collections.abc import Iterable

from sgguard.errors import BusyError, LeaseLostError, StoreError
from sgguard.store.database import Session
from sgguard.store.rows import Answered, Busy, Claim, Claimed, OtherPayload

_UNRESOLVED = "state IN ('open', 'stuck')"

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


def claim(
    session: Session,
    source: str,
    event_id: str,
    *,
    owner: str,
    decision_id: str,
    lease_s: float,
    payload_hash: str | None,
) -> Claimed:
    """Take an event with one statement; if that takes nothing, another says why."""
    for _ in range(_TRIES):
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
            [(fence, first_decision_id)] = taken
            return Claim(source, event_id, owner, fence, first_decision_id, is_again=fence > 1)
        for state, first_hash, first_at_s, left_s, answer_json in session.rows(
            _WHY_NOT, source=source, event_id=event_id
        ):
            if payload_hash is not None and first_hash not in (None, payload_hash):
                return OtherPayload(first_at_s)
            if state == "answered":
                return Answered(answer_json)
            if state == "working" and left_s > 0:
                return Busy(left_s)
        # Between the two it was released, or its lease ended, or it was forgotten: once more.
    return Busy(0.0)


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


def renew(session: Session, claim: Claim, lease_s: float) -> None:
    """Extend the claim, and the locks of its decision."""
    if not session.count(_RENEW, lease_s=lease_s, **_key(claim)):
        raise _lost(claim)
    session.count(_RENEW_LOCKS, decision_id=claim.decision_id, lease_s=lease_s)


def finish(session: Session, claim: Claim, answer_json: str) -> None:
    """Keep the answer and free the locks; the same a second time is nothing new."""
    if not session.count(_FINISH, answer_json=answer_json, **_key(claim)):
        if session.rows(_STATE, **_key(claim)) != [("answered", answer_json)]:
            raise _lost(claim)
        return
    _free_unless_unresolved(session, claim)


def release(session: Session, claim: Claim) -> None:
    """Give the event back; one that has ended is left as it is."""
    if not session.count(_RELEASE, **_key(claim)):
        if not session.rows(_STATE, **_key(claim)):
            raise _lost(claim)
        return
    _free_unless_unresolved(session, claim)


def lock(session: Session, claim: Claim, keys: Iterable[str], lease_s: float) -> None:
    """Take all of the keys for the claim's decision."""
    _, now_s = hold(session, claim)
    take(session, claim.decision_id, keys, now_s + lease_s)


def take(session: Session, decision_id: str, keys: Iterable[str], until_s: float) -> None:
    """Take all of the keys until then.

    Raises:
        BusyError: another decision has one of them; the caller's transaction takes all back.
    """
    for name in sorted(set(keys)):
        [(holder, left_s)] = session.rows(
            _LOCK, name=name, decision_id=decision_id, until_s=until_s
        )
        if holder == decision_id:
            continue
        if left_s > 0 or is_unresolved(session, holder):
            raise BusyError(f"{name} is being worked on by decision {holder}")
        session.count(_TAKE_LOCK, name=name, decision_id=decision_id, until_s=until_s)


def free(session: Session, decision_id: str) -> None:
    """Free every lock of a decision."""
    session.count(_FREE, decision_id=decision_id)


def is_unresolved(session: Session, decision_id: str) -> bool:
    """Say whether a run of the decision is open or stuck."""
    return bool(session.rows(_IS_UNRESOLVED, decision_id=decision_id))


def require_own(claim: Claim, decision_id: str) -> None:
    """Refuse to write for another decision than the claim's: a mistake of the caller.

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
