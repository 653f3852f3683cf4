"""One group on many holders: each event is handled once, and answered with a document.

A redelivery, the event that hands the rest on, a notice of the outbox and ``sgguard resume`` go on
where the journal of an earlier worker ends.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.engine import bind_again, bind_decide, bind_rest, handle
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.binder import Binder, Report, of_keeper, silent
from sgguard.engine.context import Context
from sgguard.engine.keeper import Keeper
from sgguard.errors import DeadlineError, SgguardError, StoreError
from sgguard.model.event import Event
from sgguard.model.request import BindRequest, RestRequest
from sgguard.model.sentence import Sentence, Text
from sgguard.outbox.background import BACKGROUND
from sgguard.store.rows import Claim
from sgguard.telemetry import logs
from sgguard.wire.parallel import caught

Json = dict[str, Any]
Handled = Json | Exception

KIND = "bind_request"


def binds(
    asked: Sequence[tuple[BindRequest | RestRequest, Event]], context: Context
) -> list[Handled]:
    """Handle bind requests, each with its event, each by itself, in order.

    One that takes longer than there is time for is handed on. What an earlier one left waiting in
    the store goes on in the background.
    """
    handled = [caught(partial(_bound, request, event, context)) for request, event in asked]
    _wake(context)
    return handled


def _bound(request: BindRequest | RestRequest, event: Event, context: Context) -> Json:
    if isinstance(request, RestRequest):
        return bind_again.go_on(request, context)
    return bind_once(request, event, context, hands_on=True)


def _wake(context: Context) -> None:
    try:
        if context.store is not None and context.store.waiting_notices()[1]:
            BACKGROUND.note()
    except StoreError as error:
        logs.log(logging.WARNING, "outbox", detail=str(error))


def bind_once(
    request: BindRequest,
    event: Event,
    context: Context,
    *,
    since: Callable[[], Mapping[str, Sentence]] = dict,
    report: Report = silent,
    require: Callable[[BindDecided], None] = lambda _decided: None,
    hands_on: bool = False,
    is_shown: bool = False,
) -> Json:
    """Handle one bind request; every later delivery of its event gets the same response.

    ``since`` says of holders what happened to them since the decision that is undone; it is asked
    anew with every look, the last one under the lock of the group, too. ``require`` raises where a
    plan is not the one that is wanted. ``hands_on``: see :mod:`sgguard.engine.bind_rest`.
    ``is_shown``: a person said yes to it, which holds for the group as it was then.

    Raises:
        SgguardError: it was not decided, or not carried out to its end; the next delivery goes on.
    """

    def decide(decision_id: str) -> BindDecided:
        known = since()
        ids = (event.event_id, decision_id)
        return bind_decide.decide(request, context, *ids, since=known, is_asked=is_shown)

    if context.store is None:
        return _unkept(decide(context.new_id()))
    binder = of_keeper(Keeper.of(context), report, hands_on=hands_on)
    claim = handle.claimed(binder, KIND, event, context)
    if claim is None:
        return _unkept(decide(context.new_id()), handle.NOT_KEPT)
    if isinstance(claim, Exception):
        raise claim
    if not isinstance(claim, Claim):
        return claim
    done = _go_on(binder, claim)
    if done is not None:
        return done
    again = partial(decide, claim.decision_id)
    try:
        first = again()
    except SgguardError:
        binder.release(claim)
        raise
    return binder.act(claim, request, first, again, require)


def _go_on(binder: Binder, claim: Claim) -> Json | None:
    """Go on with what an earlier worker began for the event; None where nothing was.

    Raises:
        SgguardError: it could not be done to its end; the claim is released.
    """
    if not binder.is_begun(claim):
        return None
    run, record = binder.store.run(claim.decision_id), binder.store.decision(claim.decision_id)
    if run is None or record is None:
        return None
    try:
        document: Json = json.loads(record.document_json)
        return binder.resume(claim, run, document, record.requester)
    except SgguardError as error:
        binder.release(claim)
        is_handed_on = binder.hands_on and isinstance(error, DeadlineError)
        if is_handed_on and (found := bind_rest.hand_on(binder, claim)):
            return found
        raise


def _unkept(decided: BindDecided, note: Text = "") -> Json:
    is_planned = decided.plan is not None
    return handle.unkept(decided.document, decided.mode, is_planned=is_planned, note=note)
