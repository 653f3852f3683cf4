"""What a change is about: its rule, its holder or its group.

A change of a kind that has none is a mistake of whoever made it: a ValueError.
"""

from __future__ import annotations

from sgguard.model.change import Change, Holder
from sgguard.model.resource import Group, Rule


def rule_of(change: Change) -> Rule:
    """Return the rule a change is about."""
    if change.rule is None:
        raise ValueError(f"{change.kind} without a rule")
    return change.rule


def holder_of(change: Change) -> Holder:
    """Return the holder a change is about."""
    if change.holder is None:
        raise ValueError(f"{change.kind} without a holder")
    return change.holder


def group_of(change: Change) -> Group:
    """Return the group a change builds."""
    if change.group is None:
        raise ValueError(f"{change.kind} without a group")
    return change.group
