"""Authorising and revoking rules of the emulated Alibaba Cloud ECS; two actions per direction.

Authorising a rule that exists succeeds and adds nothing. Revoking one that does not exist succeeds
and removes nothing, or gets one of the codes that the documents list for it (quirk
``missing_rule``); a rule id of the other direction does not exist.

Source: AuthorizeSecurityGroup(Egress), RevokeSecurityGroup(Egress), alibabacloud.com/help/en/ecs.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.alibaba.call import Call, numbered, require_unmanaged
from sgguard.emulator.faces.alibaba.response import RefusedError, status_of
from sgguard.emulator.faces.alibaba.rule_params import identity, rule_params
from sgguard.emulator.state import Group, Rule

RULES_MAX = 200
NAMED_GROUPS_MAX = 20


def authorize(call: Call, *, direction: str) -> dict[str, Any]:
    """Add rules, all of them or none."""
    group = _editable(call)
    wanted = [one.rule() for one in rule_params(call, group, direction)]
    keys = [identity(rule) for rule in wanted]
    if len(set(keys)) < len(keys):
        message = "There are duplicate permissions in the specified parameter Permissions."
        raise RefusedError("InvalidParam.DuplicatePermissions", message)
    existing = {identity(rule) for rule in group.rules}
    new = [rule for rule in wanted if identity(rule) not in existing]
    _require_room(call, group, new)
    for rule in new:
        edit.add_rule(call.cloud, group.id, replace(rule, id=f"sgr-bp1{uuid4().hex[:17]}"))
    return {}


def revoke(call: Call, *, direction: str) -> dict[str, Any]:
    """Revoke rules, by their ids or by their content."""
    group = _editable(call)
    ids = numbered(call, "SecurityGroupRuleId")
    candidates = [rule for rule in group.rules if rule.direction == direction]
    if ids:
        revoked = [rule for rule in candidates if rule.id in ids]
    else:
        revoked = _matching(candidates, [one.rule() for one in rule_params(call, group, direction)])
    if not revoked and (code := call.cloud.quirks.get("missing_rule")):
        raise RefusedError(code, "The specified rule does not exist.", status_of(code))
    for rule in revoked:
        edit.remove_rule(call.cloud, group.id, rule)
    return {}


ACTIONS = {
    "AuthorizeSecurityGroup": partial(authorize, direction="ingress"),
    "AuthorizeSecurityGroupEgress": partial(authorize, direction="egress"),
    "RevokeSecurityGroup": partial(revoke, direction="ingress"),
    "RevokeSecurityGroupEgress": partial(revoke, direction="egress"),
}


def _matching(rules: list[Rule], wanted: list[Rule]) -> list[Rule]:
    keys = {identity(rule) for rule in wanted}
    found = [rule for rule in rules if identity(rule) in keys]
    other_network = {identity(replace(rule, nic="")) for rule in wanted}
    if not found and any(identity(replace(rule, nic="")) in other_network for rule in rules):
        message = "Specified nic type conflicts with the authorization record."
        raise RefusedError("InvalidNicType.Mismatch", message, 403)
    return found


def _require_room(call: Call, group: Group, new: list[Rule]) -> None:
    limits = call.cloud.limits
    if len(group.rules) + len(new) > limits.get("rules-per-group", RULES_MAX):
        message = "The limit of authorization records in the security group reaches."
        raise RefusedError("AuthorizationLimitExceed", message, 403)
    naming = sum(1 for rule in (*group.rules, *new) if rule.peer_group)
    is_naming = any(rule.peer_group for rule in new)
    if is_naming and naming > limits.get("references-per-group", NAMED_GROUPS_MAX):
        message = "You have reached the limit on the number of group authorization rules."
        raise RefusedError("AuthorizedGroupRule.LimitExceed", message)


def _editable(call: Call) -> Group:
    group = call.group(call.required("SecurityGroupId"))
    require_unmanaged(group)
    return group
