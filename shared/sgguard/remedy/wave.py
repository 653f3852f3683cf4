"""Which changes of a plan are made side by side: those that have nothing to do with each other.

A change waits for everything before it in its plan, except for changes of the same sort to other
things: rules of other groups, or groups of other holders. So what concerns one thing stays in the
plan's order, rules come before holders where the plan says so, and a group is made or deleted
alone. Whatever of a wave fails, the others are changes that the plan wants, each with a line of
its own in the journal.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from sgguard.model.change import Change
from sgguard.remedy.plan import Plan
from sgguard.remedy.world import holder_of

AT_ONCE = 8
"""How many changes are under way at a time, each with calls of its own."""

TOGETHER = 100
"""How many are, where a cloud's calls take many holders."""

_Sort = Literal["rules", "holders", "alone"]


def next_wave(plan: Plan, passed: Collection[int], holders: int = AT_ONCE) -> tuple[int, ...]:
    """Return the steps to make now, none when all are ``passed``; at most so many ``holders``.

    Of each thing it is the first step that is not passed.
    """
    wave: dict[str, int] = {}
    sort: _Sort | None = None
    for step, planned in enumerate(plan.planned):
        if step in passed:
            continue
        mine = _sort(planned.change)
        if sort is not None and (mine != sort or mine == "alone"):
            break
        sort = mine
        wave.setdefault(_thing(planned.change), step)
        if len(wave) == (holders if mine == "holders" else AT_ONCE):
            break
    return tuple(wave.values())


def _sort(change: Change) -> _Sort:
    match change.kind:
        case "add-rule" | "remove-rule":
            return "rules"
        case "set-groups":
            return "holders"
        case _:
            return "alone"


def _thing(change: Change) -> str:
    """Return what a change is about; the interfaces of one instance are one thing."""
    if change.kind != "set-groups":
        return change.group_id
    holder = holder_of(change)
    return holder.instance_id or holder.holder_id
