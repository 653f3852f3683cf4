"""Who may decide on an approval request, whose yes still counts, and why a decision is too late."""

from __future__ import annotations

from datetime import UTC, datetime

from sgguard.errors import EventError
from sgguard.model.person import may_be_same
from sgguard.model.sentence import Sentence, moment, said
from sgguard.policy import ApprovalPolicy
from sgguard.render.language.refusal import refusal, sentence_of
from sgguard.render.wording import one_line
from sgguard.store.base import Store
from sgguard.store.rows import Approval

_NAME_MAX = 60
_ANSWERED, _OVER = 409, 410


def known(store: Store, approval_id: str) -> Approval:
    """Return the approval request.

    Raises:
        EventError: 404 there is none of this id.
    """
    found = store.approval(approval_id)
    if found is None:
        raise refusal(EventError, said("approval.none", approval=approval_id), status=404)
    return found


def require_listed(by: str, policy: ApprovalPolicy) -> None:
    """Refuse every person whom the policy does not list, spelt exactly as there.

    Raises:
        EventError: 403 they may not decide on approval requests.
    """
    if not by.strip():
        raise refusal(EventError, said("approval.nameless"), status=403)
    if by not in policy.approvers:
        raise refusal(EventError, said("approval.unlisted", name=by), status=403)


def require_approver(by: str, policy: ApprovalPolicy) -> None:
    """Refuse a restore to every person whom the policy does not list, spelt exactly as there.

    Raises:
        EventError: 403 they may not restore what was approved.
    """
    if not by.strip() or by not in policy.approvers:
        raise refusal(EventError, said("restore.unlisted", name=_name(by)), status=403)


def require_other(by: str, approval: Approval, policy: ApprovalPolicy) -> None:
    """Refuse the requester, unless the policy lets people approve their own requests.

    Raises:
        EventError: 403 they are the requester, or the requester is not known.
    """
    if policy.may_approve_own:
        return
    if not approval.requester.strip():
        raise refusal(EventError, said("approval.requester-unknown"), status=403)
    if may_be_same(by, approval.requester):
        raise refusal(EventError, said("approval.own", name=by), status=403)


def withdrawn(approval: Approval, by: str, policy: ApprovalPolicy) -> Sentence | None:
    """Return why the plan must not begin; None where whoever approved it still may.

    ``by`` decides now; for a request that was approved before, the one who did counts.
    """
    who = approval.resolved_by if approval.state == "approved" else by
    try:
        require_listed(who, policy)
        require_other(who, approval, policy)
    except EventError as error:
        return said("approval.withdrawn", why=sentence_of(error) or str(error))
    return None


def is_expired(approval: Approval, now_s: float) -> bool:
    """Whether the approval request has expired."""
    return approval.expires_at_s <= now_s


def too_late(approval: Approval, outcome: str = "", successor: str = "") -> EventError:
    """Return why a request cannot be decided (any more): who decided it, when, and the outcome."""
    sentence, status = _too_late(approval, outcome, successor), _OVER
    if approval.state in ("approved", "denied", "superseded"):
        status = _ANSWERED
    return refusal(EventError, sentence, status=status)


def _too_late(approval: Approval, outcome: str, successor: str) -> Sentence:
    name, at = _name(approval.resolved_by), _moment(approval.resolved_at_s or 0.0)
    match approval.state:
        case "approved" if successor:
            return said("approval.approved-changed", name=name, approval=successor)
        case "approved":
            done = said("approval.approved-and", name=name, at=at, outcome=outcome)
            return done if outcome else said("approval.approved", name=name, at=at)
        case "denied":
            return said("approval.denied", name=name, at=at)
        case "superseded" if successor:
            return said("approval.superseded-by", approval=successor)
        case "superseded":
            return said("approval.superseded")
        case _:
            return said("approval.expired", at=_moment(approval.expires_at_s))


def _moment(at_s: float) -> Sentence:
    return moment(datetime.fromtimestamp(at_s, UTC))


def _name(by: str) -> str:
    return one_line(by, _NAME_MAX) or "-"
