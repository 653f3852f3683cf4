"""Changes that are the same on every cloud: rules of a group, groups of an interface.

Each change raises the version of what it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from sgguard.emulator.resource import Group, Interface, Rule
from sgguard.emulator.state import Cloud, StateError


def require_group(cloud: Cloud, group_id: str) -> Group:
    """Return the group.

    Raises:
        StateError: not-found.
    """
    group = cloud.group(group_id)
    if group is None:
        raise StateError("not-found", group_id)
    return group


def create_group(cloud: Cloud, group: Group) -> Group:
    """Add a group that has its id already.

    Raises:
        StateError: duplicate, or limit when ``groups-per-project`` of its project is reached.
    """
    if cloud.group(group.id) is not None:
        raise StateError("duplicate", group.id)
    ceiling = cloud.limits.get("groups-per-project")
    owned = sum(g.project == group.project and g.account == group.account for g in cloud.groups)
    if ceiling is not None and 0 <= ceiling <= owned:
        raise StateError("limit", group.project)
    cloud.groups.append(group)
    return group


def add_rule(
    cloud: Cloud,
    group_id: str,
    rule: Rule,
    position: int | None = None,
    *,
    is_per_direction: bool = False,
) -> Rule:
    """Add a rule: last, or before the one at ``position`` among the rules of its direction.

    ``is_per_direction``: this cloud counts the rules of each direction by themselves.

    Raises:
        StateError: not-found, or limit when ``rules-per-group`` is reached.
    """
    group = require_group(cloud, group_id)
    ceiling = cloud.limits.get("rules-per-group")
    # Rules of both directions share one list: a position counts those of one direction only.
    positions = [n for n, one in enumerate(group.rules) if one.direction == rule.direction]
    counted = len(positions) if is_per_direction else len(group.rules)
    if ceiling is not None and 0 <= ceiling <= counted:
        raise StateError("limit", group_id)
    rule.id = rule.id or str(uuid4())
    if position is None or position >= len(positions):
        group.rules.append(rule)
    else:
        group.rules.insert(positions[position], rule)
    group.version += 1
    return rule


def remove_rule(cloud: Cloud, group_id: str, rule: Rule) -> None:
    """Remove this rule, by identity, from the group.

    Raises:
        StateError: not-found.
    """
    group = require_group(cloud, group_id)
    remaining = [one for one in group.rules if one is not rule]
    if len(remaining) == len(group.rules):
        raise StateError("not-found", rule.id)
    group.rules[:] = remaining
    group.version += 1


def set_groups(cloud: Cloud, interface: Interface, group_ids: Sequence[str]) -> None:
    """Replace the groups of an interface, in this order.

    Raises:
        StateError: not-found, for a group that it does not have already.
    """
    for group_id in group_ids:
        if group_id not in interface.groups:
            require_group(cloud, group_id)
    if interface.groups != list(group_ids):
        interface.version += 1
    interface.groups[:] = group_ids
