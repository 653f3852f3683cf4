"""An undo changes what its decision has changed, and nothing that a later one has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sgguard.model.bind import BindPlan
from sgguard.operations.since import UNDO_OF
from tests.sim.cloud import Effect
from tests.sim.journal import AnyPlan, Line

if TYPE_CHECKING:
    from tests.sim.monitor import Monitor

Thing = tuple[str, object]
"""A holder and a group that it may have, or a group and a rule that may be there."""


def check(monitor: Monitor, effect: Effect, line: Line) -> None:
    """Check who was last at what a call has changed, and note who is that now.

    A plan that is undone leaves a thing to whoever was there before it.
    """
    undone = "" if line.is_undo else _undone_by(monitor, line.decision_id)
    for thing in _things(effect):
        those = monitor.changed_by.setdefault(thing, [])
        last = those[-1] if those else "nobody"
        is_known = thing[0] not in monitor.touched and not _is_put_back(monitor, undone)
        if undone and last not in (undone, line.decision_id) and is_known:
            words = f"{effect}: {line.decision_id} undoes {undone}, and {last} was there last"
            monitor.broken("I8-since", words)
        if not line.is_undo:
            those.append(line.decision_id)
        elif line.decision_id in those:
            those.remove(line.decision_id)


def _is_put_back(monitor: Monitor, decision_id: str) -> bool:
    """Whether the store's clock, which tells what is later, was put back since a begin."""
    world = monitor.world
    return world.clock_step_s < 0.0 and world.stepped_s > (monitor.begun_s(decision_id) or 0.0)


def undone_by(plan: AnyPlan | None) -> str:
    """The decision whose changes a plan takes back, "" if it is not the undo of a bind."""
    return plan.undoes if isinstance(plan, BindPlan) else ""


def _undone_by(monitor: Monitor, decision_id: str) -> str:
    found = monitor.rows.run(decision_id)
    if found is None:
        return ""
    source, plan = found
    if isinstance(plan, BindPlan) or not source.startswith("undo"):
        return undone_by(plan)
    return str(monitor.rows.document(decision_id)["event_id"]).removeprefix(UNDO_OF)


def _things(effect: Effect) -> Iterator[Thing]:
    if effect.kind == "set-groups":
        for group_id in sorted({*effect.before} ^ {*effect.after}):
            yield effect.subject, group_id
    elif effect.kind in ("add-rule", "remove-rule"):
        yield effect.subject, effect.rule
