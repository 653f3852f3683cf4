"""A run that has changed nothing so far is looked at as it was at its begin, before it goes on.

Its worker died between the begin and its first change, and hours may have passed: the approver may
be on the list no more, the mode another one, and what the plan touches and points to not what it
was. Nobody has judged that, and a yes does not cover it. What has changed something already is not
looked at so: it goes on, or back, by its journal.
"""

from __future__ import annotations

import json
from typing import Any

from sgguard.engine.approver import is_expired, withdrawn
from sgguard.engine.concern import judge_again
from sgguard.engine.decide import Decided
from sgguard.engine.keeper import APPROVAL_SOURCE, Keeper
from sgguard.errors import UnavailableError
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode, ReasonCode
from sgguard.model.failure import explained
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.sentence import Sentence, said
from sgguard.remedy.covered import covered
from sgguard.remedy.prepare import Prepared, as_judged, without_sentences
from sgguard.render.document import to_json
from sgguard.render.language.sentence import message_of
from sgguard.store import codec
from sgguard.store.rows import Approval, Record, Run

Json = dict[str, Any]
Request = DeleteRequest | LaunchRequest

MOVED = said("note.moved")
"""Why a plan does not go on that was begun and has changed nothing."""


def against(
    keeper: Keeper, run: Run, record: Record, prepared: Prepared, asked: Request | None = None
) -> Sentence | None:
    """Return why a plan must not go on that changed nothing so far; None where it may.

    ``asked`` is what its event asks for, where that has come again. Its keys are still locked: no
    other plan has changed them since, only people have.

    Raises:
        SgguardError: the cloud could not be asked, or never stands still; the run stays open.
    """
    approval = approval_of(keeper, run)
    if approval is not None and (why := no_longer(keeper, approval)):
        return why
    ids = (_event_id(record), run.decision_id)
    request = asked or _request(record, approval, prepared.plan.scope)
    decided = judge_again(request, keeper.context, ids)
    if approval is not None:
        _require_whole(decided, run)
    if why := not_in(decided.decision.mode, approval):
        return why
    return None if _is_same(decided, record, prepared, approval) else MOVED


def approval_of(keeper: Keeper, run: Run) -> Approval | None:
    """Return the request on whose yes a run was begun; None where nobody was asked."""
    return keeper.store.approval(run.event_id) if run.source == APPROVAL_SOURCE else None


def no_longer(keeper: Keeper, approval: Approval) -> Sentence | None:
    """Return why a yes counts no more: whoever gave it may not, or it was given too long ago."""
    if why := withdrawn(approval, approval.resolved_by, keeper.context.policy.approval):
        return why
    return said("note.lapsed") if is_expired(approval, keeper.store.now_s()) else None


def not_in(mode: Mode, approval: Approval | None) -> Sentence | None:
    """Return why nothing is begun in a mode: it observes, or asks and nobody has said yes."""
    if mode is Mode.OBSERVE:
        return said("note.observing")
    return said("note.unasked") if mode is Mode.APPROVE and approval is None else None


def _event_id(record: Record) -> str:
    """Return the event's id as its sender knows it."""
    return str(json.loads(record.document_json)["event_id"])


def _require_whole(decided: Decided, run: Run) -> None:
    """Refuse to compare what could not be read with what a yes covers; the yes ends by itself."""
    about, code = (decided.cloud.capabilities.provider, "facts"), "FactsIncomplete"
    for one in decided.decision.judgement.reasons:
        if (one.code, one.effect) == (ReasonCode.FACTS_INCOMPLETE, "block"):
            error = UnavailableError(*about, code=code, detail=message_of(one))
            unfinished = said("decision.unfinished", why=one.sentence, decision=run.decision_id)
            raise explained(error, unfinished)


def _request(record: Record, approval: Approval | None, scope: Scope) -> Request:
    """Return what was asked for: with a question it is kept, without one its targets tell it."""
    is_delete = record.guard == "delete"
    if approval is not None:
        text = approval.request_json
        return codec.load(DeleteRequest, text) if is_delete else codec.load(LaunchRequest, text)
    if is_delete:
        return DeleteRequest(tuple(map(Address.parse, record.target)), record.requester)
    instance_id = record.target[0].removeprefix(f"{scope}:")
    return LaunchRequest(scope, instance_id=instance_id, requested_by=record.requester)


def _is_same(
    decided: Decided, record: Record, prepared: Prepared, approval: Approval | None
) -> bool:
    """Whether the plan that would be made now is the one that was begun, seen as whole as then."""
    now = decided.prepared
    begun, shown = as_judged(prepared)
    if now is None or without_sentences(now) != without_sentences(begun):
        return False
    unseen = json.loads(record.document_json)["facts"]["unseen"]
    found: Json = to_json(decided.decision)
    if any(one not in unseen for one in found["facts"]["unseen"]):
        return False
    said_yes_to = approval.facts_hash if approval else shown
    if not said_yes_to:
        return True
    return covered(decided.cloud, decided.decision.facts, now) == said_yes_to
