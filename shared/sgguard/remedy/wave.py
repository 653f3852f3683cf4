"""Waves: the changes of a plan that are made side by side.

A change waits for everything before it in its plan, except for changes of the same sort to other
subjects: rules of other groups, or groups of other holders. So the changes of one subject keep the
plan's order, rules come before holders where the plan has them so, and a group is created or
deleted alone. Where a cloud takes several rules of a group in one call, those that follow each
other in the plan are one wave. Each change of a wave has a line of its own in the journal: where
one fails, the others are made all the same, and are undone with the rest.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from sgguard.model.change import Change
from sgguard.model.subject import holder_of
from sgguard.remedy.plan import Plan

AT_ONCE = 8
"""How many changes are under way at a time, each with calls of its own."""

TOGETHER = 100
"""How many changes are made at a time, where a cloud reads or changes many with few calls."""

GROUPS_TOGETHER = 16
"""How many groups have rules changed at a time, each with few calls for all of them."""

_Sort = Literal["rules", "holders", "alone"]
_Together = Literal["", "alike", "mixed"]


def next_wave(
    plan: Plan, passed: Collection[int], holders: int = AT_ONCE, rules: _Together = ""
) -> tuple[int, ...]:
    """Return the steps to make now, none when all are ``passed``; at most so many ``holders``.

    ``rules`` are those of one group that go together (``Capabilities.rules_together``).
    """
    wave: list[int] = []
    most = {"rules": GROUPS_TOGETHER if rules else AT_ONCE, "holders": holders, "alone": 1}
    subjects: set[str] = set()
    first: Change | None = None
    for step, planned in enumerate(plan.planned):
        if step in passed:
            continue
        # 1. The first step that is left gives the wave its sort; another sort ends the wave.
        change, subject = planned.change, _subject(planned.change)
        first = first or change
        sort = _sort(first)
        if len(wave) == TOGETHER or _sort(change) != sort:
            break
        # 2. Rules that go together are taken in the plan's order, without a gap. Elsewhere each
        #    subject has only its first step that is left: the next one builds on it.
        is_together = sort == "rules" and rules
        if is_together and rules == "alike" and change.kind != first.kind:
            break
        if subject in subjects and not is_together:
            continue
        if subject not in subjects and len(subjects) == most[sort]:
            break
        subjects.add(subject)
        wave.append(step)
    return tuple(wave)


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
