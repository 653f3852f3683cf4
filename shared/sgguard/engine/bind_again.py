"""Going on with a bind that another worker began: on an event, or on a notice of the outbox.

Both read the journal under a claim of the bind's own event, so of many at once one goes on, and
the others are told that it is being worked on.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.engine import bind_rest, bulk
from sgguard.engine.bind_rest import cursor_of, hand_on, sent_on
from sgguard.engine.binder import Binder, of_keeper
from sgguard.engine.context import Context
from sgguard.engine.keeper import Keeper
from sgguard.errors import (
    BusyError,
    DeadlineError,
    EventError,
    HaltedError,
    SettingsError,
    SgguardError,
)
from sgguard.model.bind import BindPlan
from sgguard.model.caller import at_most
from sgguard.model.codes import Mode
from sgguard.model.request import RestRequest
from sgguard.model.sentence import said
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.outbox.deliver import ATTEMPT_S, least_s
from sgguard.render.language.refusal import refusal
from sgguard.store import codec
from sgguard.store.notices import OutboxRow
from sgguard.store.rows import Answered, Busy, Claim, Run
from sgguard.wire.clock import Deadline

Json = dict[str, Any]

_TIME_NEEDED_S = 4.0
_BUSY_S = 5.0
_ELSEWHERE_S = 30.0


def go_on(request: RestRequest, context: Context) -> Json:
    """Go on with a bind on the event that handed it on; return its document, ended or not.

    Raises:
        EventError: 403 its caller may change nothing; 422 there is no such bind.
        BusyError: another worker has it.
        HaltedError: all changes are stopped.
        SgguardError: it could not be gone on with.
    """
    if at_most(Mode.ENFORCE, context.caller) is not Mode.ENFORCE:
        raise refusal(EventError, said("unread.bind-may-not"), status=403)
    keeper = Keeper.of(context)
    run = _run_of(keeper, request.decision_id)
    if run is None or f"{request.address}" != _group_of(run):
        raise refusal(EventError, said("unread.bind-none"), status=422)
    if run.state == "open":
        bind_rest.watch(keeper.store, run.decision_id, keeper.lease_s)
    return continued(keeper, run, hands_on=True)


def continued(keeper: Keeper, run: Run, *, hands_on: bool) -> Json:
    """Go on with a run, as one worker; one that ended is answered with its document.

    Raises:
        SgguardError: as :func:`go_on`; DeadlineError too, unless it ``hands_on``.
    """
    binder = of_keeper(keeper, hands_on=hands_on)
    if run.state == "open" and (halted := binder.halted()):
        unfinished = said("decision.unfinished", why=halted, decision=run.decision_id)
        raise refusal(HaltedError, unfinished)
    claim = keeper.claim(run.source, run.event_id, run.decision_id, None)
    if isinstance(claim, Busy):
        busy = refusal(BusyError, said("unread.bind-busy", decision=run.decision_id))
        busy.retry_after_s = max(1.0, claim.retry_after_s)
        raise busy
    if isinstance(claim, Answered):
        return _kept(keeper, run.decision_id)
    if not isinstance(claim, Claim):
        raise TypeError(f"no claim: {claim!r}")
    try:
        return _under(binder, claim)
    except SgguardError as error:
        binder.release(claim)
        if hands_on and isinstance(error, DeadlineError) and (found := hand_on(keeper, claim)):
            return found
        raise


def _under(binder: Binder, claim: Claim) -> Json:
    """Go on with the run of a claim: what was read before it may have changed."""
    run, record = binder.store.run(claim.decision_id), binder.store.decision(claim.decision_id)
    if run is None or record is None:
        raise refusal(EventError, said("unread.bind-none"), status=422)
    document: Json = json.loads(record.document_json)
    if run.state != "open":
        binder.release(claim)
        return document
    return binder.resume(claim, run, document, record.requester)


def _run_of(keeper: Keeper, decision_id: str) -> Run | None:
    run = keeper.store.run(decision_id)
    return run if run is not None and bulk.is_bind(run) else None


def _group_of(run: Run) -> str:
    plan = codec.load(BindPlan, run.plan_json)
    return f"{plan.scope}:{plan.group_id}"


def _kept(keeper: Keeper, decision_id: str) -> Json:
    record = keeper.store.decision(decision_id)
    if record is None:
        raise refusal(EventError, said("unread.bind-none"), status=422)
    found: Json = json.loads(record.document_json)
    return found


# -- the outbox ----------------------------------------------------------------------------------


def sender(context: Context) -> Rests:
    """Return what goes on with binds whose worker had no time left, or died."""
    return Rests(context)


class Rests(msgspec.Struct, frozen=True):
    """Posts the rest of a bind to the target, or goes on with it where there is none."""

    context: Context

    def send(self, row: OutboxRow) -> Result:
        """Hand one run on, or go on with it for as long as one delivery has."""
        left_s = self.context.deadline.remaining_s()
        most_s = min(self.context.settings.deadline_s, left_s, ATTEMPT_S)
        deadline = Deadline.after(most_s, self.context.deadline.clock)
        keeper = Keeper.of(replace(self.context, deadline=deadline, caller=None))
        run = _run_of(keeper, row.decision_id)
        if run is None or run.state != "open":
            return Gone("the bind has ended")
        if self.context.settings.bind_target:
            return sent_on(row, cursor_of(keeper.store, run), keeper.context)
        if left_s < least_s(_TIME_NEEDED_S, self.context.settings.deadline_s):
            return Later("there is no time left for it", 1.0, counted=False)
        try:
            continued(keeper, run, hands_on=False)
        except SgguardError as error:
            return _result_of(error)
        return Sent()


def _result_of(error: SgguardError) -> Result:
    """Return what an error means for the rest of a bind: nearly always, that it comes later."""
    if isinstance(error, EventError):
        return Gone(str(error))
    if isinstance(error, DeadlineError):
        return Later("its rest goes on with the next delivery", 0.0, counted=False)
    if isinstance(error, SettingsError):
        # Another function may have what this one lacks: it must not wait for this one's failures.
        return Later(str(error), _ELSEWHERE_S, counted=False)
    if isinstance(error, BusyError | HaltedError):
        return Later(str(error), error.retry_after_s or _BUSY_S, counted=False)
    return Later(str(error) or type(error).__name__)
