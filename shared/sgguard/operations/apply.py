"""Carrying out a delete from the command line, as the functions would: claimed, kept, journalled.

A person sees the plan before it is carried out. What is carried out is that plan: the facts are
read again, and where they give another one nothing is done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, InputError, SgguardError
from sgguard.model.request import DeleteRequest
from sgguard.remedy.covered import covered
from sgguard.remedy.prepare import as_shown
from sgguard.store.rows import Answered, Busy, Claim

Json = dict[str, Any]

SOURCE = "apply"


class Proposal(msgspec.Struct, frozen=True):
    """One delete that was judged and not carried out yet; ``covered`` is all that a yes covers."""

    request: DeleteRequest
    event_id: str
    decided: Decided
    covered: str

    @property
    def decision_id(self) -> str:
        """Return the id under which the decision is kept once it is carried out."""
        return self.decided.decision.decision_id


def propose(requests: Sequence[DeleteRequest], context: Context) -> list[Proposal | Exception]:
    """Judge deletes; of each the proposal or the error is returned. Nothing is changed or kept."""
    event_ids = [context.new_id() for _ in requests]
    judged = decide.judge_deletes(list(zip(requests, event_ids, strict=True)), context)
    return [
        one if isinstance(one, Exception) else _proposed(request, event_id, one)
        for request, event_id, one in zip(requests, event_ids, judged, strict=True)
    ]


def _proposed(request: DeleteRequest, event_id: str, decided: Decided) -> Proposal | Exception:
    try:
        return Proposal(request, event_id, decided, _covered(decided))
    except SgguardError as error:
        return error


def carry_out(proposal: Proposal, context: Context) -> Json:
    """Do what mode and policy say about a proposal, and return the document that is kept.

    Called again after an error, it continues.

    Raises:
        InputError: the facts or the plan are no longer those of the proposal; nothing was done.
        BusyError: another decision about its groups is being carried out.
        SgguardError: it was not finished.
    """
    executor = Executor.of(context)
    claim = executor.claim(SOURCE, proposal.event_id, proposal.decision_id, None)
    match claim:
        case Claim():
            pass
        case Answered(answer_json):
            found: Json = json.loads(answer_json)
            return found
        case Busy(retry_after_s):
            busy = BusyError(f"decision {proposal.decision_id} is being carried out already")
            busy.retry_after_s = max(1.0, retry_after_s)
            raise busy
        case _:
            raise AssertionError("a claim without a payload hash has no other payload")
    if executor.is_begun(claim):
        return executor.resume(claim)
    try:
        decided = _again(proposal, context)
    except SgguardError:
        executor.release(claim)
        raise
    require = partial(_require_same, proposal)
    return executor.act(claim, proposal.request, None, decided, require=require)


def _again(proposal: Proposal, context: Context) -> Decided:
    """Judge once more, and insist that nothing has changed since the plan was shown."""
    asked = [(proposal.request, proposal.event_id)]
    (fresh,) = decide.judge_deletes(asked, context, [proposal.decision_id])
    if isinstance(fresh, Exception):
        raise fresh
    _require_same(proposal, fresh)
    return fresh


def _require_same(shown: Proposal, fresh: Decided) -> Decided:
    """Return what was shown with all that a yes to it covers, for whoever goes on with it."""
    if _print_of(fresh, _covered(fresh)) != _print_of(shown.decided, shown.covered):
        raise InputError(
            "the facts have changed since the plan was shown: nothing was done; run the command "
            "again to see the new plan"
        )
    if fresh.prepared is None:
        return fresh
    return replace(fresh, prepared=as_shown(fresh.prepared, shown.covered))


def _covered(decided: Decided) -> str:
    return covered(decided.cloud, decided.decision.facts, decided.prepared)


def _print_of(decided: Decided, covered_then: str) -> tuple[str, str, str]:
    decision = decided.decision
    return decision.judgement.verdict, decision.mode, covered_then
