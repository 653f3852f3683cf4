"""What a change of a decision writes into the outbox, in the transaction of the change."""

from __future__ import annotations

from sgguard.store.database import Reply, Session, Value
from sgguard.store.notices import Notice, Telling

_NUMBER = """
(SELECT COALESCE(MAX(number), 0) + 1 FROM sgguard_outbox WHERE order_key = :order_key)
"""
_PUT = f"""
INSERT INTO sgguard_outbox (notice_id, kind, decision_id, destination, order_key, number,
    payload_json, reference_json, version, state, attempts, problem, created_at_s, next_try_s,
    wait_s, keep_s, expires_at_s, owner, fence, lease_until_s, lease_s)
VALUES (:notice_id, :kind, :decision_id, :destination, :order_key, {_NUMBER},
    :payload_json, '', 1, 'waiting', 0, '', :now, :now + :after_s,
    :after_s, :keep_s, :now + :keep_s, '', 0, :now, 0)
ON CONFLICT (notice_id) DO NOTHING
"""  # noqa: S608 - constants
# One that waits keeps its next attempt: a destination that fails is not hurried.
_AGAIN = """
    version = version + 1,
    attempts = CASE WHEN state = 'waiting' THEN attempts ELSE 0 END,
    next_try_s = CASE WHEN state = 'waiting' THEN next_try_s ELSE :now + :after_s END,
    wait_s = CASE WHEN state = 'waiting' THEN wait_s ELSE :after_s END,
    expires_at_s = :now + keep_s, ended_at_s = NULL, state = 'waiting'
"""
_RENEW = f"""
UPDATE sgguard_outbox SET payload_json = :payload_json, {_AGAIN} WHERE notice_id = :notice_id
"""  # noqa: S608 - constants
_RENEW_ALL = f"""
UPDATE sgguard_outbox SET {_AGAIN} WHERE decision_id = :decision_id AND kind = :kind
    AND (state IN ('waiting', 'delivered') OR (state = 'dead' AND reference_json <> ''))
"""  # noqa: S608 - constants


def put(session: Session, decision_id: str, told: Telling) -> None:
    """Write what a change of a decision is told by; part of the transaction of the change."""
    for kind in told.renewed:
        for about in (decision_id, *told.also):
            session.send(_RENEW_ALL, decision_id=about, kind=kind, after_s=0.0)
    for one, written in [(one, _put(session, one)) for one in told.notices]:
        if one.renews and not written.count():
            given: dict[str, Value] = {"payload_json": one.payload_json, "after_s": one.after_s}
            session.send(_RENEW, notice_id=one.notice_id, **given)


def _put(session: Session, notice: Notice) -> Reply:
    return session.send(
        _PUT,
        notice_id=notice.notice_id,
        kind=notice.kind,
        decision_id=notice.decision_id,
        destination=notice.destination,
        order_key=notice.order_key,
        payload_json=notice.payload_json,
        after_s=notice.after_s,
        keep_s=notice.keep_s,
    )
