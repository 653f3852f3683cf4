"""What an approval of a bind does: compared with the world, carried out once.

The steps are those of any approval (:mod:`sgguard.approvals.resolve`): what is approved is compared
with what is there now, and once more under the locks of its holders.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from sgguard.engine import bind_decide
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.binder import Binder, of_keeper
from sgguard.engine.keeper import Keeper
from sgguard.engine.waiting import CHANGED
from sgguard.errors import HaltedError, UnavailableError
from sgguard.model.codes import Mode, Outcome
from sgguard.model.failure import explained
from sgguard.model.request import BindRequest
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.rows import Approval, Claim, Record

Json = dict[str, Any]


class ClaimedApproval(Protocol):
    """An approval in process: its claim, the request as read under the claim, the decision."""

    @property
    def executor(self) -> Keeper:
        """The worker of the store."""
        ...

    @property
    def claim(self) -> Claim:
        """The claim on the approval."""
        ...

    @property
    def approval(self) -> Approval:
        """The request."""
        ...

    @property
    def by(self) -> str:
        """Who approved it."""
        ...

    @property
    def record(self) -> Record:
        """The decision."""
        ...


def approved(claimed: ClaimedApproval) -> Json:
    """Carry the plan of an approval request out, or ask anew where it is another one now.

    Raises:
        HaltedError: the mode is ``observe`` now; the request stays open.
        UnavailableError: the world could not be read whole; the request stays open.
        SgguardError: it was not carried out to its end; approving it again goes on.
    """
    # It is not left to who pressed the button: whoever delivers next ends what takes too long.
    binder = of_keeper(claimed.executor, hands_on=True)
    claim, approval = claimed.claim, claimed.approval
    by, record = claimed.by, claimed.record
    request = codec.load(BindRequest, approval.request_json)
    event_id = str(json.loads(record.document_json)["event_id"])
    ids = (event_id, claim.decision_id)
    decide = partial(bind_decide.decide, request, binder.context, *ids)
    again = partial(decide, since={}, is_asked=True)
    decided = _whole(again())
    if _is_same(approval, decided):
        # What is approved is compared once more, under the locks of its plan.
        locked = binder.locked(claim)
        decided = binder.look(claim, decided, lambda one: one.plan, lambda: _whole(again()), locked)
    if decided.mode is Mode.OBSERVE and decided.plan is not None:
        raise refusal(HaltedError, said("approval.observing"))
    if not _is_same(approval, decided):
        return _superseded(binder, claim, approval, by, (request, decided, record))
    now = replace(approval, state="approved", resolved_by=approval.resolved_by or by)
    document = with_outcome(decided.document, Outcome.UNFINISHED, approval=now)
    return binder.enforce(
        claim,
        decided,
        record.requester,
        approved=(approval.approval_id, by),
        document=document,
    )


def _whole(decided: BindDecided) -> BindDecided:
    """Refuse to compare facts that could not be read."""
    if not decided.is_complete:
        detail = "something could not be read; the approval request stays open"
        error = UnavailableError("sgguard", "facts", code="FactsIncomplete", detail=detail)
        raise explained(error, said("approval.incomplete-bind"))
    return decided


def _is_same(approval: Approval, decided: BindDecided) -> bool:
    """Whether the plan is the one that the request shows; ``enforce`` by now covers it as well."""
    return decided.plan is not None and decided.covered == approval.facts_hash


def _superseded(
    binder: Binder,
    claim: Claim,
    approval: Approval,
    by: str,
    found: tuple[BindRequest, BindDecided, Record],
) -> Json:
    """Do nothing; ask for an approval of the new plan where there is one."""
    request, decided, record = found
    if decided.plan is not None:
        return binder.ask(claim, request, decided, requester=record.requester, is_changed=True)
    now = replace(approval, state="superseded", resolved_by=by)
    return binder.end(
        claim,
        with_outcome(decided.document, Outcome.SUPERSEDED, CHANGED, approval=now),
        record.requester,
        run_state="refused",
        resolved=[(approval.approval_id, "superseded", by)],
    )
