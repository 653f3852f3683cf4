"""The rest of a bind that one delivery had no time for: handed on, and never forgotten.

A bind of a function has a notice in the outbox from the moment at which it begins:

1. A worker that dies is missed: when its lease is over, the notice is due, and whoever delivers
   goes on with the run (:mod:`sgguard.engine.bind_again`).
2. Near its deadline a worker hands the rest on by itself, and answers how far it came. With a
   target (:mod:`sgguard.engine.bind_target`) an event is posted there, whose cursor is the decision
   and how many of its holders are over; a broker gives it to any instance. Without a target, or
   where the target does not take it, the notice is due at once.
3. The notice ends with the run.

The cursor is for people and brokers: who goes on claims the event of the bind, and reads from the
journal what is over. So an event that comes twice, late or from anybody changes nothing twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from sgguard.engine import bind_target, bulk
from sgguard.engine.bind_target import NotTakenError
from sgguard.engine.context import Context
from sgguard.engine.keeper import Keeper
from sgguard.errors import StoreError
from sgguard.model.bind import BindPlan
from sgguard.model.codes import Outcome
from sgguard.model.sentence import said
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.base import Later, Result, Sent
from sgguard.outbox.deliver import LEASE_S, Deliverer
from sgguard.render import bind as render
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.notices import Notice, OutboxRow, Telling
from sgguard.store.rows import Claim, Entry, Run
from sgguard.telemetry import logs

Json = dict[str, Any]

KIND = "bind"
RESERVE_S = 2.0
"""What is left of the time when nothing more is begun: handing on takes some of it."""

_DESTINATION = "rest"


def notice(decision_id: str, after_s: float) -> Notice:
    """Return the notice that a bind is to be gone on with, unless it ends before."""
    key = f"{KIND}:{decision_id}"
    return Notice(key, KIND, decision_id, _DESTINATION, key, renews=True, after_s=after_s)


def watch(store: Store, decision_id: str, lease_s: float) -> None:
    """Let the run be missed when a lease from now is over and it has not ended.

    Raises:
        StoreError: it could not be written.
    """
    store.notify(decision_id, Telling((notice(decision_id, lease_s),)))


def ended(keeper: Keeper, decision_id: str) -> None:
    """End the notice of a run that has ended; where that fails, its sender finds it ended."""
    try:
        row = keeper.store.take_notice(
            f"{KIND}:{decision_id}", owner=keeper.owner, lease_s=LEASE_S, is_hurried=True
        )
        if row is not None:
            keeper.store.give_up(row, "the bind has ended", is_dead=False)
    except StoreError as error:
        logs.log(logging.WARNING, "outbox", decision_id=decision_id, detail=str(error))


def hand_on(keeper: Keeper, claim: Claim) -> Json | None:
    """Hand the rest of a run on, whose claim was released; return how far the bind is.

    None where nothing was begun, or the store fails: then the sender of the event has to come
    again, and the run is missed when its lease is over.
    """
    store, decision_id = keeper.store, claim.decision_id
    try:
        run, record = store.run(decision_id), store.decision(decision_id)
        if run is None or record is None or run.state != "open":
            return None
        document, cursor = _so_far(store, run, json.loads(record.document_json))
        watch(store, decision_id, 0.0)
        row = store.take_notice(
            f"{KIND}:{decision_id}", owner=keeper.owner, lease_s=LEASE_S, is_hurried=True
        )
        if row is not None:  # else somebody goes on already
            Deliverer(store, {}, keeper.owner).settle(row, sent_on(row, cursor, keeper.context))
    except StoreError as error:
        logs.log(logging.WARNING, "outbox", decision_id=decision_id, detail=str(error))
        return None
    BACKGROUND.note()
    logs.log(logging.INFO, "handed on", decision_id=decision_id, detail=document["note"])
    return document


def sent_on(row: OutboxRow, cursor: Json, context: Context) -> Result:
    """Post the event that hands a run on; without a target the notice waits for a deliverer."""
    target = bind_target.of_context(context)
    if target is None:
        return Later("it goes on with the next delivery", 0.0, counted=False)
    event_id = f"{row.decision_id}/{row.fence}"
    given = bind_target.attributes(bind_target.REST_TYPE, event_id, row.decision_id, context.now())
    left_s = context.deadline.remaining_s()
    try:
        target.post(given, cursor, max(0.2, min(bind_target.TIMEOUT_S, left_s)))
    except NotTakenError as error:
        return Later(f"the target: {error}")
    return Sent()


def cursor_of(store: Store, run: Run) -> Json:
    """Return the data of the event that hands a run on.

    Raises:
        StoreError: it cannot be read, or another sgguard wrote it.
    """
    plan = codec.load(BindPlan, run.plan_json)
    over, of = bulk.progress_of(store, run)
    group = f"{plan.scope}:{plan.group_id}"
    rest = {"decision": run.decision_id, "over": over, "of": of}
    return {"group": group, "action": plan.action, "rest": rest}


def _so_far(store: Store, run: Run, document: Json) -> tuple[Json, Json]:
    """Return the document of a run that is under way, with what is over, and its cursor."""
    cursor = cursor_of(store, run)
    entries = store.entries(run.decision_id)
    part = with_results(document, bulk.results_in(entries))
    over, of = cursor["rest"]["over"], cursor["rest"]["of"]
    note = said("note.handed-on", over=over, n=of)
    found = {**document, "bind": part}
    return with_outcome(found, Outcome.UNFINISHED, note, journal=entries), cursor


def rows_so_far(document: Json, entries: Sequence[Entry]) -> Json:
    """Return the rows and counts of a bind that ends as it is, by its journal.

    What another sgguard wrote into it is not understood: then how a holder ended is not known.
    """
    try:
        results = bulk.results_in(entries)
    except StoreError:
        results = {}
    return with_results(document, results)


def with_results(document: Json, results: dict[str, bulk.Result]) -> Json:
    """Return the rows and counts of a bind, with what became of each holder so far."""
    part = document["bind"]
    rows = [
        bulk.with_result(render.row_of(one), results.get(one["holder"])) for one in part["rows"]
    ]
    return render.bind_json(part["action"], part["group"], rows, part["undoes"])
