"""Undoing a bind: exactly what a decision put on comes off, and what it took off comes back.

What the decision's journal says it changed, and nothing else. A holder that somebody changed since
is left as it is, and named: one that no longer carries the group, one that is gone, and one that a
later decision changed as well. A group that comes back is put behind the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.engine import bind, bind_decide
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.bulk import results_in
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import EventError, StoreError
from sgguard.model.address import Address
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.request import Action, BindRequest
from sgguard.model.sentence import Sentence, said
from sgguard.store.base import Store
from sgguard.store.rows import Query

Json = dict[str, Any]
Report = Callable[[int, int], None]

SOURCE = "undo"
_LATER_MAX = 10_000


class Undo(msgspec.Struct, frozen=True):
    """What taking a decision back asks for; ``event_id`` is that of its own decision.

    ``since`` reads which later decisions changed its holders.
    """

    request: BindRequest
    since: Callable[[], dict[str, Sentence]]
    event_id: str

    def decided(self, context: Context) -> BindDecided:
        """Judge it on what is there now; nothing is changed or kept.

        Raises:
            SgguardError: the cloud could not be asked.
        """
        context = _enforcing(context)
        ids = (self.event_id, "")
        return bind_decide.decide(self.request, context, *ids, since=self.since())

    def carry_out(
        self,
        context: Context,
        report: Report = lambda _done, _all: None,
        require: Callable[[BindDecided], None] = lambda _decided: None,
    ) -> Json:
        """Carry it out, and return its document; called again after an error, it goes on.

        Raises:
            SgguardError: it was not finished.
        """
        data = {"undoes": self.request.undoes}
        event = Event(self.event_id, data, SOURCE)
        return bind.bind_once(
            self.request,
            event,
            _enforcing(context),
            since=self.since,
            report=report,
            require=require,
        )


def is_bind(decision_id: str, context: Context) -> bool:
    """Whether a decision that is kept was a bind or unbind."""
    record = Executor.of(context).store.decision(decision_id)
    return record is not None and record.guard == "bind"


def undo(decision_id: str, context: Context, *, by: str) -> Undo:
    """Return what it takes to undo a decision.

    Raises:
        EventError: 404 there is no such decision; 409 it is at work, or was no bind.
        SettingsError: there is no store.
    """
    store = Executor.of(context).store
    record = store.decision(decision_id)
    if record is None:
        raise EventError(f"there is no decision {decision_id!r}", status=404)
    part = json.loads(record.document_json).get("bind")
    if part is None:
        raise EventError(f"decision {decision_id} was no bind", status=409)
    run = store.run(decision_id)
    if run is not None and run.state not in ("finished", "accepted"):
        raise EventError(
            f"decision {decision_id} is not at its end: sgguard resume {decision_id} first",
            status=409,
        )
    address, action = Address.parse(part["group"]), part["action"]
    inverse: Action = "unbind" if action == "bind" else "bind"
    holders = tuple(_changed(store, decision_id))
    request = BindRequest(
        scope=address.scope,
        group_id=address.group_id,
        action=inverse,
        holders=holders,
        requested_by=by,
        undoes=decision_id,
    )
    since = partial(_since, store, decision_id, address, frozenset(holders))
    return Undo(request, since, f"{decision_id}/{context.new_id()}")


def _changed(store: Store, decision_id: str) -> Iterable[str]:
    """Return the holders that a decision changed itself, by its journal."""
    results = results_in(store.entries(decision_id))
    return (one for one, how in results.items() if how.status == "done")


def _since(
    store: Store, decision_id: str, address: Address, holders: frozenset[str]
) -> dict[str, Sentence]:
    """Return which later decisions changed the same group on the same holders.

    Later is what began later: one that waited for its approval was decided long before. While one
    is under way no other one of its group is.
    """
    own = store.run(decision_id)
    if own is None:
        return {}
    found: dict[str, tuple[float, Sentence]] = {}
    for later in store.decisions(Query(target=str(address), limit=_LATER_MAX)):
        if later.guard != "bind" or later.decision_id == decision_id:
            continue
        part = json.loads(later.document_json).get("bind")
        if part is None or part["undoes"] == decision_id:
            continue
        run = store.run(later.decision_id)
        # Of two at the same moment it is not known which came first: then it is left as it is.
        if run is None or run.begun_at_s < own.begun_at_s:
            continue
        if part["action"] == "bind":
            words = said("row.bound-since", decision=later.decision_id)
        else:
            words = said("row.unbound-since", decision=later.decision_id)
        for one in _changed_of(store, later.decision_id, holders):
            if one not in found or found[one][0] <= run.begun_at_s:
                found[one] = run.begun_at_s, words
    return {one: words for one, (_, words) in found.items()}


def _changed_of(store: Store, decision_id: str, holders: frozenset[str]) -> Iterable[str]:
    """Return which of these holders a decision changed; all where that is not known."""
    try:
        return [one for one in _changed(store, decision_id) if one in holders]
    except StoreError:  # another sgguard wrote it
        return holders


def _enforcing(context: Context) -> Context:
    """Return the context of an operator who has decided: no mode of the policy asks again."""
    return replace(context, settings=replace(context.settings, mode=Mode.ENFORCE))
