"""Progress of a plan while it is carried out, as its journal is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from msgspec.structs import replace

from sgguard.engine.bulk import is_bind, progress_of
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.remedy.plan import Plan
from sgguard.render.kept import english
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry, EntryState, Settled

Report = Callable[[str], None]


class _Watched:
    """A store that reports every change that is settled in its journal."""

    def __init__(self, store: Store, report: Report) -> None:
        self._store, self._report = store, report
        self._plans: dict[str, Plan | None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, claim: Claim, settled: Sequence[Settled]) -> None:
        self._store.settle(claim, settled)
        for words in dict.fromkeys(self._words(one.entry, one.state) for one in settled):
            self._report(words)

    def _words(self, entry: Entry, state: EntryState) -> str:
        run = self._store.run(entry.decision_id)
        if run is not None and is_bind(run):
            over, of = progress_of(self._store, run)
            return f"{over} of {of} holders are over"
        if entry.decision_id not in self._plans:
            self._plans[entry.decision_id] = _plan(self._store, entry.decision_id)
        plan = self._plans[entry.decision_id]
        verb = "undone" if entry.is_undo and state == "done" else state
        if plan is None or entry.step >= len(plan.planned):
            return f"change {entry.step + 1}: {verb}"
        summary = plan.planned[entry.step].step.summary
        return f"change {entry.step + 1} of {len(plan.planned)}: {verb}: {summary}"


def watched(context: Context, report: Report) -> Context:
    """Return the context with a store that reports each change, as soon as its result is known."""
    if context.store is None:
        return context
    return replace(context, store=cast(Store, _Watched(context.store, report)))


def _plan(store: Store, decision_id: str) -> Plan | None:
    run = store.run(decision_id)
    try:
        return None if run is None else codec.load(Plan, run.plan_json)
    except SgguardError:  # one of another version: the number of the change is enough
        return None


def state_of(store: Store, decision_id: str) -> str:
    """Return what is true of a decision whose work was interrupted, and what to type next."""
    run = store.run(decision_id)
    if run is None:
        record = store.decision(decision_id)
        is_approved = any(one.decision_id == decision_id for one in store.approvals("approved"))
        if record is not None and (is_approved or record.outcome == "unfinished"):
            return f"nothing was changed yet; next: sgguard resume {decision_id}"
        return "nothing was changed"
    ended = {
        "finished": f"the plan was carried out; see: sgguard decisions show {decision_id}",
        "undone": "everything that was changed is undone",
        "accepted": f"it was ended as it was: {english(run.note)}",
        "stuck": f"not everything could be undone: {english(run.note)}; "
        f"next: sgguard resume {decision_id}",
    }
    if run.state in ended:
        return ended[run.state]
    if is_bind(run):
        over, total_ = progress_of(store, run)
        return f"{over} of {total_} holders are over; next: sgguard resume {decision_id}"
    plan = _plan(store, decision_id)
    entries = store.entries(decision_id)
    done = {one.step for one in entries if one.state == "done" and not one.is_undo}
    undone = {one.step for one in entries if one.state == "done" and one.is_undo}
    doubtful = [one for one in entries if one.state == "intended"]
    total = f" of {len(plan.planned)}" if plan else ""
    doubt = f", {len(doubtful)} may have been made" if doubtful else ""
    return (
        f"{len(done - undone)}{total} changes are made{doubt}; next, in about a minute: "
        f"sgguard resume {decision_id} (finishes it, or rolls it back where it cannot)"
    )
