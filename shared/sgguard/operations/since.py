"""What later decisions have changed: an undo leaves that as it is, and names them.

Later is what began later, for one that waited for its approval was decided long before. While a
decision is carried out, no other one changes the same. Of two that began at the same moment it is
not known which came first: then either counts as the later one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from sgguard.engine.bulk import is_bind, results_in
from sgguard.errors import StoreError
from sgguard.model.bind import BindPlan, Target
from sgguard.model.change import Change
from sgguard.model.subject import holder_of, rule_of
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.progress import Progress
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Run

UNDO_OF = "undo of "
"""How the event id in the document of an undo of a remedy begins; its decision comes after that."""

_Key = tuple[object, ...]
"""A holder and a group that it has or has not, or a group and a rule that is there or is not."""


class Later(msgspec.Struct, frozen=True):
    """Which decision has changed something last; ``is_there``: it put on or added it.

    ``number`` counts the later decisions in the order of their begins.
    """

    decision_id: str
    is_there: bool
    number: int


class Since:
    """What decisions that began after another one have changed, those that undo it left out.

    Raises:
        StoreError: the store cannot be read.
    """

    def __init__(self, store: Store, first: Run, groups: Iterable[str]) -> None:
        self._last: dict[_Key, Later] = {}
        self._unknown: Later | None = None
        # One that has several of the groups in its plan is found with each of them.
        found = [store.runs_since(first.begun_at_s, one) for one in sorted(set(groups))]
        runs = {run.decision_id: run for some in found for run in some}
        in_order = sorted(runs.values(), key=lambda one: (one.begun_at_s, one.decision_id))
        for number, run in enumerate(in_order):
            if run.decision_id != first.decision_id and not _is_undo(store, run, first):
                self._note(store, run, number)

    def of_holder(self, holder_ids: Iterable[str], group_ids: Iterable[str]) -> Later | None:
        """Return who has put one of these groups on one of these holders since, or taken it off."""
        groups = tuple(group_ids)
        keys = [(holder_id, one) for holder_id in holder_ids for one in groups]
        return self._of(keys)

    def of_target(self, target: Target, group_id: str) -> Later | None:
        """Return who has put a group on a holder since, or on a part of it, or taken it off."""
        return self.of_holder(_ids(target), (group_id,))

    def of_change(self, change: Change) -> Later | None:
        """Return who has changed since what a change is about."""
        return self._of([key for key, _ in _keys(change)])

    def _of(self, keys: Iterable[_Key]) -> Later | None:
        found = [self._last[key] for key in keys if key in self._last]
        return max(found, key=lambda one: one.number, default=self._unknown)

    def _note(self, store: Store, run: Run, number: int) -> None:
        try:
            for key, is_there in _changed(store, run):
                self._last[key] = Later(run.decision_id, is_there, number)
        except StoreError:  # another sgguard wrote it: what it changed is not known
            self._unknown = Later(run.decision_id, is_there=True, number=number)


def changed_in(store: Store, decision_id: str) -> list[str]:
    """Return the holders that a bind has changed itself, by its journal."""
    results = results_in(store.entries(decision_id))
    return [one for one, how in results.items() if how.status == "done"]


def done_in(store: Store, decision_id: str, plan: Plan) -> Iterator[Planned]:
    """Yield the changes of a remedy that were made and not undone, as they were made."""
    progress = Progress.of(plan, store.entries(decision_id))
    for entry in progress.entries:
        if not entry.is_undo and entry.state == "done" and progress.is_done(entry.step):
            planned = plan.planned[entry.step]
            yield replace(planned, change=codec.load(Change, entry.change_json))


def _changed(store: Store, run: Run) -> Iterator[tuple[_Key, bool]]:
    if not is_bind(run):
        for one in done_in(store, run.decision_id, codec.load(Plan, run.plan_json)):
            yield from _keys(one.change)
        return
    plan = codec.load(BindPlan, run.plan_json)
    changed = set(changed_in(store, run.decision_id))
    for target in plan.targets:
        if target.holder_id in changed:
            for holder_id in _ids(target):
                yield (holder_id, plan.group_id), plan.action == "bind"


def _ids(target: Target) -> tuple[str, ...]:
    return target.holder_id, *(part.holder_id for part in target.parts)


def _keys(change: Change) -> Iterator[tuple[_Key, bool]]:
    if change.kind == "set-groups":
        for group_id in sorted({*change.before} ^ {*change.after}):
            yield (holder_of(change).holder_id, group_id), group_id in change.after
    elif change.kind in ("add-rule", "remove-rule"):
        rule = replace(rule_of(change), rule_id="")  # one that comes back has another one
        yield (change.group_id, rule), change.kind == "add-rule"


def _is_undo(store: Store, run: Run, first: Run) -> bool:
    """Whether a run takes back the first one: what it changed was that one's."""
    record = store.decision(run.decision_id)
    document = json.loads(record.document_json) if record else {}
    bound = document.get("bind") or {}
    undone = bound.get("undoes") or str(document.get("event_id")).removeprefix(UNDO_OF)
    return bool(undone == first.decision_id)
