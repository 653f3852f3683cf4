"""Locks of groups and holders: two decisions never change the same, nor what another points to.

A key is taken *alone* (what a plan changes) or *shared* (what it only points to: a replacement, a
fallback). A shared key has a row of its own for each decision, beside the row of the key, which
every taker writes first: so takers of one key wait for each other, and what they then read is
what is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from sgguard.errors import BusyError, MovedError
from sgguard.store.database import Session, Value
from sgguard.store.fence import alive

UNRESOLVED = "state IN ('open', 'stuck')"

# The row of a key: written where it is new, or this decision's; else only held. Without a holder
# it stands for the key alone. Either way the row that is there now comes back.
_LOCK = f"""
INSERT INTO sgguard_locks (name, decision_id, lease_until_s, lease_s, shares)
VALUES (:name, :decision_id, :until_s, :lease_s, '')
ON CONFLICT (name) DO UPDATE SET
    lease_until_s = CASE WHEN sgguard_locks.decision_id = excluded.decision_id
        THEN excluded.lease_until_s ELSE sgguard_locks.lease_until_s END,
    lease_s = CASE WHEN sgguard_locks.decision_id = excluded.decision_id
        THEN excluded.lease_s ELSE sgguard_locks.lease_s END
RETURNING decision_id, CASE WHEN {alive("sgguard_locks")} THEN 1 ELSE 0 END
"""  # noqa: S608 - constants
_HOLD = f"""
INSERT INTO sgguard_locks (name, decision_id, lease_until_s, lease_s, shares)
VALUES (:name, '', 0, 0, '')
ON CONFLICT (name) DO UPDATE SET shares = ''
RETURNING decision_id, CASE WHEN {alive("sgguard_locks")} THEN 1 ELSE 0 END
"""  # noqa: S608 - constants
_TAKE = """
UPDATE sgguard_locks SET decision_id = :decision_id, lease_until_s = :until_s, lease_s = :lease_s
WHERE name = :name
"""
_SHARE = """
INSERT INTO sgguard_locks (name, decision_id, lease_until_s, lease_s, shares)
VALUES (:row_name, :decision_id, :until_s, :lease_s, :name)
ON CONFLICT (name) DO UPDATE SET
    lease_until_s = excluded.lease_until_s, lease_s = excluded.lease_s
"""
_SHARERS = f"""
SELECT decision_id, CASE WHEN {alive("sgguard_locks")} THEN 1 ELSE 0 END FROM sgguard_locks
WHERE shares = :name AND decision_id <> :decision_id
"""  # noqa: S608 - constants
_RENEW = """
UPDATE sgguard_locks SET lease_until_s = :now + :lease_s, lease_s = :lease_s
WHERE decision_id = :decision_id
"""
_OWN = "SELECT name, shares FROM sgguard_locks WHERE decision_id = :decision_id"
# With its locks go the rows of keys that it was the last to share.
_FREE = """
DELETE FROM sgguard_locks WHERE decision_id = :decision_id OR (
    decision_id = ''
    AND name IN (SELECT mine.shares FROM sgguard_locks AS mine
        WHERE mine.decision_id = :decision_id AND mine.shares <> '')
    AND NOT EXISTS (SELECT 1 FROM sgguard_locks AS other
        WHERE other.shares = sgguard_locks.name AND other.decision_id <> :decision_id)
)
"""
_IS_UNRESOLVED = f"""
SELECT 1 FROM sgguard_runs WHERE decision_id = :decision_id AND {UNRESOLVED}
"""  # noqa: S608 - constants


def take(
    session: Session,
    decision_id: str,
    keys: Iterable[str],
    shared: Iterable[str],
    *,
    until_s: float,
    lease_s: float,
) -> None:
    """Lock all of the keys for the decision until then, ``shared`` ones beside other sharers.

    Raises:
        BusyError: another decision has one of them; the caller's transaction is rolled back.
    """
    alone = set(keys)
    values: dict[str, Value] = {"decision_id": decision_id, "until_s": until_s, "lease_s": lease_s}
    # 1. Write or hold the row of each key, and ask who else shares it, after it was waited for. One
    #    order for all transactions, so that two of them never wait for each other.
    rows = [
        (
            name,
            session.send(_LOCK, name=name, **values),
            session.send(_SHARERS, name=name, decision_id=decision_id),
        )
        if name in alone
        else (name, session.send(_HOLD, name=name), None)
        for name in sorted(alone | set(shared))
    ]
    for name, row, sharers in rows:
        [(holder, is_alive)] = row.rows()
        # 2. Another decision's lock ends with its lease, but never while its run is unresolved.
        #    The run is read by a statement of its own, after the row was waited for.
        if holder not in ("", decision_id) and (is_alive or is_unresolved(session, holder)):
            raise _busy(name, holder)
        # 3. To share it is to have a row beside it.
        if sharers is None:
            session.send(_SHARE, name=name, row_name=f"{name} of {decision_id}", **values)
            continue
        # 4. To have it alone, nobody else may share it.
        for sharer, is_sharing in sharers.rows():
            if is_sharing or is_unresolved(session, sharer):
                raise _busy(name, sharer)
        if holder != decision_id:
            session.send(_TAKE, name=name, **values)


def require(session: Session, decision_id: str, keys: Iterable[str], shared: Iterable[str]) -> None:
    """Insist that the decision has had all of the keys since it took them.

    Raises:
        BusyError: one of its locks ended, and another decision took it.
    """
    mine = own(session, decision_id)
    for name in sorted(set(keys) | set(shared)):
        if name not in mine:
            raise MovedError(f"another decision worked on {name} meanwhile")


def own(session: Session, decision_id: str) -> frozenset[str]:
    """Return the keys that a decision has locked, alone or shared."""
    found = session.rows(_OWN, decision_id=decision_id)
    return frozenset(str(shares or name) for name, shares in found)


def renew(session: Session, decision_id: str, lease_s: float) -> None:
    """Extend every lock of a decision."""
    session.send(_RENEW, decision_id=decision_id, lease_s=lease_s)


def free(session: Session, decision_id: str) -> None:
    """Free every lock of a decision."""
    session.send(_FREE, decision_id=decision_id)


def is_unresolved(session: Session, decision_id: str) -> bool:
    """Whether a run of the decision is open or stuck."""
    return bool(session.rows(_IS_UNRESOLVED, decision_id=decision_id))


def _busy(name: str, holder: str) -> BusyError:
    return BusyError(f"{name} is being worked on by decision {holder}")
