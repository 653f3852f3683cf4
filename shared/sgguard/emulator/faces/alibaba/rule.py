"""Authorising and revoking rules of the emulated ECS, each direction with its own two actions.

Authorising a rule that is there succeeds and adds nothing. Revoking one that is not there succeeds
and takes nothing; a rule id of the other direction is one that is not there.

Source: AuthorizeSecurityGroup(Egress), RevokeSecurityGroup(Egress), alibabacloud.com/help/en/ecs.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.alibaba.call import Call, numbered
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.faces.alibaba.rule_params import key, permissions
from sgguard.emulator.state import Group, Rule

RULES_MAX = 200
NAMED_GROUPS_MAX = 20


def authorize(call: Call, *, direction: str) -> dict[str, Any]:
    """Add rules, all of them or none."""
    group = _changeable(call)
    wanted = [one.rule() for one in permissions(call, group, direction)]
    keys = [key(rule) for rule in wanted]
    if len(set(keys)) < len(keys):
        why = "There are duplicate permissions in the specified parameter Permissions."
        raise RefusedError("InvalidParam.DuplicatePermissions", why)
    there = {key(rule) for rule in group.rules}
    new = [rule for rule in wanted if key(rule) not in there]
    _require_room(call, group, new)
    for rule in new:
        edit.add_rule(call.cloud, group.id, replace(rule, id=f"sgr-bp1{uuid4().hex[:17]}"))
    return {}


def revoke(call: Call, *, direction: str) -> dict[str, Any]:
    """Take rules out: by their ids, or by what they are."""
    group = _changeable(call)
    ids = numbered(call, "SecurityGroupRuleId")
    mine = [rule for rule in group.rules if rule.direction == direction]
    if ids:
        gone = [rule for rule in mine if rule.id in ids]
    else:
        gone = _matching(mine, [one.rule() for one in permissions(call, group, direction)])
    for rule in gone:
        edit.remove_rule(call.cloud, group.id, rule)
    return {}


ACTIONS = {
    "AuthorizeSecurityGroup": partial(authorize, direction="ingress"),
    "AuthorizeSecurityGroupEgress": partial(authorize, direction="egress"),
    "RevokeSecurityGroup": partial(revoke, direction="ingress"),
    "RevokeSecurityGroupEgress": partial(revoke, direction="egress"),
}


def _matching(rules: list[Rule], wanted: list[Rule]) -> list[Rule]:
    keys = {key(rule) for rule in wanted}
    found = [rule for rule in rules if key(rule) in keys]
    other_network = {key(replace(rule, nic="")) for rule in wanted}
    if not found and any(key(replace(rule, nic="")) in other_network for rule in rules):
        why = "Specified nic type conflicts with the authorization record."
        raise RefusedError("InvalidNicType.Mismatch", why, 403)
    return found


def _require_room(call: Call, group: Group, new: list[Rule]) -> None:
    limits = call.cloud.limits
    if len(group.rules) + len(new) > limits.get("rules-per-group", RULES_MAX):
        why = "The limit of authorization records in the security group reaches."
        raise RefusedError("AuthorizationLimitExceed", why, 403)
    naming = sum(1 for rule in (*group.rules, *new) if rule.peer_group)
    is_naming = any(rule.peer_group for rule in new)
    if is_naming and naming > limits.get("references-per-group", NAMED_GROUPS_MAX):
        why = "You have reached the limit on the number of group authorization rules."
        raise RefusedError("AuthorizedGroupRule.LimitExceed", why)


def _changeable(call: Call) -> Group:
    group = call.group(call.required("SecurityGroupId"))
    if group.managed_by:
        code = "InvalidOperation.ResourceManagedByCloudProduct"
        raise RefusedError(code, "The resource is managed by a cloud product.", 403)
    return group
