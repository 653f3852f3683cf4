"""Requests for a person's approval, each resolved once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sgguard.errors import StoreError
from sgguard.store.database import Session, Tables, autocommit, transaction
from sgguard.store.rows import Approval, ApprovalState

_COLUMNS = (
    "approval_id, decision_id, target_json, requester, facts_hash, request_json, summary,"
    " expires_at_s, state, resolved_by, resolved_at_s, reminded_at_s, asked_at_s, told_at_s"
)
_ALL = f"SELECT {_COLUMNS} FROM sgguard_approvals"  # noqa: S608 - constants
_ONE = f"{_ALL} WHERE approval_id = :approval_id"
_BEGINNING = (
    "SELECT approval_id FROM sgguard_approvals WHERE substr(approval_id, 1, :length) = :beginning"
    " ORDER BY approval_id LIMIT :limit"
)
_OLDEST_FIRST = "ORDER BY asked_at_s, approval_id"
_SUPERSEDE = """
UPDATE sgguard_approvals SET state = 'superseded', resolved_at_s = :now
WHERE decision_id = :decision_id AND state = 'pending'
"""
_ASK = f"""
INSERT INTO sgguard_approvals ({_COLUMNS})
VALUES (:approval_id, :decision_id, :target_json, :requester, :facts_hash, :request_json,
    :summary, :expires_at_s, 'pending', '', NULL, NULL, :now, NULL)
"""  # noqa: S608 - constants
_RESOLVE = """
UPDATE sgguard_approvals SET state = :state, resolved_by = :resolved_by, resolved_at_s = :now
WHERE approval_id = :approval_id AND state = 'pending'
"""
_REMINDED = "UPDATE sgguard_approvals SET reminded_at_s = :now WHERE approval_id = :approval_id"
_TOLD = "UPDATE sgguard_approvals SET told_at_s = :now WHERE approval_id = :approval_id"


class Approvals(Tables):
    """Approval requests, and what became of them."""

    @transaction
    def ask(self, session: Session, approval: Approval) -> None:
        """Keep an approval request; a pending one of the same decision is superseded.

        It begins as ``pending``, whatever its ``state``; one whose id is kept already is ignored.
        """
        put(session, approval)

    @autocommit
    def approval(self, session: Session, approval_id: str) -> Approval | None:
        """Return one approval request, whatever its state."""
        return read(session, approval_id)

    @autocommit
    def approval_ids(self, session: Session, beginning: str, limit: int = 5) -> tuple[str, ...]:
        """Return ids of approval requests that begin so, at most ``limit``, in order."""
        found = session.rows(_BEGINNING, beginning=beginning, length=len(beginning), limit=limit)
        return tuple(str(one) for (one,) in found)

    @autocommit
    def approvals(
        self, session: Session, state: ApprovalState | None = None
    ) -> tuple[Approval, ...]:
        """Return all approval requests, or those of one state, the oldest first."""
        if state is None:
            found = session.rows(f"{_ALL} {_OLDEST_FIRST}")
        else:
            found = session.rows(f"{_ALL} WHERE state = :state {_OLDEST_FIRST}", state=state)
        return tuple(_approval(row) for row in found)

    @transaction
    def resolve(self, session: Session, approval_id: str, state: ApprovalState, by: str) -> bool:
        """Settle a pending approval request exactly once; False when it is not pending (any more).

        Whether it has expired is the caller's to judge, by
        :meth:`~sgguard.store.base.Store.now_s`.
        """
        if state == "pending":
            raise StoreError("an approval request is not resolved by becoming pending")
        return settle(session, approval_id, state, by)

    @transaction
    def reminded(self, session: Session, approval_id: str) -> None:
        """Note that a reminder was sent."""
        session.count(_REMINDED, approval_id=approval_id)


def put(session: Session, approval: Approval) -> None:
    """Keep a request, as :meth:`Approvals.ask` does."""
    if session.rows(_ONE, approval_id=approval.approval_id):
        return
    supersede(session, approval.decision_id)
    session.count(
        _ASK,
        approval_id=approval.approval_id,
        decision_id=approval.decision_id,
        target_json=json.dumps(approval.target),
        requester=approval.requester,
        facts_hash=approval.facts_hash,
        request_json=approval.request_json,
        summary=approval.summary,
        expires_at_s=approval.expires_at_s,
    )


def supersede(session: Session, decision_id: str) -> None:
    """Close the pending request of a decision, if there is one: its plan is no longer asked for."""
    session.count(_SUPERSEDE, decision_id=decision_id)


def settle(session: Session, approval_id: str, state: ApprovalState, by: str) -> bool:
    """Settle a pending request, as :meth:`Approvals.resolve` does."""
    return session.count(_RESOLVE, approval_id=approval_id, state=state, resolved_by=by) == 1


def note_told(session: Session, told: Iterable[str], reminded: Iterable[str]) -> None:
    """Note which requests were told to have expired, and which were reminded of."""
    for statement, ids in ((_TOLD, told), (_REMINDED, reminded)):
        for approval_id in ids:
            session.count(statement, approval_id=approval_id)


def read(session: Session, approval_id: str) -> Approval | None:
    """Return one approval request, whatever its state."""
    found = session.rows(_ONE, approval_id=approval_id)
    return _approval(found[0]) if found else None


def _approval(row: Iterable[Any]) -> Approval:
    approval_id, decision_id, target_json, *rest = row
    return Approval(approval_id, decision_id, tuple(json.loads(target_json)), *rest)
