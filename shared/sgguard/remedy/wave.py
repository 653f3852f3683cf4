"""Waves: the changes of a plan that are made side by side.

A change waits for everything before it in its plan, except for changes of the same sort to other
subjects: rules of other groups, or groups of other holders. So the changes of one subject keep the
plan's order, rules come before holders where the plan has them so, and a group is created or
deleted alone. Each change of a wave has a line of its own in the journal: where one fails, the
others are made all the same, and are undone with the rest.
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
"""How many holders are changed at a time, where a cloud's calls take many holders."""

_Sort = Literal["rules", "holders", "alone"]


def next_wave(plan: Plan, passed: Collection[int], holders: int = AT_ONCE) -> tuple[int, ...]:
    """Return the steps to make now, none when all are ``passed``; at most so many ``holders``."""
    wave: dict[str, int] = {}
    sort: _Sort | None = None
    for step, planned in enumerate(plan.planned):
        if step in passed:
            continue
        # 1. The first step that is left gives the wave its sort; another sort ends the wave.
        mine = _sort(planned.change)
        if sort is not None and (mine != sort or mine == "alone"):
            break
        sort = mine
        # 2. Of each subject only its first step that is left: the next one builds on it.
        wave.setdefault(_subject(planned.change), step)
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


def _subject(change: Change) -> str:
    """Return what a change is about; the interfaces of one instance are one subject."""
    if change.kind != "set-groups":
        return change.group_id
    holder = holder_of(change)
    return holder.instance_id or holder.holder_id
