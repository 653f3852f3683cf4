"""The lines of journals and the plans of runs, as the store keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sgguard.model.bind import Batch, BindPlan
from sgguard.model.change import Change
from sgguard.remedy.plan import Plan, Planned
from sgguard.store import codec

AnyPlan = Plan | BindPlan


@dataclass(frozen=True)
class Line:
    """One line of a journal: a change, or the holders of one call of a bind."""

    decision_id: str
    number: int
    change: Change | Batch
    is_undo: bool
    state: str
    made_id: str


@dataclass(eq=False)
class Lines:
    """Decodes what a store has; the same text once."""

    _changes: dict[str, Change | Batch] = field(default_factory=dict)
    _plans: dict[str, AnyPlan] = field(default_factory=dict)

    def change(self, text: str) -> Change | Batch:
        """What a line of a journal does."""
        if text not in self._changes:
            kind = Batch if "holders" in json.loads(text) else Change
            self._changes[text] = codec.load(kind, text)
        return self._changes[text]

    def plan(self, text: str) -> AnyPlan:
        """The plan of a run."""
        if text not in self._plans:
            kind = BindPlan if json.loads(text).get("guard") == "bind" else Plan
            self._plans[text] = codec.load(kind, text)
        return self._plans[text]


def planned_in(plan: AnyPlan) -> tuple[Planned, ...]:
    """The changes of a plan, one by one; a bind has none."""
    return () if isinstance(plan, BindPlan) else plan.planned


def pointed_to(plan: AnyPlan) -> set[str]:
    """The groups that a plan makes others name or carry."""
    if isinstance(plan, BindPlan):
        return {plan.group_id} if plan.action == "bind" else set()
    found: set[str] = set()
    for change in (one.change for one in plan.planned):
        if change.kind == "add-rule" and change.rule:
            found.add(change.rule.peer_group)
        found |= set(change.after) - set(change.before)
    return found - {""}
