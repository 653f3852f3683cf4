"""Undoing a bind: exactly what a decision put on comes off, and what it took off comes back.

What the decision's journal says it changed, and nothing else. A holder that somebody changed since
is left as it is, and named: one that no longer carries the group, one that is gone, and one that a
later decision changed as well. A group that comes back is put behind the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.engine import bind, bind_decide
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import EventError
from sgguard.model.address import Address
from sgguard.model.bind import BindPlan
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.request import Action, BindRequest
from sgguard.model.sentence import Sentence, said
from sgguard.operations.since import Since, changed_in
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Run

Json = dict[str, Any]
Report = Callable[[int, int], None]

SOURCE = "undo"


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
        return bind_decide.decide(self.request, context, *ids, since=self.since(), is_asked=True)

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
            is_shown=True,
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
    holders = tuple(changed_in(store, decision_id))
    request = BindRequest(
        scope=address.scope,
        group_id=address.group_id,
        action=inverse,
        holders=holders,
        requested_by=by,
        undoes=decision_id,
    )
    since = partial(_since, store, run, frozenset(holders))
    return Undo(request, since, f"{decision_id}/{context.new_id()}")


def _since(store: Store, run: Run | None, holders: frozenset[str]) -> dict[str, Sentence]:
    """Return of each holder which later decision put the group on it, or took it off."""
    if run is None:
        return {}
    plan = codec.load(BindPlan, run.plan_json)
    since = Since(store, run, (plan.group_id,))
    found: dict[str, Sentence] = {}
    for target in plan.targets:
        later = since.of_target(target, plan.group_id) if target.holder_id in holders else None
        if later and later.is_there:
            found[target.holder_id] = said("row.bound-since", decision=later.decision_id)
        elif later:
            found[target.holder_id] = said("row.unbound-since", decision=later.decision_id)
    return found


def _enforcing(context: Context) -> Context:
    """Return the context of an operator who has decided: no mode of the policy asks again."""
    return replace(context, settings=replace(context.settings, mode=Mode.ENFORCE))
