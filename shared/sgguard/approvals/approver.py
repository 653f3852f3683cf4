"""Who may answer a question, and what they are told who come too late."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from sgguard.errors import EventError
from sgguard.policy import ApprovalPolicy
from sgguard.render.values import time_json
from sgguard.render.wording import one_line
from sgguard.store.base import Store
from sgguard.store.rows import Approval

_NAME_MAX = 60


def known(store: Store, approval_id: str) -> Approval:
    """Return the question.

    Raises:
        EventError: 404 there is none of this id.
    """
    found = store.approval(approval_id)
    if found is None:
        raise EventError(f"there is no approval {one_line(approval_id, 80)!r}", status=404)
    return found


def require_listed(by: str, policy: ApprovalPolicy) -> None:
    """Refuse everybody whom the policy does not name, spelt exactly as there.

    Raises:
        EventError: 403 they may not answer questions.
    """
    if not by.strip() or by not in policy.approvers:
        raise EventError(
            f"{_name(by)} may not answer this: approval.approvers of the policy does not name them",
            status=403,
        )


def require_other(by: str, approval: Approval, policy: ApprovalPolicy) -> None:
    """Refuse who asked, unless the policy lets people approve what they asked for.

    Raises:
        EventError: 403 they asked themselves, or nobody said who asked.
    """
    if policy.may_approve_own:
        return
    if not approval.requester.strip():
        raise EventError(
            "nobody said who asked for this, so it may have been the approver: send requested_by "
            "with the event, or set approval.may_approve_own",
            status=403,
        )
    if _same(by) == _same(approval.requester):
        raise EventError(
            f"{_name(by)} asked for this and may not approve it (approval.may_approve_own)",
            status=403,
        )


def _same(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_over(approval: Approval, now_s: float) -> bool:
    """Say whether the time to answer is over."""
    return approval.expires_at_s <= now_s


def too_late(approval: Approval, outcome: str = "", successor: str = "") -> EventError:
    """Return why a question cannot be answered (any more), naming who answered it, and when."""
    match approval.state:
        case "approved" if successor:
            who = f"{_name(approval.resolved_by)} approved this already"
            words = "but it had changed, and nothing was done; the fresh question is"
            return EventError(f"{who}, {words} {successor}", status=409)
        case "approved" | "denied":
            at_s = approval.resolved_at_s or 0.0
            who = f"{_name(approval.resolved_by)} {approval.state} this already, {moment(at_s)}"
            return EventError(f"{who}: {outcome}" if outcome else who, status=409)
        case "superseded":
            fresh = f"; the fresh question is {successor}" if successor else ""
            words = "what this was asked about has changed, and nothing was done"
            return EventError(f"{words}{fresh}", status=409)
        case _:
            words = f"the time to answer was over {moment(approval.expires_at_s)}: ask again"
            return EventError(words, status=410)


def moment(at_s: float) -> str:
    """Return a moment for a person: to the second, in UTC."""
    return f"{time_json(datetime.fromtimestamp(at_s, UTC))[:19].replace('T', ' ')} UTC"


def _name(by: str) -> str:
    return one_line(by, _NAME_MAX) or "somebody without a name"
