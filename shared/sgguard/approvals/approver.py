"""Who may decide on an approval request, and why a decision comes too late."""

from __future__ import annotations

from datetime import UTC, datetime

from sgguard.errors import EventError
from sgguard.model.person import may_be_same
from sgguard.policy import ApprovalPolicy
from sgguard.render.values import time_json
from sgguard.render.wording import one_line
from sgguard.store.base import Store
from sgguard.store.rows import Approval

_NAME_MAX = 60


def known(store: Store, approval_id: str) -> Approval:
    """Return the approval request.

    Raises:
        EventError: 404 there is none of this id.
    """
    found = store.approval(approval_id)
    if found is None:
        raise EventError(f"there is no approval {one_line(approval_id, 80)!r}", status=404)
    return found


def require_listed(by: str, policy: ApprovalPolicy) -> None:
    """Refuse every person whom the policy does not list, spelt exactly as there.

    Raises:
        EventError: 403 they may not decide on approval requests.
    """
    if not by.strip() or by not in policy.approvers:
        raise EventError(
            f"{_name(by)} may not approve or deny this: approval.approvers does not list them",
            status=403,
        )


def require_other(by: str, approval: Approval, policy: ApprovalPolicy) -> None:
    """Refuse the requester, unless the policy lets people approve their own requests.

    Raises:
        EventError: 403 they are the requester, or the requester is not known.
    """
    if policy.may_approve_own:
        return
    if not approval.requester.strip():
        raise EventError(
            "the requester is not known, so it may be the approver: send requested_by with the "
            "event, or set approval.may_approve_own",
            status=403,
        )
    if may_be_same(by, approval.requester):
        raise EventError(
            f"{_name(by)} requested this and may not approve it (approval.may_approve_own)",
            status=403,
        )


def is_expired(approval: Approval, now_s: float) -> bool:
    """Whether the approval request has expired."""
    return approval.expires_at_s <= now_s


def too_late(approval: Approval, outcome: str = "", successor: str = "") -> EventError:
    """Return why a request cannot be decided (any more): who decided it, when, and the outcome."""
    match approval.state:
        case "approved" if successor:
            who = f"{_name(approval.resolved_by)} approved this already"
            message = "but the facts had changed, and nothing was done; the new approval request is"
            return EventError(f"{who}, {message} {successor}", status=409)
        case "approved" | "denied":
            at_s = approval.resolved_at_s or 0.0
            who = f"{_name(approval.resolved_by)} {approval.state} this already, {moment(at_s)}"
            return EventError(f"{who}: {outcome}" if outcome else who, status=409)
        case "superseded":
            fresh = f"; the new approval request is {successor}" if successor else ""
            message = "the facts of this approval request have changed, and nothing was done"
            return EventError(f"{message}{fresh}", status=409)
        case _:
            at = moment(approval.expires_at_s)
            message = f"this approval request expired {at}: send the event again"
            return EventError(message, status=410)


def moment(at_s: float) -> str:
    """Return a moment for a person: to the second, in UTC."""
    return f"{time_json(datetime.fromtimestamp(at_s, UTC))[:19].replace('T', ' ')} UTC"


def _name(by: str) -> str:
    return one_line(by, _NAME_MAX) or "a person without a name"
